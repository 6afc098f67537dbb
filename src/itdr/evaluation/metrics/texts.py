"""Metrics of texts against a reference; `itdr.evaluation.text_metrics` has the formulas.

Beside BLEU and ROUGE as the reports use them stand those of other packages and of whole corpora,
for tasks that ask for them: bleu-corpus-2, bleu-nltk-2, rouge-package-l.
"""

from collections.abc import Sequence

import numpy as np

from itdr.evaluation.answers import ParsedAnswer
from itdr.evaluation.kinds.core import Example
from itdr.evaluation.metrics.scorers import Floats, Scorers, Whole
from itdr.evaluation.text_variants import (
    nltk_bleu,
    nltk_signature,
    package_rouge,
    package_signature,
)
from itdr.registry import METRICS
from itdr.settings.metric import Metric, MetricKind

_PAPINENI = "Papineni et al., BLEU: a Method for Automatic Evaluation of Machine Translation, 2002"
_LIN = "Lin, ROUGE: A Package for Automatic Evaluation of Summaries, 2004"
_ORDERS, _ROUGES = ("1", "2", "3", "4"), ("1", "2", "l")


def _of_texts(answer: ParsedAnswer, example: Example, metric: Metric, scorers: Scorers) -> float:
    return scorers.texts.scores(answer.text or "", example.truth)[metric.id]


METRICS.register(
    "bleu",
    MetricKind,
    title="BLEU",
    reads=("text",),
    reference=_PAPINENI,
    variants=_ORDERS,
    signature=lambda metric, texts: texts.bleu_signature(int(metric.variant)),
)(_of_texts)
METRICS.register(
    "rouge",
    MetricKind,
    title="ROUGE",
    reads=("text",),
    reference=_LIN,
    variants=_ROUGES,
    signature=lambda metric, texts: texts.rouge_signature(metric.variant),
)(_of_texts)


@METRICS.register(
    "bleu-nltk",
    MetricKind,
    title="BLEU of nltk",
    reads=("text",),
    reference=_PAPINENI,
    variants=_ORDERS,
    signature=lambda metric, texts: nltk_signature(int(metric.variant)),
)
def _nltk_bleu(answer: ParsedAnswer, example: Example, metric: Metric, scorers: Scorers) -> float:
    return nltk_bleu(answer.text or "", example.truth, int(metric.variant))


@METRICS.register(
    "rouge-package",
    MetricKind,
    title="ROUGE of rouge",
    reads=("text",),
    reference=_LIN,
    variants=_ROUGES,
    signature=lambda metric, texts: package_signature(metric.variant),
)
def _package_rouge(
    answer: ParsedAnswer, example: Example, metric: Metric, scorers: Scorers
) -> float:
    return package_rouge(answer.text or "", example.truth, metric.variant)


@METRICS.register(
    "bleu-corpus",
    MetricKind,
    title="Corpus BLEU",
    reads=("text",),
    reference=_PAPINENI,
    variants=_ORDERS,
    signature=lambda metric, texts: texts.bleu_signature(int(metric.variant), corpus=True),
    whole=True,
)
def _corpus_bleu(
    answers: Sequence[ParsedAnswer], examples: Sequence[Example], metric: Metric, scorers: Scorers
) -> Whole:
    """Return BLEU of all texts together; one that is unreadable is an empty text."""
    texts, order = scorers.texts, int(metric.variant)
    counts = np.array(
        [
            texts.bleu_counts(answer.text or "", example.truth)
            for answer, example in zip(answers, examples, strict=True)
        ],
        dtype=float,
    )

    def value(times: Floats) -> float:
        return texts.bleu_of([int(count) for count in times @ counts], order, corpus=True)

    return Whole(value)
