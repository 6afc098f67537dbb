"""Attributes without a model: what most users are."""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from statistics import median

from itdr.errors import DataError
from itdr.evaluation.trivial.core import Answerer, Known, TrivialAnswer
from itdr.evaluation.trivial.texts import most_frequent
from itdr.registry import TRIVIAL_ANSWERS

_NAME = re.compile(r"(?:^|,\s*)([a-z_]+):")


@TRIVIAL_ANSWERS.register(
    "majority",
    TrivialAnswer,
    description="the most frequent value of each attribute, the median of those that are numbers",
    answers=("attributes",),
)
def _majority(known: Known) -> Answerer:
    numeric = known.task.of(known.dataset).ranges
    text = majority([record["output"] for record in known.train], numeric)
    return lambda record, generator: text


def majority(outputs: Sequence[str], numeric: Collection[str]) -> str:
    """Return "name:value, ..." with each attribute's most frequent value, or median if numeric.

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
        raise DataError(
            "trivial answer majority: no training output holds an attribute as name:value."
        )
    return ", ".join(
        f"{name}:{_median(found) if name in numeric else most_frequent(found)}"
        for name, found in values.items()
    )


def _median(values: Sequence[str]) -> str:
    return f"{median(float(value) for value in values):g}"


def _pairs(output: str) -> list[tuple[str, str]]:
    matches = list(_NAME.finditer(output))
    ends = [*(match.start() for match in matches), len(output)][1:]
    return [
        (match[1], output[match.end() : end].strip())
        for match, end in zip(matches, ends, strict=True)
    ]
