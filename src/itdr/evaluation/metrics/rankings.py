"""Metrics of ranked lists: where the positives stand. A chosen title is a ranking of one.

Choices are ranked by their likelihoods. What stands at a rank that several equally likely ones
share is a positive to the share of these that are: the mean over their orders.
"""

from collections.abc import Sequence
from math import log2

from itdr.evaluation.answers import ParsedAnswer
from itdr.evaluation.kinds.core import Example
from itdr.evaluation.likelihoods import scores_of
from itdr.evaluation.metrics.scorers import Scorers
from itdr.registry import METRICS
from itdr.settings.metric import Metric, MetricKind

_RANKED = ("ranked_list", "title")
_WITH_CHOICES = (*_RANKED, "choice")


def ndcg_at_k(hits: Sequence[float], relevant: int, k: int) -> float:
    """Return DCG@k / IDCG@k with gain 1 for a positive and 0 for any other.

    DCG@k = sum over ranks i = 1..k of hit_i / log2(i + 1); IDCG@k is the DCG@k of a list that
    begins with all positives. A positive that was not ranked adds nothing.

    hits: whether the item at each rank is a positive, 0 to 1; relevant: how many positives.
    Source: Jarvelin and Kekalainen, Cumulated Gain-Based Evaluation of IR Techniques, 2002.
    """
    if relevant == 0:
        return 0.0
    gained = sum(hit / log2(rank + 1) for rank, hit in enumerate(hits[:k], start=1))
    ideal = sum(1 / log2(rank + 1) for rank in range(1, min(relevant, k) + 1))
    return gained / ideal


def hit_at_k(hits: Sequence[float], k: int) -> float:
    """Return HR@k: 1 when a positive is among the first k, else 0.

    Source: Deshpande and Karypis, Item-Based Top-N Recommendation Algorithms, 2004.
    """
    return min(1.0, float(sum(hits[:k])))


def precision_at_k(hits: Sequence[bool], k: int) -> float:
    """Return Precision@k: the number of positives among the first k, divided by k.

    The divisor is k also for a list that is shorter. Source: Herlocker et al., 2004, 4.2.
    """
    return sum(hits[:k]) / k


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


def hits_of_scores(scores: Sequence[float], positive: int) -> list[float]:
    """Return for every rank by score, the highest first, the chance that the positive has it.

    positive: its place among the scores. Those with its score come in any order.
    """
    own = scores[positive]
    above = sum(score > own for score in scores)
    alike = sum(score == own for score in scores)
    return [0.0] * above + [1 / alike] * alike + [0.0] * (len(scores) - above - alike)


@METRICS.register(
    "ndcg",
    MetricKind,
    title="NDCG",
    reads=_WITH_CHOICES,
    reference="Jarvelin and Kekalainen, Cumulated Gain-Based Evaluation of IR Techniques, 2002",
)
def _ndcg(answer: ParsedAnswer, example: Example, metric: Metric, scorers: Scorers) -> float:
    return ndcg_at_k(_hits(answer, example, metric), _positives(example), metric.k)


@METRICS.register(
    "hit",
    MetricKind,
    title="HR",
    reads=_WITH_CHOICES,
    reference="Deshpande and Karypis, Item-Based Top-N Recommendation Algorithms, 2004",
)
def _hit(answer: ParsedAnswer, example: Example, metric: Metric, scorers: Scorers) -> float:
    return hit_at_k(_hits(answer, example, metric), metric.k)


@METRICS.register(
    "precision",
    MetricKind,
    title="Precision",
    reads=_RANKED,
    reference="Herlocker et al., Evaluating Collaborative Filtering Recommender Systems, 2004, 4.2",
)
def _precision(answer: ParsedAnswer, example: Example, metric: Metric, scorers: Scorers) -> float:
    return precision_at_k(hits_of(answer.ranking, example.form.candidates, example.truth), metric.k)


def _hits(answer: ParsedAnswer, example: Example, metric: Metric) -> list[float]:
    if example.form.kind == "choice":
        right = example.form.candidates.index(example.truth)
        return hits_of_scores(scores_of(answer, example, metric), right)
    return list(map(float, hits_of(answer.ranking, example.form.candidates, example.truth)))


def _positives(example: Example) -> int:
    return 1 if example.form.kind == "choice" else len(example.truth)
