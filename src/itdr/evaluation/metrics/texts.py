"""Metrics of texts against a reference; `itdr.evaluation.text_metrics` has the formulas."""

from itdr.evaluation.answers import ParsedAnswer
from itdr.evaluation.kinds.core import Example
from itdr.evaluation.metrics.scorers import Scorers
from itdr.registry import METRICS
from itdr.settings.metric import Metric, MetricKind


def _of_texts(answer: ParsedAnswer, example: Example, metric: Metric, scorers: Scorers) -> float:
    return scorers.texts.scores(answer.text or "", example.truth)[metric.id]


METRICS.register(
    "bleu",
    MetricKind,
    title="BLEU",
    reads=("text",),
    reference="Papineni et al., BLEU: a Method for Automatic Evaluation of Machine Translation, "
    "2002",
)(_of_texts)
METRICS.register(
    "rouge",
    MetricKind,
    title="ROUGE",
    reads=("text",),
    reference="Lin, ROUGE: A Package for Automatic Evaluation of Summaries, 2004",
)(_of_texts)
