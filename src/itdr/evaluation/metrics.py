"""The paper's metrics on numbers, rankings and attributes: one value an example.

A cell's value is the mean of its examples' values; for the rmse metrics, whose examples hold
squared errors, it is the root of that mean. The metrics on texts are in `text_metrics`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import log2

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Metric:
    """The parts of a metric's id: ndcg@10 is ("ndcg", k=10), rmse:age is ("rmse", attribute)."""

    id: str
    family: str
    k: int = 0
    attribute: str = ""


def parse_metric(name: str) -> Metric:
    """Return the parts of an id that the task settings have let pass."""
    family, _, attribute = name.partition(":")
    if attribute:
        return Metric(name, family, attribute=attribute)
    ranked = re.fullmatch(r"([a-z]+)@(\d+)", name)
    if ranked:
        return Metric(name, ranked[1], k=int(ranked[2]))
    return Metric(name, name)


def squared_errors(predicted: Floats, true: Floats) -> Floats:
    """Return (predicted - true)^2 of every example; RMSE is the root of their mean.

    Source: Herlocker et al., Evaluating Collaborative Filtering Recommender Systems, 2004, 4.1.
    """
    errors: Floats = (predicted - true) ** 2
    return errors


def ndcg_at_k(hits: Sequence[bool], relevant: int, k: int) -> float:
    """Return DCG@k / IDCG@k with gain 1 for a true item and 0 for any other.

    DCG@k = sum over ranks i = 1..k of hit_i / log2(i + 1); IDCG@k is the DCG@k of a list that
    begins with all true items. A true item that was not ranked adds nothing.

    hits: whether the item at each rank is true; relevant: how many true items there are.
    Source: Jarvelin and Kekalainen, Cumulated Gain-Based Evaluation of IR Techniques, 2002.
    """
    if relevant == 0:
        return 0.0
    gained = sum(hit / log2(rank + 1) for rank, hit in enumerate(hits[:k], start=1))
    ideal = sum(1 / log2(rank + 1) for rank in range(1, min(relevant, k) + 1))
    return gained / ideal


def hit_at_k(hits: Sequence[bool], k: int) -> float:
    """Return HR@k: 1 when a true item is among the first k, else 0.

    Source: Deshpande and Karypis, Item-Based Top-N Recommendation Algorithms, 2004.
    """
    return float(any(hits[:k]))


def precision_at_k(hits: Sequence[bool], k: int) -> float:
    """Return Precision@k: the number of true items among the first k, divided by k.

    The divisor is k also for a list that is shorter. Source: Herlocker et al., 2004, 4.2.
    """
    return sum(hits[:k]) / k


def accuracy(same: bool) -> float:
    """Return 1 when the predicted value is the true one, else 0."""
    return float(same)


def hits_of(
    ranking: Sequence[int | None], candidates: Sequence[str], targets: Sequence[str]
) -> list[bool]:
    """Return for every rank whether its candidate is a positive.

    A title that stands among the targets once is true once, even if two candidates bear it.
    """
    left = list(targets)
    hits = []
    for position in ranking:
        title = candidates[position] if position is not None else None
        hits.append(title in left)
        if title is not None and title in left:
            left.remove(title)
    return hits
