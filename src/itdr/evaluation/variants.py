"""Two variants on the same examples, and several seeds of one variant."""

from collections.abc import Iterator, Sequence
from math import nan
from pathlib import Path
from statistics import mean
from typing import Any

import pandas as pd

from itdr.errors import DataError
from itdr.evaluation.answers import Reading
from itdr.evaluation.cells import CellScores, MetricValues, score_cell
from itdr.evaluation.predictions import Cell, read_cells
from itdr.evaluation.score import SCORE_COLUMNS, cell_resampling
from itdr.evaluation.text_metrics import TextScorer
from itdr.evaluation.uncertainty import compare, merge_seeds
from itdr.settings.metric import lower_is_better
from itdr.settings.scoring import ScoringSettings

Columns = tuple[list[CellScores], list[MetricValues]]


def compare_variants(
    first: Path, second: Path, folders: Sequence[Path], settings: ScoringSettings
) -> pd.DataFrame:
    """Return how the second file of predictions differs from the first, by paired bootstrap.

    Returns:
        Columns task, dataset, reading, metric, first, second (the values), difference (second less
        first), ci_low, ci_high, p_value (two-sided), better ("first", "second", or "" where the
        interval holds zero) and n (examples that count for both).

    Raises:
        DataError: the files do not answer the same examples, or one of them cannot be scored.
    """
    rows = []
    for scores, columns in _aligned([first, second], folders, settings):
        one, other = columns
        resampling = cell_resampling(scores[0].cell, settings)
        found = compare(one.values, other.values, one.root, resampling)
        rows.append(
            _labels(scores[0], one)
            | {
                "first": found.first,
                "second": found.second,
                "difference": found.difference,
                "ci_low": found.low,
                "ci_high": found.high,
                "p_value": found.p_value,
                "better": _better(one.metric, found.low, found.high),
                "n": found.n,
            }
        )
    return pd.DataFrame(rows)


SEED_COLUMNS = (*SCORE_COLUMNS, "lowest", "highest", "seeds")
"""The columns of `itdr.evaluation.score`, and three more.

value: the mean of the seeds' values; ci_low, ci_high: of that mean when the examples are drawn
    again, the same ones for every seed; lowest, highest: of the seeds' own values; seeds: how many.
n, n_unreadable: over the answers of all seeds; rates: their means.
"""


def score_seeds(
    files: Sequence[Path], folders: Sequence[Path], settings: ScoringSettings
) -> pd.DataFrame:
    """Return the scores of one variant over the predictions of several seeds (SEED_COLUMNS).

    Raises:
        DataError: the files do not answer the same examples, or one of them cannot be scored.
    """
    rows = []
    for scores, columns in _aligned(files, folders, settings):
        found = merge_seeds(
            [column.values for column in columns],
            columns[0].root,
            cell_resampling(scores[0].cell, settings),
        )
        n, n_unreadable = (
            sum(getattr(column, name) for column in columns) for name in ("n", "n_unreadable")
        )
        rows.append(
            _labels(scores[0], columns[0])
            | {
                "value": found.value,
                "ci_low": found.low,
                "ci_high": found.high,
                "n": n,
                "n_unreadable": n_unreadable,
                "rate_unreadable": n_unreadable / n if n else nan,
                **{
                    f"rate_{fault}": mean(one.faults[fault] for one in scores)
                    for fault in scores[0].faults
                },
                "protocol": scores[0].cell.protocol,
                "lowest": min(found.seeds),
                "highest": max(found.seeds),
                "seeds": len(files),
            }
        )
    return pd.DataFrame(rows, columns=list(SEED_COLUMNS))


def _aligned(
    files: Sequence[Path], folders: Sequence[Path], settings: ScoringSettings
) -> Iterator[Columns]:
    """Yield every metric of every cell and reading with its column from each file."""
    texts = TextScorer(settings)
    cells = [read_cells(path, folders) for path in files]
    for path, other in zip(files[1:], cells[1:], strict=True):
        _check_same(files[0], cells[0], path, other)
    for same in zip(*cells, strict=True):
        for reading in Reading:
            scores = [score_cell(cell, reading, settings, texts) for cell in same]
            for columns in zip(*(one.columns for one in scores), strict=True):
                yield scores, list(columns)


def _check_same(path: Path, cells: Sequence[Cell], other: Path, others: Sequence[Cell]) -> None:
    truth, other_truth = _truth(cells), _truth(others)
    for here, there, alone in (
        (path, other, truth.keys() - other_truth.keys()),
        (other, path, other_truth.keys() - truth.keys()),
    ):
        if alone:
            raise DataError(
                f"{here}: {len(alone)} examples, {min(alone)[-1]!r} for one, are not in {there}. "
                "Answer the same examples with both."
            )
    for key, value in truth.items():
        if other_truth[key] != value:
            raise DataError(
                f"{other}: id {key[-1]!r}: the truth is {other_truth[key]!r}, but {value!r} in "
                f"{path}. Answer the same examples with both."
            )


def _truth(cells: Sequence[Cell]) -> dict[tuple[str, str, str], Any]:
    return {
        (cell.task, cell.dataset, example.id): example.truth
        for cell in cells
        for example in cell.examples
    }


def _labels(scores: CellScores, column: MetricValues) -> dict[str, object]:
    return {
        "task": scores.cell.task,
        "dataset": scores.cell.dataset,
        "reading": scores.reading.value,
        "metric": column.metric,
    }


def _better(metric: str, low: float, high: float) -> str:
    if not (low > 0 or high < 0):
        return ""
    return "second" if (low > 0) != lower_is_better(metric) else "first"
