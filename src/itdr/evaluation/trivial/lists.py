"""Candidates in an order that needs no model."""

from collections import Counter
from collections.abc import Callable, Collection

import numpy as np

from itdr.evaluation.trivial.core import Answerer, ItemFacts, Known, Record, TrivialAnswer
from itdr.instructions.choices import CANDIDATES
from itdr.registry import TRIVIAL_ANSWERS

_LISTS = ("ranked_list", "title")
_SCORED = (*_LISTS, "choice")


@TRIVIAL_ANSWERS.register(
    "random",
    TrivialAnswer,
    description="the candidates in random order",
    answers=_SCORED,
    choices=CANDIDATES,
    needs_train=False,
)
def _random(known: Known) -> Answerer:
    if known.task.answer == "choice":
        return lambda record, generator: _shares(record, lambda item: 0)
    return lambda record, generator: _ranked(known, record, lambda item: 0.0, generator)


@TRIVIAL_ANSWERS.register(
    "popularity",
    TrivialAnswer,
    description="by how often an item stands in training histories and targets",
    answers=_SCORED,
    choices=CANDIDATES,
)
def _popularity(known: Known) -> Answerer:
    times = Counter(
        item
        for record in known.train
        for item in [
            *(shown["item_id"] for shown in record["history"] or []),
            *(record["targets"] or []),
        ]
    )
    if known.task.answer == "choice":
        return lambda record, generator: _shares(record, lambda item: times[item])
    return lambda record, generator: _ranked(known, record, lambda item: times[item], generator)


@TRIVIAL_ANSWERS.register(
    "same-category",
    TrivialAnswer,
    description="by how many items of the history share the candidate's categories, a mean over "
    "these",
    answers=_LISTS,
    needs_train=False,
    needs_items=True,
)
def _same_category(known: Known) -> Answerer:
    nothing = ItemFacts()

    def categories(item: str) -> Collection[str]:
        return known.items.get(item, nothing).categories

    def answer(record: Record, generator: np.random.Generator) -> str:
        history = record["history"] or []
        liked = Counter(name for item in history for name in categories(item["item_id"]))

        def share(item: str) -> float:
            names = categories(item)
            return sum(liked[name] for name in names) / len(names) if names else 0.0

        return _ranked(known, record, share, generator)

    return answer


@TRIVIAL_ANSWERS.register(
    "not-newer",
    TrivialAnswer,
    description="candidates of at most the year after that of the newest item shown, then the "
    "others, each in random order",
    answers=_LISTS,
    needs_train=False,
    needs_items=True,
)
def _not_newer(known: Known) -> Answerer:
    nothing = ItemFacts()

    def answer(record: Record, generator: np.random.Generator) -> str:
        shown = [known.items.get(item["item_id"], nothing).year for item in record["history"] or []]
        newest = max((year for year in shown if year is not None), default=None)

        def fits(item: str) -> float:
            year = known.items.get(item, nothing).year
            return float(newest is None or year is None or year <= newest + 1)

        return _ranked(known, record, fits, generator)

    return answer


def _shares(record: Record, times: Callable[[str], int]) -> dict[str, float]:
    """Return each candidate's share of how often the candidates occur, each once more."""
    counts = {item["title"].strip(): times(item["item_id"]) + 1 for item in record["candidates"]}
    return {title: count / sum(counts.values()) for title, count in counts.items()}


def _ranked(
    known: Known, record: Record, score: Callable[[str], float], generator: np.random.Generator
) -> str:
    """Return the candidates by score, highest first, ties in random order; or the first alone."""
    candidates = record["candidates"]
    shuffled = generator.permutation(len(candidates))
    # Never the order shown: were it to give the truth away, this must not profit from it.
    order = sorted(shuffled, key=lambda at: -score(candidates[at]["item_id"]))
    titles = [candidates[at]["title"] for at in order]
    if known.task.answer == "title":
        return str(titles[0])
    return "\n".join(f"{place}. {title}" for place, title in enumerate(titles, start=1))
