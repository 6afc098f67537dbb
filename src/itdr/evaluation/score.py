"""From a file of predictions to a table of scores."""

from collections.abc import Sequence
from math import nan
from pathlib import Path

import numpy as np
import pandas as pd

from itdr.evaluation.answers import Reading
from itdr.evaluation.cells import CellScores, score_cell
from itdr.evaluation.predictions import Cell, read_cells
from itdr.evaluation.text_metrics import TextScorer
from itdr.evaluation.uncertainty import Resampling, estimates
from itdr.files.atomic import atomic_file
from itdr.files.checksums import sidecar
from itdr.files.formats import write_checksum
from itdr.settings.scoring import ScoringSettings

SCORE_COLUMNS = (
    "task",
    "dataset",
    "reading",
    "metric",
    "value",
    "ci_low",
    "ci_high",
    "n",
    "n_unreadable",
    "rate_unreadable",
    "rate_duplicated",
    "rate_out_of_list",
    "rate_missing",
    "protocol",
)
"""One row per task, dataset, reading and metric; domains are pooled into their dataset.

reading: "strict" (the asked-for form alone) or "lenient" (see `itdr.evaluation.answers`).
metric: as in a paper's results.csv; rmse-midpoint[:ATTRIBUTE] stands beside each rmse.
value: rates from 0 to 1, rmse in the unit of the rating or attribute; empty where no answer counts.
ci_low, ci_high: percentile bootstrap interval over the examples.
n: examples asked; n_unreadable: those whose answer gives this metric nothing to read, in rmse left
    out, in rmse-midpoint filled with the middle of the scale, in rates counted as the settings say.
rate_unreadable: n_unreadable / n.
rate_duplicated, rate_out_of_list, rate_missing: share of answers with at least one such entry,
    whether the answer is readable or not; empty where the kind of answer cannot have it.
protocol: how examples were divided, negatives drawn, and what the method sees, as the predictions
    say; several are joined by " | ".
"""


def score(predictions: Path, folders: Sequence[Path], settings: ScoringSettings) -> pd.DataFrame:
    """Return the scores of a predictions file in the paper's order, strict before lenient.

    folders: of configuration, with the task files.

    Raises:
        MissingFileError, DataError: the file is missing or is refused by column and row.
    """
    texts = TextScorer(settings)
    rows = [
        row
        for cell in read_cells(predictions, folders)
        for reading in Reading
        for row in _rows(score_cell(cell, reading, settings, texts), settings)
    ]
    return pd.DataFrame(rows, columns=list(SCORE_COLUMNS))


def write_scores(path: Path, scores: pd.DataFrame) -> None:
    """Write scores as CSV with six decimals and their checksum beside them."""
    sidecar(path).unlink(missing_ok=True)
    with atomic_file(path) as part:
        scores.to_csv(part, index=False, float_format="%.6f", lineterminator="\n")
    write_checksum(path)


def cell_resampling(cell: Cell, settings: ScoringSettings) -> Resampling:
    """Return the resampling of a cell.

    It does not depend on the reading, the metric or the file, so that these can be compared.
    """
    return Resampling(
        settings.resamples, settings.confidence, settings.seed, (cell.task, cell.dataset)
    )


def _rows(scores: CellScores, settings: ScoringSettings) -> list[dict[str, object]]:
    cell = scores.cell
    found = estimates(
        np.stack([column.values for column in scores.columns], axis=1),
        [column.root for column in scores.columns],
        cell_resampling(cell, settings),
    )
    return [
        {
            "task": cell.task,
            "dataset": cell.dataset,
            "reading": scores.reading.value,
            "metric": column.metric,
            "value": estimate.value,
            "ci_low": estimate.low,
            "ci_high": estimate.high,
            "n": column.n,
            "n_unreadable": column.n_unreadable,
            "rate_unreadable": column.n_unreadable / column.n if column.n else nan,
            **{f"rate_{fault}": rate for fault, rate in scores.faults.items()},
            "protocol": cell.protocol,
        }
        for column, estimate in zip(scores.columns, found, strict=True)
    ]
