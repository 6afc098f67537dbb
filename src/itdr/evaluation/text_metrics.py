"""BLEU and ROUGE of one text against one reference, from 0 to 1.

The paper does not say which variants it used, so every choice is a setting. The tokenisers and the
formulas are those of the packages sacrebleu and rouge-score, which are imported only when a text is
scored.
"""

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from rapidfuzz.distance import LCSseq

from itdr.settings.scoring import ScoringSettings


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
        predicted_tokens, reference_tokens = (
            self._bleu_tokens(predicted),
            self._bleu_tokens(reference),
        )
        correct, total = [], []
        for order in range(1, 5):
            found = _ngrams(predicted_tokens, order)
            correct.append(sum((found & _ngrams(reference_tokens, order)).values()))
            total.append(sum(found.values()))
        lengths = (len(predicted_tokens), len(reference_tokens))
        return {
            f"bleu-{order}": self._bleu_of(correct[:order], total[:order], *lengths)
            for order in range(1, 5)
        }

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

    def _bleu_of(
        self, correct: list[int], total: list[int], predicted: int, reference: int
    ) -> float:
        """Return BLEU from counts of n-grams and lengths; smoothing may change the lists."""
        score = self._compute_bleu(
            correct,
            total,
            predicted,
            reference,
            smooth_method=self._settings.bleu_smoothing,
            effective_order=True,
            max_ngram_order=len(correct),
        ).score
        # The root of a power leaves 1.0000000000000004 for the reference itself.
        return min(1.0, float(score) / 100)

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
