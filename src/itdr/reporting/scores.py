"""Our scores as read from a file of `itdr score`, strict and lenient reading together."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import isnan, nan, sqrt
from pathlib import Path
from typing import Any

from itdr.errors import DataError, SettingsError
from itdr.reporting.tables import Columns, read_table
from itdr.settings.metric import judging_metric, parse_metric

Key = tuple[str, str, str]
"""Task, dataset and metric: a row of a table."""

FAULTS = {"missing": "miss candidates", "duplicated": "repeat some", "out_of_list": "name others"}
"""What can be wrong with a list, and how it is said."""

_COLUMNS = Columns(
    texts=("task", "dataset", "reading", "metric"),
    numbers=("value", "ci_low", "ci_high"),
    counts=("n", "n_unreadable"),
)
_AGAIN = "Is it a file of 'itdr score'? Name one, or run that again."


@dataclass(frozen=True)
class Score:
    """One of our values, read strictly: NaN where no answer counts.

    Attributes:
        value, low, high: with its interval, in the units of the metric.
        n, n_unreadable: answers scored, and how many of them could not be read.
        midpoint: where unreadable answers are left out of the value, the value that has the middle
            of the scale in their place; None where they count.
        lenient: the same answers read leniently; None in that itself.
        faults: of lists, the share with each of FAULTS; empty for other answers.
        signature: package, version and choices of a metric of texts.
        protocol: how examples were made and answered, in words.
    """

    value: float
    low: float
    high: float
    n: int
    n_unreadable: int
    midpoint: float | None = None
    lenient: "Score | None" = None
    faults: Mapping[str, float] = field(default_factory=dict)
    signature: str = ""
    protocol: str = ""

    @property
    def judged(self) -> float:
        """The value that says which is better: nothing is won by not answering."""
        return self.value if self.midpoint is None else self.midpoint

    @property
    def hardly_read(self) -> bool:
        """Whether fewer than half of the answers could be read."""
        return 2 * self.n_unreadable > self.n

    def holds(self, published: float, published_n: int) -> bool | None:
        """Say whether a published value lies where a replication's would lie.

        The interval is widened by the noise of the published value itself, which was taken over
        `published_n` examples of the same kind. None where there is no interval.
        """
        if isnan(self.low):
            return None
        wider = sqrt(1 + self.n / published_n)
        low = self.value - wider * (self.value - self.low)
        return low <= published <= self.value + wider * (self.high - self.value)


def read_scores(path: Path) -> dict[Key, Score]:
    """Return the scores of one model and variant.

    Raises:
        MissingFileError, DataError: the file is not there or not one of `itdr score`.
    """
    found: dict[str, dict[Key, Score]] = {"strict": {}, "lenient": {}}
    for number, row in enumerate(read_table(path, _COLUMNS, _AGAIN), start=2):
        if row["reading"] not in found:
            raise DataError(
                f"{path}: line {number}: the reading is {row['reading']!r}; strict or lenient is "
                f"needed. {_AGAIN}"
            )
        try:
            parse_metric(row["metric"])
        except SettingsError as error:
            raise DataError(f"{path}: line {number}: {error}. {_AGAIN}") from error
        found[row["reading"]][row["task"], row["dataset"], row["metric"]] = _score(row)
    lenient = {key: _with_midpoint(key, found["lenient"]) for key in found["lenient"]}
    return {
        key: replace(_with_midpoint(key, found["strict"]), lenient=lenient.get(key))
        for key in found["strict"]
    }


def _with_midpoint(key: Key, scores: Mapping[Key, Score]) -> Score:
    name = judging_metric(key[2])
    other = scores.get((*key[:2], name)) if name != key[2] else None
    return replace(scores[key], midpoint=other.value) if other else scores[key]


def _score(row: Mapping[str, Any]) -> Score:
    rates = {name: row.get(f"rate_{name}", nan) for name in FAULTS}
    faults = {name: rate if isinstance(rate, float) else nan for name, rate in rates.items()}
    return Score(
        row["value"],
        row["ci_low"],
        row["ci_high"],
        row["n"],
        row["n_unreadable"],
        faults={name: rate for name, rate in faults.items() if not isnan(rate)},
        signature=_text(row.get("signature")),
        protocol=_text(row.get("protocol")),
    )


def _text(field: Any) -> str:
    return field if isinstance(field, str) else ""
