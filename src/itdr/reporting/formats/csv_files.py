"""Result tables as CSV: long for programs, wide in the paper's shape."""

import csv
from collections.abc import Iterable, Sequence
from math import isnan
from pathlib import Path

from itdr.files.atomic import atomic_file
from itdr.instructions.protocol import origins
from itdr.rendering.plain import in_csv
from itdr.reporting.grid import Cell, Grid
from itdr.reporting.results import Results
from itdr.reporting.scores import Score
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
    "data",
)
"""Columns of a long table, one row per value.

table, model, variant, task, dataset, metric: as in a paper's results.csv; the model is "trivial"
for baselines, which are trivial answers and recommenders. value with its interval ci_low to
ci_high: strict reading, in the paper's units. n: answers scored, empty where the cell is missing;
n_unreadable: how many of them could not be read. paper_value: as published, empty where the paper
has none and beside simulated data. data: real, simulated or released; empty where the predictions
do not say.
"""

COMPARED = (
    *COLUMNS,
    "rate_unreadable",
    "judged",
    "lenient_value",
    "lenient_ci_low",
    "lenient_ci_high",
    "lenient_n_unreadable",
    "rate_missing",
    "rate_duplicated",
    "rate_out_of_list",
    "difference",
    "inside",
    "best",
    "group",
    "beats_baseline",
    "baseline_p",
    "baseline_p_holm",
    "baseline_p_bh",
    "signature",
    "flag",
)
"""COLUMNS and, of each value, what can be said about it.

rate_unreadable: n_unreadable / n. judged: the value that `best` and `beats_baseline` go by: that of
rmse-midpoint for rmse. lenient_...: the same answers read leniently. rate_missing, rate_duplicated,
rate_out_of_list: share of the lists that miss, repeat or invent candidates. difference: value -
paper_value. inside: whether paper_value lies where that of a replication would, our interval
widened by the noise of the published value. best: whether no other model or variant of the table is
better. group: letters; columns that share one cannot be told apart. beats_baseline: whether it is
better than every baseline, by a corrected test where columns were compared. baseline_p,
baseline_p_holm, baseline_p_bh: p-values of the difference from the best baseline.
signature: package, version and choices of a metric of texts. flag: why the published value cannot
be right as printed. Yes and no are 1 and 0; what cannot be said is empty.
"""

Field = str | int


def write_long(path: Path, grid: Grid, results: Results) -> None:
    """Write a table with COLUMNS; numbers have six decimals.

    `grid` should hold the unprinted rows too. The baselines follow each row's columns.
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
    baselines = [column for column in results.scores if column[0] == TRIVIAL]
    for row in grid.rows:
        for column, cell in zip(grid.columns, row.cells, strict=True):
            printed = cell.published is not None
            if cell.score or printed or row.key in results.rows:
                known = cell.score is not None and row.baseline is not None
                judged = int(not cell.below_baseline) if known else ""
                best = int(cell.best if grid.is_run else cell.best_published)
                yield [grid.name, *column, *row.key, *_values(cell), best, cell.group, judged,
                       *_p_values(cell), *_origin(cell)]  # fmt: skip
        for column in baselines:
            score = results.scores[column].get(row.key)
            if score and grid.columns:
                cell = Cell(score, None)
                yield [grid.name, *column, *row.key, *_values(cell), 0, "", "", *_p_values(cell),
                       *_origin(cell)]  # fmt: skip


def _values(cell: Cell) -> list[Field]:
    """Return the fields from value to inside."""
    score = cell.score
    lenient = score.lenient if score else None
    inside = "" if cell.inside is None else int(cell.inside)
    faults = [_number(score.faults.get(name) if score else None)
              for name in ("missing", "duplicated", "out_of_list")]  # fmt: skip
    judged = _number(score.judged if score else None)
    return [*_score(score), _paper(cell), _data(score), _rate(score), judged, *_interval(lenient),
            "" if lenient is None else lenient.n_unreadable, *faults,
            _number(cell.difference), inside]  # fmt: skip


def _p_values(cell: Cell) -> list[Field]:
    pair = cell.against_baseline
    return [f"{p:.3g}" for p in (pair.p_value, pair.p_holm, pair.p_bh)] if pair else [""] * 3


def _origin(cell: Cell) -> list[Field]:
    return [cell.score.signature if cell.score else "",
            cell.published.flag if cell.published else ""]  # fmt: skip


def _data(score: Score | None) -> str:
    """Return where the examples of a score come from."""
    return " ".join(sorted(origins(score.protocol))) if score else ""


def _score(score: Score | None) -> list[Field]:
    counts = [score.n, score.n_unreadable] if score else ["", ""]
    return [*_interval(score), *counts]


def _interval(score: Score | None) -> list[Field]:
    return [_number(value) for value in (score.value, score.low, score.high)] if score else [""] * 3


def _rate(score: Score | None) -> str:
    return _number(score.n_unreadable / score.n if score and score.n else None)


def _paper(cell: Cell) -> str:
    return _number(cell.published.value if cell.published else None)


def _number(value: float | None) -> str:
    return "" if value is None or isnan(value) else f"{value:.6f}"
