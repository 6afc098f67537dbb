"""From the likelihoods of choices to probabilities, and what these are worth."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from itdr.errors import DataError
from itdr.evaluation.answers import ParsedAnswer
from itdr.evaluation.kinds.core import Example
from itdr.settings.metric import Metric

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def scores_of(answer: ParsedAnswer, example: Example, metric: Metric) -> list[float]:
    """Return the log-probability of each choice, divided by its tokens where the metric says so.

    Raises:
        DataError: the numbers of tokens are needed and not known.
    """
    if not metric.per_token:
        return [choice.logprob for choice in answer.likelihoods]
    if any(choice.tokens is None for choice in answer.likelihoods):
        raise DataError(
            f"id {example.id!r}: column 'choices': 'tokens' is null; {metric.id} divides by it. "
            f"Give the numbers of tokens, or leave {metric.id} out of the task's metrics."
        )
    return [choice.logprob / (choice.tokens or 1) for choice in answer.likelihoods]


def probabilities(scores: Sequence[float]) -> Floats:
    """Return exp(score) / sum of exp(score): the choices' probabilities, given that one is meant.

    scores: at least one is larger than minus infinity.
    """
    odds: Floats = np.exp(np.asarray(scores) - max(scores))
    return odds / odds.sum()


def auc(scores: Floats, positive: Bools) -> Callable[[Floats], float]:
    """Return what gives the area under the ROC curve when examples count so many times.

    It is the chance that a positive has a higher score than a negative, equal ones counting half
    (the statistic of Mann and Whitney); NaN without any of the one or the other.

    scores, positive: shape (examples,); so is what the returned function takes.
    Source: Hanley and McNeil, The Meaning and Use of the Area under a ROC Curve, 1982.
    """
    different, place = np.unique(scores, return_inverse=True)

    def value(times: Floats) -> float:
        ups, downs = (
            np.bincount(place, times * of, minlength=len(different)) for of in (positive, ~positive)
        )
        pairs = ups.sum() * downs.sum()
        below = np.cumsum(downs) - downs
        return float(ups @ (below + downs / 2) / pairs) if pairs else float("nan")

    return value


def reliability(
    confidence: Floats, right: Floats, times: Floats, bins: int
) -> tuple[Floats, Floats, Floats]:
    """Return per bin how many examples it has, their mean confidence and the share that is right.

    A bin b of `bins` equal ones holds confidences above b / bins up to (b + 1) / bins, the first
    one 0 too; mean and share are NaN in an empty bin.

    confidence, right, times: shape (examples,); right from 0 to 1; times: how often each counts.
    Source: Guo et al., On Calibration of Modern Neural Networks, 2017, section 2.
    """
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    count, sure, hits = (
        np.bincount(place, times * of, minlength=bins).astype(np.float64)
        for of in (np.ones_like(confidence), confidence, right)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        return count, sure / count, hits / count


def calibration_error(confidence: Floats, right: Floats, times: Floats, bins: int) -> float:
    """Return the expected calibration error: sum over bins of n_b / n * |share - confidence|.

    Takes what `reliability` takes; NaN where nothing counts. Source: as there, equation 3.
    """
    count, sure, share = reliability(confidence, right, times, bins)
    if not count.sum():
        return float("nan")
    return float(np.nansum(count * np.abs(share - sure)) / count.sum())
