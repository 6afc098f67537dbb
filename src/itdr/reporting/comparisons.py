"""Which columns of a table can be told apart, as read from a file of `itdr compare`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan
from pathlib import Path

from scipy.stats import norm

from itdr.evaluation.paired import letters
from itdr.reporting.scores import Key
from itdr.reporting.tables import Columns, read_table
from itdr.settings.metric import judging_metric
from itdr.settings.paper import Column

LEVEL = 0.05
POWER = 0.8

_COLUMNS = Columns(
    texts=("task", "dataset", "reading", "metric", "first", "second"),
    numbers=("difference", "ci_low", "ci_high", "p_value", "p_holm", "p_bh"),
    counts=("n",),
    others=("better",),
)


@dataclass(frozen=True)
class Pair:
    """How two columns differ: second less first, with p-values as in `itdr compare`.

    better: the column that is better by p_bh; None where they cannot be told apart.
    """

    difference: float
    low: float
    high: float
    p_value: float
    p_holm: float
    p_bh: float
    better: Column | None

    @property
    def detectable(self) -> float:
        """The least difference that so many examples, spread like these, show with POWER."""
        return detectable((self.high - self.low) / (2 * norm.ppf(1 - LEVEL / 2)))


@dataclass(frozen=True)
class Comparisons:
    """All pairs of a table's columns, baselines among them, read strictly."""

    pairs: Mapping[tuple[Key, frozenset[Column]], Pair] = field(default_factory=dict)

    def pair(self, key: Key, first: Column, second: Column) -> Pair | None:
        """Return how two columns differ in a row; None where they were not compared."""
        task, dataset, metric = key
        return self.pairs.get(((task, dataset, judging_metric(metric)), frozenset((first, second))))

    def beats(self, key: Key, column: Column, others: Iterable[Column]) -> bool | None:
        """Say whether a column is better than each of the others; None where one is not known."""
        found = [self.pair(key, column, other) for other in others]
        if not found or any(pair is None for pair in found):
            return None
        return all(pair is not None and pair.better == column for pair in found)

    def letters(self, key: Key, columns: Sequence[Column]) -> dict[Column, str]:
        """Return letters of columns, best first; those that share one cannot be told apart."""
        names = {"/".join(column): column for column in columns}
        apart = {}
        for at, first in enumerate(columns):
            for second in columns[at + 1 :]:
                pair = self.pair(key, first, second)
                if pair is None:
                    return {}
                apart[frozenset(("/".join(first), "/".join(second)))] = pair.better is not None
        return {names[name]: given for name, given in letters(list(names), apart).items()}


NOTHING_COMPARED = Comparisons()


def detectable(standard_error: float) -> float:
    """Return the least difference that is found at LEVEL with POWER."""
    return float((norm.ppf(1 - LEVEL / 2) + norm.ppf(POWER)) * standard_error)


def load_comparisons(path: Path) -> Comparisons:
    """Return what a file of `itdr compare` says of strict reading.

    Raises:
        MissingFileError, DataError: the file is not there or not one of `itdr compare`.
    """
    pairs = {}
    for row in read_table(path, _COLUMNS, "Run 'itdr compare' first."):
        if row["reading"] != "strict" or isnan(row["p_value"]):
            continue
        key = (row["task"], row["dataset"], row["metric"])
        better = row["better"] if isinstance(row["better"], str) else ""
        pairs[key, frozenset((_column(row["first"]), _column(row["second"])))] = Pair(
            row["difference"], row["ci_low"], row["ci_high"], row["p_value"], row["p_holm"],
            row["p_bh"], _column(better) if better else None,
        )  # fmt: skip
    return Comparisons(pairs)


def _column(name: str) -> Column:
    model, _, variant = name.partition("/")
    return model, variant
