"""Texts without a model: the most frequent one, and a sentence around what is shown."""

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any

from itdr.evaluation.trivial.core import Answerer, Known, Record, TrivialAnswer
from itdr.registry import TRIVIAL_ANSWERS

_FILLED_WORDS = 60


@TRIVIAL_ANSWERS.register(
    "frequent-text",
    TrivialAnswer,
    description="the most frequent training text, the first in order of the alphabet among equals",
    answers=("text",),
)
def _frequent_text(known: Known) -> Answerer:
    text = most_frequent([record["output"].strip() for record in known.train])
    return lambda record, generator: text


@TRIVIAL_ANSWERS.register(
    "template-fill",
    TrivialAnswer,
    description="one sentence around the titles shown or the beginning of the input",
    answers=("text",),
    needs_train=False,
)
def _template_fill(known: Known) -> Answerer:
    of_items = known.task.describes_items
    return lambda record, generator: template_fill(record, of_items)


def template_fill(record: Record, of_items: bool) -> str:
    """Return one sentence around what the record shows.

    The titles of the history, as liked where the rating is at least the mean of those shown and as
    disliked below it; without a history the first 60 words of the input. of_items: whether an item
    is described, and not a user.
    """
    history = record["history"] or []
    if history and not of_items:
        return _interests(history)
    start = " ".join(record["input"].split()[:_FILLED_WORDS])
    if of_items:
        return f"This item suits users who are interested in {start}."
    return f"The user is interested in {start}."


def _interests(history: Sequence[Mapping[str, Any]]) -> str:
    ratings = [item["rating"] for item in history if item["rating"] is not None]
    middle = mean(ratings) if ratings else 0.0
    disliked = [
        item["title"] for item in history if item["rating"] is not None and item["rating"] < middle
    ]
    liked = [item["title"] for item in history if item["title"] not in disliked]
    text = f"The user likes {', '.join(liked)}."
    return f"{text} The user does not like {', '.join(disliked)}." if disliked else text


def most_frequent(values: Sequence[str]) -> str:
    """Return the most frequent text, of equally frequent ones the first by alphabet."""
    counts = Counter(values)
    return min(counts, key=lambda value: (-counts[value], value))
