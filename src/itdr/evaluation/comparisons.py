"""Every two columns of a table on the same examples, with p-values corrected for their number."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from itdr.errors import DataError, SettingsError
from itdr.evaluation.answers import Reading
from itdr.evaluation.cells import CellScores, score_cell
from itdr.evaluation.paired import Comparison, benjamini_hochberg, compare, holm
from itdr.evaluation.predictions import Cell, check_same_cells, read_cells
from itdr.evaluation.score import cell_resampling, users_of
from itdr.evaluation.text_metrics import TextScorer
from itdr.evaluation.uncertainty import Floats, Ints
from itdr.settings.metric import lower_is_better
from itdr.settings.paper import TRIVIAL
from itdr.settings.scoring import ScoringSettings

COMPARISON_COLUMNS = (
    "task",
    "dataset",
    "reading",
    "metric",
    "first",
    "second",
    "first_value",
    "second_value",
    "difference",
    "ci_low",
    "ci_high",
    "p_value",
    "p_holm",
    "p_bh",
    "better",
    "n",
)
"""One row per cell, reading, metric and pair of files that answer the cell.

first, second: MODEL/VARIANT of the two files. first_value, second_value: over the n examples that
    count for both. difference: second less first, with its interval ci_low to ci_high.
p_value: two-sided, by swapping. p_holm, p_bh: corrected, by Holm and by Benjamini and Hochberg, for
    all rows of the same reading. better: the column that is better by p_bh, or empty.
Two answers that need no model are not compared with each other.
"""

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class _Row:
    """One metric of a cell under one reading, of all files that answer the cell."""

    scores: CellScores
    metric: str
    root: bool
    names: list[str]
    values: Floats

    @property
    def pairs(self) -> Pairs:
        return [
            pair
            for pair in combinations(self.names, 2)
            if not all(name.startswith(f"{TRIVIAL}/") for name in pair)
        ]


def column_names(files: Sequence[Path]) -> dict[str, Path]:
    """Return MODEL/VARIANT of files laid out as MODEL/VARIANT/SEED.parquet; else their stems.

    Raises:
        SettingsError: two files have the same name.
    """
    found: dict[str, Path] = {}
    for path in files:
        laid_out = path.stem.isdigit() and len(path.parts) > 2
        name = "/".join(path.parts[-3:-1]) if laid_out else path.stem
        if name in found:
            raise SettingsError(
                f"{found[name]} and {path} would both be called {name!r}: give one file a column, "
                "and files other than MODEL/VARIANT/SEED.parquet names of their own."
            )
        found[name] = path
    return found


def compare_columns(
    files: Mapping[str, Path], folders: Sequence[Path], settings: ScoringSettings
) -> pd.DataFrame:
    """Return how the columns differ, two by two (COMPARISON_COLUMNS).

    files: name of each column to its file of predictions; a cell that a file does not answer is not
    compared. folders: of configuration, with the task files.

    Raises:
        DataError: two files answer other examples of one cell, or a file cannot be scored.
    """
    rows = list(_rows(files, folders, settings))
    tests = {reading: sum(len(row.pairs) for row in rows if row.scores.reading == reading)
             for reading in Reading}  # fmt: skip
    found = [
        _told(row, pair, result)
        for row in rows
        for pair, result in zip(row.pairs, _results(row, settings, tests), strict=True)
    ]
    table = pd.DataFrame(found, columns=list(COMPARISON_COLUMNS))
    for reading in Reading:
        of = table["reading"] == reading.value
        p_values = table.loc[of, "p_value"].to_numpy(dtype=float)
        table.loc[of, "p_holm"] = holm(p_values)
        table.loc[of, "p_bh"] = benjamini_hochberg(p_values)
    table["better"] = [_better(row, 1 - settings.confidence) for row in table.to_dict("records")]
    return table


def _rows(
    files: Mapping[str, Path], folders: Sequence[Path], settings: ScoringSettings
) -> Iterator[_Row]:
    texts = TextScorer(settings)
    cells: dict[tuple[str, str], dict[str, Cell]] = {}
    for name, path in files.items():
        for cell in read_cells(path, folders):
            cells.setdefault((cell.task, cell.dataset), {})[name] = cell
    shared = [of for of in cells.values() if len(of) > 1]
    if len(files) > 1 and not shared:
        raise DataError(
            f"{' and '.join(map(str, files.values()))}: no cell that two of them answer."
        )
    for of in shared:
        first, *others = of
        for name in others:
            check_same_cells(files[first], [of[first]], files[name], [of[name]])
        for reading in Reading:
            scores = [score_cell(cell, reading, settings, texts) for cell in of.values()]
            for columns in zip(*(one.columns for one in scores), strict=True):
                if columns[0].whole:
                    continue  # a metric of the whole cell has no examples to swap
                values = np.stack([column.values for column in columns], axis=1)
                yield _Row(scores[0], columns[0].metric, columns[0].root, list(of), values)


def _results(
    row: _Row, settings: ScoringSettings, tests: Mapping[Reading, int]
) -> list[Comparison]:
    places = [(row.names.index(one), row.names.index(other)) for one, other in row.pairs]
    if not places:
        return []
    cell = row.scores.cell
    resampling = cell_resampling(cell, settings, settings.permutations)
    users = users_of(cell)
    values = row.values if users is None else _of_users(row.values, users)
    found = compare(values, places, row.root, resampling, tests[row.scores.reading])
    if users is None:
        return found
    counted = int((~np.isnan(row.values).any(axis=1)).sum())
    return [replace(one, n=counted) for one in found]


def _of_users(values: Floats, users: Ints) -> Floats:
    """Return one row a user whose means are those of the examples that count for every variant.

    What a user says to one example tells of the user's others, so they change sides together.
    """
    known = ~np.isnan(values).any(axis=1)
    _, places = np.unique(users[known], return_inverse=True)
    sums = np.zeros((int(places.max(initial=-1)) + 1, values.shape[1]))
    np.add.at(sums, places, values[known])
    return sums * len(sums) / max(1, known.sum())


def _told(row: _Row, pair: tuple[str, str], found: Comparison) -> dict[str, object]:
    return {
        "task": row.scores.cell.task,
        "dataset": row.scores.cell.dataset,
        "reading": row.scores.reading.value,
        "metric": row.metric,
        "first": pair[0],
        "second": pair[1],
        "first_value": found.first,
        "second_value": found.second,
        "difference": found.difference,
        "ci_low": found.low,
        "ci_high": found.high,
        "p_value": found.p_value,
        "p_holm": np.nan,
        "p_bh": np.nan,
        "better": "",
        "n": found.n,
    }


def _better(row: Mapping, level: float) -> str:
    if not row["p_bh"] <= level or row["difference"] == 0:
        return ""
    return str(
        row["first" if (row["difference"] > 0) == lower_is_better(row["metric"]) else "second"]
    )
