"""Errors of predicted numbers: ratings, ages, years."""

from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from itdr.evaluation.answers import ParsedAnswer
from itdr.evaluation.metrics.scorers import Scorers
from itdr.registry import METRICS
from itdr.settings.metric import Metric, MetricKind

Floats = NDArray[np.float64]

_HERLOCKER = "Herlocker et al., Evaluating Collaborative Filtering Recommender Systems, 2004, 4.1"


def squared_errors(predicted: Floats, true: Floats) -> Floats:
    """Return (predicted - true)^2 of every example; RMSE is the root of their mean.

    Source: Herlocker et al., Evaluating Collaborative Filtering Recommender Systems, 2004, 4.1.
    """
    errors: Floats = (predicted - true) ** 2
    return errors


@METRICS.register(
    "rmse",
    MetricKind,
    title="RMSE",
    reads=("number", "attributes"),
    reference=_HERLOCKER,
    lower_is_better=True,
    squared_error=True,
)
def given_number(answer: ParsedAnswer, truth: Any, metric: Metric, scorers: Scorers) -> float:
    """Return the number that an answer gives, NaN if it gives none."""
    if metric.attribute:
        return float(answer.attributes.get(metric.attribute, nan))
    return nan if answer.number is None else answer.number


# It stands beside each rmse, with the middle of the scale for answers that cannot be read.
METRICS.add(
    "rmse-midpoint",
    MetricKind(
        "rmse-midpoint",
        given_number,
        title="RMSE, unreadable as midpoint",
        reads=(),
        reference=_HERLOCKER,
        lower_is_better=True,
        squared_error=True,
    ),
)
