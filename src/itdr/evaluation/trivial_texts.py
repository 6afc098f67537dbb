"""The trivial answers that are made of text: attributes, interests, groups of users."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from statistics import mean, median
from typing import Any

from itdr.errors import DataError
from itdr.vocabulary import Task

NUMERIC_ATTRIBUTES = frozenset({"age", "birth_year"})
"""The attributes that are scored by rmse in config/paper/results.csv."""

_NAME = re.compile(r"(?:^|,\s*)([a-z_]+):")
_FILLED_WORDS = 60


def majority(outputs: Sequence[str]) -> str:
    """Return "name:value, ..." with each attribute's most frequent value, or median if a number.

    Of values that are equally frequent the first in order of the alphabet is taken. Names keep the
    order in which the outputs bring them.

    Raises:
        DataError: no output holds an attribute.
    """
    values: dict[str, list[str]] = defaultdict(list)
    for output in outputs:
        for name, value in _pairs(output):
            values[name].append(value)
    if not values:
        raise DataError("baseline majority: no training output holds an attribute as name:value.")
    return ", ".join(f"{name}:{_middle(name, found)}" for name, found in values.items())


def frequent_text(outputs: Sequence[str]) -> str:
    """Return the most frequent text, of equally frequent ones the first by alphabet."""
    return _most_frequent([output.strip() for output in outputs])


def template_fill(row: Mapping[str, Any]) -> str:
    """Return one sentence around what the record shows.

    IR: the titles of the history, as liked where the rating is at least the mean of those shown and
    as disliked below it. TUI, and IR without history: the first 60 words of the input.
    """
    history = row["history"] or []
    if row["task"] == Task.IR and history:
        return _interests(history)
    start = " ".join(row["input"].split()[:_FILLED_WORDS])
    if row["task"] == Task.IR:
        return f"The user is interested in {start}."
    return f"This item suits users who are interested in {start}."


def _interests(history: Sequence[Mapping[str, Any]]) -> str:
    ratings = [item["rating"] for item in history if item["rating"] is not None]
    middle = mean(ratings) if ratings else 0.0
    disliked = [
        item["title"] for item in history if item["rating"] is not None and item["rating"] < middle
    ]
    liked = [item["title"] for item in history if item["title"] not in disliked]
    text = f"The user likes {', '.join(liked)}."
    return f"{text} The user does not like {', '.join(disliked)}." if disliked else text


def _pairs(output: str) -> list[tuple[str, str]]:
    matches = list(_NAME.finditer(output))
    ends = [*(match.start() for match in matches), len(output)][1:]
    return [
        (match[1], output[match.end() : end].strip())
        for match, end in zip(matches, ends, strict=True)
    ]


def _middle(name: str, values: Sequence[str]) -> str:
    if name not in NUMERIC_ATTRIBUTES:
        return _most_frequent(values)
    return f"{median(float(value) for value in values):g}"


def _most_frequent(values: Sequence[str]) -> str:
    counts = Counter(values)
    return min(counts, key=lambda value: (-counts[value], value))
