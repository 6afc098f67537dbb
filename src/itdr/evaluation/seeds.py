"""Several seeds of one variant on the same examples."""

from collections.abc import Iterator, Sequence
from math import nan
from pathlib import Path
from statistics import mean

import pandas as pd

from itdr.evaluation.answers import Reading
from itdr.evaluation.cells import CellScores, MetricValues, score_cell
from itdr.evaluation.predictions import check_same_cells, joined, read_cells
from itdr.evaluation.score import SCORE_COLUMNS, estimate, labels
from itdr.evaluation.text_metrics import TextScorer
from itdr.settings.scoring import ScoringSettings

Columns = tuple[list[CellScores], list[MetricValues]]


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
        found = estimate(columns, scores[0].cell, settings)
        n, n_unreadable = (
            sum(getattr(column, name) for column in columns) for name in ("n", "n_unreadable")
        )
        rows.append(
            labels(scores[0], columns[0])
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
                **{
                    name: joined(one.cell.maker[name] for one in scores)
                    for name in scores[0].cell.maker
                },
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
        check_same_cells(files[0], cells[0], path, other)
    for same in zip(*cells, strict=True):
        for reading in Reading:
            scores = [score_cell(cell, reading, settings, texts) for cell in same]
            for columns in zip(*(one.columns for one in scores), strict=True):
                yield scores, list(columns)
