"""Result tables as CSV: long for programs, wide in the paper's shape."""

import csv
from collections.abc import Iterable, Sequence
from math import isnan
from pathlib import Path

from itdr.files.atomic import atomic_file
from itdr.rendering.plain import in_csv
from itdr.reporting.grid import Cell, Grid
from itdr.reporting.results import Results, Score
from itdr.settings.paper import TRIVIAL

COLUMNS = (
    "table",
    "model",
    "variant",
    "task",
    "dataset",
    "metric",
    "value",
    "ci_low",
    "ci_high",
    "n",
    "n_unreadable",
    "paper_value",
)
"""Columns of a long table, one row per value.

table, model, variant, task, dataset, metric: as in a paper's results.csv; the model is "trivial"
for answers that need no model. value with its interval ci_low to ci_high: strict reading, in the
paper's units. n: answers scored, empty where the cell is missing; n_unreadable: how many of them
could not be read. paper_value: as published, empty where the paper has none.
"""

COMPARED = (*COLUMNS, "rate_unreadable", "difference", "inside", "best", "beats_trivial", "flag")
"""COLUMNS and, of each value, what can be said about it.

rate_unreadable: n_unreadable / n. difference: value - paper_value. inside: whether paper_value lies
from ci_low to ci_high. best: whether no other model or variant of the table is better.
beats_trivial: whether it is better than every answer that needs no model. flag: why the published
value cannot be right as printed. Yes and no are 1 and 0; what cannot be said is empty.
"""

Field = str | int


def write_long(path: Path, grid: Grid, results: Results) -> None:
    """Write a table with COLUMNS; numbers have six decimals.

    `grid` should hold the unprinted rows too. The trivial answers follow each row's columns.
    """
    rows = [fields[: len(COLUMNS)] for fields in _long(grid, results)]
    write_rows(path, COLUMNS, rows)


def write_compared(path: Path, grid: Grid, results: Results) -> None:
    """Write a table with COMPARED; numbers have six decimals."""
    write_rows(path, COMPARED, _long(grid, results))


def write_wide(path: Path, grid: Grid) -> None:
    """Write a table in the paper's shape: a row per metric, a column per model and variant.

    The column MODEL/VARIANT holds our value, or without a run the published one; in a run
    MODEL/VARIANT/paper stands beside it.
    """
    heads = [f"{model}/{variant}" for model, variant in grid.columns]
    if grid.is_run:
        heads = [name for head in heads for name in (head, f"{head}/paper")]
    rows = []
    for row in grid.rows:
        fields: list[Field] = []
        for cell in row.cells:
            fields += [_number(cell.score.value if cell.score else None)] if grid.is_run else []
            fields.append(_paper(cell))
        rows.append([*row.key, *fields])
    write_rows(path, ["task", "dataset", "metric", *heads], rows)


def write_rows(path: Path, heads: Sequence[str], rows: Iterable[Sequence[Field]]) -> None:
    """Write a CSV file; it appears whole or not at all."""
    with atomic_file(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(map(in_csv, heads))
        writer.writerows([in_csv(f) if isinstance(f, str) else f for f in row] for row in rows)


def _long(grid: Grid, results: Results) -> Iterable[list[Field]]:
    trivial = [column for column in results.scores if column[0] == TRIVIAL]
    for row in grid.rows:
        for column, cell in zip(grid.columns, row.cells, strict=True):
            printed = cell.published is not None
            if cell.score or printed or row.key in results.rows:
                judged = "" if cell.score is None or row.trivial is None else int(not cell.trivial)
                yield [grid.name, *column, *row.key, *_said(cell, grid), judged, _flag(cell)]
        for column in trivial:
            score = results.scores[column].get(row.key)
            if score and grid.columns:
                cell = Cell(score, None)
                yield [grid.name, *column, *row.key, *_said(cell, grid), "", ""]


def _said(cell: Cell, grid: Grid) -> list[Field]:
    inside = "" if cell.inside is None else int(cell.inside)
    best = cell.best if grid.is_run else cell.best_published
    return [*_score(cell.score), _paper(cell), _rate(cell.score), _number(cell.difference),
            inside, int(best)]  # fmt: skip


def _score(score: Score | None) -> list[Field]:
    if score is None:
        return [""] * 5
    return [_number(score.value), _number(score.low), _number(score.high), score.n,
            score.n_unreadable]  # fmt: skip


def _rate(score: Score | None) -> str:
    return _number(score.n_unreadable / score.n if score and score.n else None)


def _paper(cell: Cell) -> str:
    return _number(cell.published.value if cell.published else None)


def _flag(cell: Cell) -> str:
    return cell.published.flag if cell.published else ""


def _number(value: float | None) -> str:
    return "" if value is None or isnan(value) else f"{value:.6f}"
