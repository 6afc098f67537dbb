"""The share of examples answered rightly, of attributes that are names and of choices."""

from itdr.evaluation.answers import ParsedAnswer
from itdr.evaluation.answers.aliases import same_value
from itdr.evaluation.kinds.core import Example
from itdr.evaluation.likelihoods import scores_of
from itdr.evaluation.metrics.rankings import hits_of_scores
from itdr.evaluation.metrics.scorers import Scorers
from itdr.registry import METRICS
from itdr.settings.metric import Metric, MetricKind


@METRICS.register(
    "accuracy",
    MetricKind,
    title="Accuracy",
    reads=("attributes", "choice"),
    reference="the share of examples whose predicted value is the true one",
)
def accuracy(answer: ParsedAnswer, example: Example, metric: Metric, scorers: Scorers) -> float:
    """Return 1 when the predicted value, or the most probable choice, is the true one, else 0.

    Where several choices are the most probable, the chance that one of them taken at random is
    right.
    """
    if example.form.kind == "choice":
        right = example.form.candidates.index(example.truth)
        return hits_of_scores(scores_of(answer, example, metric), right)[0]
    name = metric.attribute
    return float(same_value(answer.attributes[name], example.truth[name], scorers.lenient))
