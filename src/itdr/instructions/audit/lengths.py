"""How long examples are in a model's tokens, and what the longest length allowed would cost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from itdr.instructions.audit.faults import Record
from itdr.vocabulary import Part

CountTokens = Callable[[Record], tuple[int, int]]
"""Returns the tokens of an example's prompt, and of prompt and answer together."""

PERCENTILES = (50, 90, 95, 99)

EDGES = tuple(round(8 * 2 ** (step / 3)) for step in range(37))
"""Limits of the bins of a histogram, in tokens: from 8 to 32,768, each 1.26 times the one before.

What is shorter or longer falls into the first or the last bin.
"""


@dataclass(frozen=True)
class Lengths:
    """Lengths of the examples of one cell in one model's tokens.

    Attributes:
        model, task, dataset: which.
        examples: how many, in all parts.
        prompt, whole: tokens of the prompt, and of prompt and answer, at PERCENTILES and at most.
        mean_prompt, mean_answer: mean tokens of the prompt and of the answer.
        histogram: examples by tokens of prompt and answer, in the bins of EDGES.
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
    mean_prompt: float
    mean_answer: float
    histogram: list[int]
    cut_off: int
    train_examples: int
    lost_examples: int
    lost_tokens: float


def measure_lengths(
    model: str, records: Sequence[Record], count: CountTokens, cut_off: int
) -> Lengths:
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
        mean_prompt=round(float(prompt.mean()), 2),
        mean_answer=round(float((whole - prompt).mean()), 2),
        histogram=_histogram(whole),
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


def _histogram(values: np.ndarray) -> list[int]:
    inside = np.clip(values, EDGES[0], EDGES[-1])
    return [int(count) for count in np.histogram(inside, bins=EDGES)[0]]
