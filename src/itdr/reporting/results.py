"""Our scores and the published values, as read from their files."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import isnan, nan
from pathlib import Path
from typing import Any

import pandas as pd

from itdr.errors import DataError
from itdr.evaluation.aggregates import aggregate
from itdr.instructions.protocol import origins
from itdr.reporting.origins import Origins, Place
from itdr.reporting.scores import Key, Score, read_scores
from itdr.reporting.tables import Columns, read_table
from itdr.settings.metric import REPAIRED, lower_is_better
from itdr.settings.paper import TRIVIAL, Aggregate, Column, Paper
from itdr.vocabulary import Origin

EVALUATED_ROWS = 250
"""Examples that a published value was taken over where nothing tells: as many as elsewhere."""

_PAPER_COLUMNS = Columns(
    texts=("table", "model", "variant", "task", "dataset", "metric"),
    numbers=("value",),
    others=("flag",),
)


@dataclass(frozen=True)
class Published:
    """One published value; flag says why it cannot be right as printed, or is empty."""

    value: float
    flag: str = ""


@dataclass(frozen=True)
class Total:
    """One of our aggregates with its interval; NaN where terms are missing, which are named."""

    value: float = nan
    low: float = nan
    high: float = nan
    missing: str = ""


@dataclass(frozen=True)
class Results:
    """All values that tables and figures are made of.

    Attributes:
        published: column to row to published value, both in the paper's order.
        scores: column to row to our value; a column without any was asked for and is missing.
        published_aggregates: column to aggregate to its published value.
        formulas: the aggregates by name.
        evaluated_rows: task and dataset to the examples of the published values, where it is known.
    """

    published: Mapping[Column, Mapping[Key, Published]] = field(default_factory=dict)
    published_aggregates: Mapping[Column, Mapping[str, float]] = field(default_factory=dict)
    scores: Mapping[Column, Mapping[Key, Score]] = field(default_factory=dict)
    formulas: Mapping[str, Aggregate] = field(default_factory=dict)
    evaluated_rows: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @cached_property
    def origins(self) -> Origins:
        """Where the examples of our scores come from."""
        found: dict[Place, frozenset[Origin]] = {}
        for cells in self.scores.values():
            for key, score in cells.items():
                found[key[:2]] = found.get(key[:2], frozenset()) | origins(score.protocol)
        return Origins(found)

    @cached_property
    def beside(self) -> Mapping[Column, Mapping[Key, Published]]:
        """The published values that may stand beside ours."""
        kept = {column: {key: value for key, value in cells.items()
                         if self.origins.comparable(key[:2])}
                for column, cells in self.published.items()}  # fmt: skip
        return {column: cells for column, cells in kept.items() if cells}

    @property
    def aggregates_beside(self) -> Mapping[Column, Mapping[str, float]]:
        """The published aggregates that may stand beside ours: none beside simulated cells."""
        return {} if self.origins.simulated else self.published_aggregates

    def published_n(self, key: Key) -> int:
        """Return how many examples the published values of a row were taken over."""
        return self.evaluated_rows.get(key[:2], EVALUATED_ROWS)

    @property
    def is_run(self) -> bool:
        """Whether there is anything of ours."""
        return bool(self.scores)

    @property
    def columns(self) -> list[Column]:
        """The columns to show: those of the run, or the published ones where there is none."""
        return [column for column in (self.scores or self.published) if column[0] != TRIVIAL]

    @cached_property
    def rows(self) -> list[Key]:
        """The rows to show, in the paper's order: of a run, those of the cells that it answered."""
        ours = dict.fromkeys(key for cells in self.scores.values() for key in cells)
        if not ours:
            return self._printed
        cells, paper = {key[:2] for key in ours}, {key[:2] for key in self._printed}
        added = [key for key in ours if key[:2] not in paper or key[2].endswith(REPAIRED)]
        return self._in_order([key for key in self._printed if key[:2] in cells] + added)

    @cached_property
    def all_rows(self) -> list[Key]:
        """The rows to show and the metrics of ours that the paper does not print."""
        ours = [key for cells in self.scores.values() for key in cells]
        return self._in_order([*self.rows, *ours])

    def baselines(self, key: Key) -> dict[str, Score]:
        """Return the scores of trivial answers and recommenders in a row, by name."""
        return {
            variant: cells[key]
            for (model, variant), cells in self.scores.items()
            if model == TRIVIAL and key in cells and not isnan(cells[key].judged)
        }

    def best_baseline(self, key: Key) -> tuple[str, Score] | None:
        """Return the best baseline, with its name; None where there is none."""
        found = self.baselines(key)
        if not found:
            return None
        sign = 1 if lower_is_better(key[2]) else -1
        return min(found.items(), key=lambda item: (sign * item[1].judged, item[0]))

    @cached_property
    def aggregates(self) -> dict[Column, dict[str, Total]]:
        """Our aggregates of each column with a score."""
        return {column: _aggregates(cells, self.formulas) for column, cells in self.scores.items()
                if cells and column[0] != TRIVIAL}  # fmt: skip

    @cached_property
    def _printed(self) -> list[Key]:
        return list(dict.fromkeys(key for cells in self.published.values() for key in cells))

    @cached_property
    def tasks(self) -> list[str]:
        """The tasks in the order of all tables: as the paper prints them, then as we score them."""
        ours = [key[0] for cells in self.scores.values() for key in cells]
        return list(dict.fromkeys([*(key[0] for key in self._printed), *ours]))

    def _in_order(self, keys: Iterable[Key]) -> list[Key]:
        """Order rows by task, then as the paper orders its datasets; metrics keep their order."""
        pairs = list(dict.fromkeys(key[:2] for key in (*self._printed, *keys)))
        return sorted(
            dict.fromkeys(keys), key=lambda key: (self.tasks.index(key[0]), pairs.index(key[:2]))
        )


def load_results(paper: Paper, scores: Sequence[Path] = (), *, incomplete: bool = False) -> Results:
    """Return what a paper's folder and score files hold.

    scores: files laid out as MODEL/VARIANT/SEED.csv. incomplete: a file that is not there is a
    column without scores, not an error.

    Raises:
        MissingFileError, DataError: a file is not there or lacks a column.
    """
    ours = {_column(path): {} if incomplete and not path.is_file() else read_scores(path)
            for path in scores}  # fmt: skip
    if paper.folder is None:
        return Results(scores=ours, formulas=paper.layout.aggregates)
    published: dict[Column, dict[Key, Published]] = {}
    for row in _read(paper.folder / "results.csv", _PAPER_COLUMNS):
        cells = published.setdefault((row["model"], row["variant"]), {})
        flag = row["flag"] if isinstance(row["flag"], str) else ""
        cells[row["task"], row["dataset"], row["metric"]] = Published(row["value"], flag)
    names = tuple(paper.layout.aggregates)
    columns = Columns(texts=("model", "variant"), numbers=names)
    totals = {
        (row["model"], row["variant"]): {name: row[name] for name in names}
        for row in _read(paper.folder / "aggregates.csv", columns)
    }
    for model, variant in ours:
        theirs = (model, paper.layout.published_as.get(variant, variant))
        if theirs in published:
            published[model, variant] = published[theirs]
        if theirs in totals:
            totals[model, variant] = totals[theirs]
    evaluated = Columns(texts=("task", "dataset"), numbers=("evaluated_rows",))
    return Results(
        published,
        totals,
        ours,
        paper.layout.aggregates,
        {(row["task"], row["dataset"]): int(row["evaluated_rows"])
         for row in _read(paper.folder / "statistics.csv", evaluated)
         if not isnan(row["evaluated_rows"])},
    )  # fmt: skip


def _read(path: Path, columns: Columns) -> list[dict[str, Any]]:
    return read_table(path, columns, "It is part of the repository: take it from there again.")


def _column(path: Path) -> Column:
    """Return the model and the variant that a file of scores is of."""
    places = path.absolute().parts[1:]
    if len(places) < 3 or path.suffix != ".csv":
        raise DataError(
            f"{path}: of which model and variant? Scores are laid out as MODEL/VARIANT/SEED.csv, "
            "as the workflow does."
        )
    return places[-3], places[-2]


def _aggregates(cells: Mapping[Key, Score], formulas: Mapping[str, Aggregate]) -> dict[str, Total]:
    frame = pd.DataFrame(
        [(*key, score.value, score.low, score.high) for key, score in cells.items()],
        columns=["task", "dataset", "metric", "value", "ci_low", "ci_high"],
    )
    return {
        row["aggregate"]: Total(row["value"], row["ci_low"], row["ci_high"], row["missing"])
        for row in aggregate(frame, formulas).to_dict("records")
    }
