"""BLEU and ROUGE of one text against one reference, from 0 to 1.

The paper does not say which variants it used, so every choice is a setting. The tokenisers and the
formulas are those of the packages sacrebleu and rouge-score, which are imported only when a text is
scored.
"""

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import version
from typing import Any

from rapidfuzz.distance import LCSseq

from itdr.settings.scoring import ScoringSettings

Counts = tuple[int, ...]


class TextScorer:
    """Scores texts with fixed settings."""

    def __init__(self, settings: ScoringSettings) -> None:
        self._settings = settings
        self._known: dict[tuple[str, str], dict[str, float]] = {}

    def scores(self, predicted: str, reference: str) -> dict[str, float]:
        """Return bleu-1 to bleu-4, rouge-1, rouge-2 and rouge-l."""
        # Strict and lenient reading mostly give the same text.
        key = (predicted, reference)
        if key not in self._known:
            self._known[key] = self.bleu(*key) | self.rouge(*key)
        return self._known[key]

    def bleu(self, predicted: str, reference: str) -> dict[str, float]:
        """Return sentence BLEU of order 1 to 4.

        BLEU-N = BP * exp(1/N * sum over n = 1..N of log p_n), where p_n is the clipped n-gram
        precision, BP = min(1, exp(1 - len(reference) / len(predicted))), both lengths in tokens.
        An order that the predicted text is too short for is left out (sacrebleu's "effective
        order"). Zero where no word is shared.

        Source: Papineni et al., BLEU: a Method for Automatic Evaluation of Machine Translation,
        2002; smoothing: Chen and Cherry, 2014; implementation: sacrebleu.
        """
        counts = self.bleu_counts(predicted, reference)
        return {f"bleu-{order}": self.bleu_of(counts, order) for order in range(1, 5)}

    def bleu_counts(self, predicted: str, reference: str) -> Counts:
        """Return what BLEU is made of: shared n-grams and n-grams of order 1 to 4, and lengths."""
        tokens, expected = self._bleu_tokens(predicted), self._bleu_tokens(reference)
        grams = [_ngrams(tokens, order) for order in range(1, 5)]
        correct = [sum((found & _ngrams(expected, order)).values())
                   for order, found in enumerate(grams, start=1)]  # fmt: skip
        return (*correct, *(sum(found.values()) for found in grams), len(tokens), len(expected))

    def bleu_of(self, counts: Sequence[float], order: int, *, corpus: bool = False) -> float:
        """Return BLEU of one order from the counts of a text, or of a corpus summed up.

        corpus: no order is left out for being too long.
        """
        # Smoothing changes the lists that it is given.
        score = self._compute_bleu(
            list(counts[:order]),
            list(counts[4 : 4 + order]),
            *counts[8:],
            smooth_method=self._settings.bleu_smoothing,
            effective_order=not corpus,
            max_ngram_order=order,
        ).score
        # The root of a power leaves 1.0000000000000004 for the reference itself.
        return min(1.0, float(score) / 100)

    def rouge(self, predicted: str, reference: str) -> dict[str, float]:
        """Return the F1 of ROUGE-1, ROUGE-2 and ROUGE-L.

        ROUGE-N: P = shared n-grams / n-grams of the predicted text, R = shared n-grams / n-grams of
        the reference, F1 = 2PR / (P + R). ROUGE-L: the same with the length of the longest common
        subsequence of tokens in place of the n-grams; rougeLsum takes it line by line and joins.
        Tokens are runs of a-z and 0-9 after lowering the case.

        Source: Lin, ROUGE: A Package for Automatic Evaluation of Summaries, 2004; implementation:
        rouge-score, but for the length of the common subsequence, which rapidfuzz finds: a
        table filled cell by cell takes 15 ms for two texts of 250 words.
        """
        tokenize = self._rouge_tokenizer.tokenize
        predicted_tokens, reference_tokens = tokenize(predicted), tokenize(reference)
        result = {
            f"rouge-{order}": _f1(
                sum((_ngrams(predicted_tokens, order) & _ngrams(reference_tokens, order)).values()),
                len(predicted_tokens) - order + 1,
                len(reference_tokens) - order + 1,
            )
            for order in (1, 2)
        }
        if self._settings.rouge_l == "rougeLsum":
            longest = self._summary_scorer.score(reference, predicted)["rougeLsum"].fmeasure
        else:
            longest = _f1(
                LCSseq.similarity(predicted_tokens, reference_tokens),
                len(predicted_tokens),
                len(reference_tokens),
            )
        return result | {"rouge-l": longest}

    def bleu_signature(self, order: int, *, corpus: bool = False) -> str:
        """Return sacrebleu's signature of BLEU as it is computed here, with the order."""
        from sacrebleu.metrics import BLEU

        metric = BLEU(
            tokenize=self._settings.bleu_tokenisation,
            smooth_method=self._settings.bleu_smoothing,
            lowercase=self._settings.bleu_lowercase,
            max_ngram_order=order,
            effective_order=not corpus,
        )
        metric.num_refs = 1
        of = "corpus" if corpus else "mean over texts"
        return f"{metric.get_signature().format()}|order:{order}|of:{of}"

    def rouge_signature(self, variant: str) -> str:
        """Return package, version and choices of ROUGE; variant: 1, 2 or l."""
        name = self._settings.rouge_l if variant == "l" else f"rouge{variant}"
        stemmer = "yes" if self._settings.rouge_stemmer else "no"
        return f"rouge-score {version('rouge-score')}|{name}|f1|stemmer:{stemmer}"

    def _bleu_tokens(self, text: str) -> list[str]:
        text = text.lower() if self._settings.bleu_lowercase else text
        return self._bleu_tokenizer(text.rstrip()).split()

    @cached_property
    def _bleu_tokenizer(self) -> Any:
        from sacrebleu.metrics import BLEU

        return BLEU(tokenize=self._settings.bleu_tokenisation).tokenizer

    @cached_property
    def _compute_bleu(self) -> Any:
        from sacrebleu.metrics import BLEU

        return BLEU.compute_bleu

    @cached_property
    def _rouge_tokenizer(self) -> Any:
        from rouge_score.tokenizers import DefaultTokenizer

        return DefaultTokenizer(self._settings.rouge_stemmer)

    @cached_property
    def _summary_scorer(self) -> Any:
        from rouge_score.rouge_scorer import RougeScorer

        return RougeScorer(["rougeLsum"], tokenizer=self._rouge_tokenizer)


def _ngrams(tokens: Sequence[str], order: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(tokens[start:] for start in range(order)), strict=False))


def _f1(shared: int, predicted: int, reference: int) -> float:
    if shared == 0:
        return 0.0
    precision, recall = shared / predicted, shared / reference
    return 2 * precision * recall / (precision + recall)
