"""Our scores and the published values, as read from their files."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import isnan
from pathlib import Path
from typing import Any

import pandas as pd

from itdr.errors import DataError, MissingFileError
from itdr.evaluation.aggregates import aggregate
from itdr.files.checksums import check_sidecar
from itdr.settings.metric import lower_is_better
from itdr.settings.paper import TRIVIAL, Aggregate, Column, Paper

Key = tuple[str, str, str]
"""Task, dataset and metric: a row of a table."""

_SCORE_COLUMNS = ("task", "dataset", "reading", "metric", "value", "ci_low", "ci_high", "n",
                  "n_unreadable")  # fmt: skip
_PAPER_COLUMNS = ("table", "model", "variant", "task", "dataset", "metric", "value", "flag")


@dataclass(frozen=True)
class Score:
    """One of our values, read strictly: NaN where no answer counts.

    value, with its interval low to high, is in the paper's units. n: answers scored; n_unreadable:
    how many of them could not be read.
    """

    value: float
    low: float
    high: float
    n: int
    n_unreadable: int


@dataclass(frozen=True)
class Published:
    """One published value; flag says why it cannot be right as printed, or is empty."""

    value: float
    flag: str = ""


@dataclass(frozen=True)
class Results:
    """All values that tables and figures are made of.

    Attributes:
        published: column to row to published value, both in the paper's order.
        scores: column to row to our value; a column without any was asked for and is missing.
        published_aggregates: column to aggregate to its published value.
        formulas: the aggregates by name.
    """

    published: Mapping[Column, Mapping[Key, Published]] = field(default_factory=dict)
    published_aggregates: Mapping[Column, Mapping[str, float]] = field(default_factory=dict)
    scores: Mapping[Column, Mapping[Key, Score]] = field(default_factory=dict)
    formulas: Mapping[str, Aggregate] = field(default_factory=dict)

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
        added = [key for key in ours if key[:2] not in paper]
        return self._in_order([key for key in self._printed if key[:2] in cells] + added)

    @cached_property
    def all_rows(self) -> list[Key]:
        """The rows to show and the metrics of ours that the paper does not print."""
        ours = [key for cells in self.scores.values() for key in cells]
        return self._in_order([*self.rows, *ours])

    def best_trivial(self, key: Key) -> tuple[str, Score] | None:
        """Return the best answer that needs no model, with its name; None where there is none."""
        found = {
            variant: cells[key]
            for (model, variant), cells in self.scores.items()
            if model == TRIVIAL and key in cells and not isnan(cells[key].value)
        }
        if not found:
            return None
        sign = 1 if lower_is_better(key[2]) else -1
        return min(found.items(), key=lambda item: (sign * item[1].value, item[0]))

    @cached_property
    def aggregates(self) -> dict[Column, dict[str, tuple[float, str]]]:
        """Our aggregates of each column with a score, each with the terms it lacks."""
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
    ours = {_column(path): {} if incomplete and not path.is_file() else _scores(path)
            for path in scores}  # fmt: skip
    if paper.folder is None:
        return Results(scores=ours, formulas=paper.layout.aggregates)
    published: dict[Column, dict[Key, Published]] = {}
    for row in _read(paper.folder / "results.csv", _PAPER_COLUMNS):
        cells = published.setdefault((row["model"], row["variant"]), {})
        flag = row["flag"] if isinstance(row["flag"], str) else ""
        cells[row["task"], row["dataset"], row["metric"]] = Published(row["value"], flag)
    names = tuple(paper.layout.aggregates)
    aggregates = _read(paper.folder / "aggregates.csv", ("model", "variant", *names))
    return Results(
        published,
        {(row["model"], row["variant"]): {name: row[name] for name in names}
         for row in aggregates},
        ours,
        paper.layout.aggregates,
    )  # fmt: skip


def read_table(path: Path, columns: Sequence[str], made_by: str) -> list[dict[str, Any]]:
    """Return the rows of a CSV file that must have some columns; an empty field is NaN.

    Raises:
        MissingFileError, DataError: it is not there, is no CSV, is damaged or lacks a column.
    """
    if not path.is_file():
        raise MissingFileError(f"{path}: no such file. {made_by}")
    check_sidecar(path)
    try:
        frame = pd.read_csv(path)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as CSV ({error}). {made_by}") from error
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise DataError(
            f"{path}: no column {missing[0]!r}; found {', '.join(frame.columns)}; "
            f"needed {', '.join(columns)}. {made_by}"
        )
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _read(path: Path, columns: Sequence[str]) -> list[dict[str, Any]]:
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


def _scores(path: Path) -> dict[Key, Score]:
    scores: dict[Key, Score] = {}
    for row in read_table(path, _SCORE_COLUMNS, "Run 'itdr score' first."):
        if row["reading"] == "strict":
            key = (row["task"], row["dataset"], row["metric"])
            scores[key] = Score(row["value"], row["ci_low"], row["ci_high"], int(row["n"]),
                                int(row["n_unreadable"]))  # fmt: skip
    return scores


def _aggregates(
    cells: Mapping[Key, Score], formulas: Mapping[str, Aggregate]
) -> dict[str, tuple[float, str]]:
    frame = pd.DataFrame(
        [(*key, score.value) for key, score in cells.items()],
        columns=["task", "dataset", "metric", "value"],
    )
    found = aggregate(frame, formulas).to_dict("records")
    return {row["aggregate"]: (float(row["value"]), str(row["missing"])) for row in found}
