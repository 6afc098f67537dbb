"""How long examples are in a model's tokens, and what the longest length allowed would cost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from itdr.instructions.audit.faults import Record
from itdr.vocabulary import Part

CountTokens = Callable[[Record], tuple[int, int]]
"""Returns the tokens of an example's prompt, and of prompt and answer together."""

PERCENTILES = (50, 90, 95, 99)


@dataclass(frozen=True)
class Lengths:
    """Lengths of the examples of one cell in one model's tokens.

    Attributes:
        model, task, dataset: which.
        examples: how many, in all parts.
        prompt, whole: tokens of the prompt, and of prompt and answer, at PERCENTILES and at most.
        cut_off: longest example that training takes, in tokens.
        train_examples: examples in the training part.
        lost_examples: those of them that are longer than cut_off.
        lost_tokens: share of the training part's tokens beyond cut_off.
    """

    model: str
    task: str
    dataset: str
    examples: int
    prompt: dict[str, int]
    whole: dict[str, int]
    cut_off: int
    train_examples: int
    lost_examples: int
    lost_tokens: float


def measure(model: str, records: Sequence[Record], count: CountTokens, cut_off: int) -> Lengths:
    """Return the lengths of the examples of one cell, at least one of them."""
    sizes = np.array([count(record) for record in records])
    prompt, whole = sizes[:, 0], sizes[:, 1]
    train = whole[[record["part"] == Part.TRAIN for record in records]]
    beyond = np.maximum(train - cut_off, 0)
    return Lengths(
        model=model,
        task=records[0]["task"],
        dataset=records[0]["dataset"],
        examples=len(records),
        prompt=_percentiles(prompt),
        whole=_percentiles(whole),
        cut_off=cut_off,
        train_examples=len(train),
        lost_examples=int((beyond > 0).sum()),
        lost_tokens=float(beyond.sum() / train.sum()) if len(train) else 0.0,
    )


def _percentiles(values: np.ndarray) -> dict[str, int]:
    """Return the percentiles as values that occur, and the largest value."""
    found = np.percentile(values, PERCENTILES, method="higher")
    names = [f"p{percentile}" for percentile in PERCENTILES]
    return dict(zip(names, map(int, found), strict=True)) | {"max": int(values.max())}
