"""Metrics of attributes that are names and not numbers."""

from itdr.evaluation.answers import ParsedAnswer
from itdr.evaluation.answers.aliases import same_value
from itdr.evaluation.kinds.core import Example
from itdr.evaluation.metrics.scorers import Scorers
from itdr.registry import METRICS
from itdr.settings.metric import Metric, MetricKind


@METRICS.register(
    "accuracy",
    MetricKind,
    title="Accuracy",
    reads=("attributes",),
    reference="the share of examples whose predicted value is the true one",
)
def accuracy(answer: ParsedAnswer, example: Example, metric: Metric, scorers: Scorers) -> float:
    """Return 1 when the predicted value is the true one, else 0."""
    name = metric.attribute
    return float(same_value(answer.attributes[name], example.truth[name], scorers.lenient))
