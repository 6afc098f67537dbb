"""From a file of predictions to a table of scores."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import nan
from pathlib import Path

import numpy as np
import pandas as pd

from itdr.evaluation.answers import Reading
from itdr.evaluation.cells import CellScores, MetricValues, score_cell
from itdr.evaluation.predictions import Cell, read_cells
from itdr.evaluation.text_metrics import TextScorer
from itdr.evaluation.uncertainty import (
    Ints,
    Resampling,
    SeedEstimate,
    mean_of,
    merge_seeds,
    whole_estimate,
)
from itdr.files.atomic import atomic_file
from itdr.files.checksums import sidecar
from itdr.files.formats import write_checksum
from itdr.instructions.record import MAKER
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
    "signature",
    "protocol",
    "problem",
    *(field.name for field in MAKER),
)
"""One row per task, dataset, reading and metric; domains are pooled into their dataset.

reading: "strict" (the asked-for form alone) or "lenient" (see `itdr.evaluation.answers`).
metric: as in a paper's results.csv; rmse-midpoint[:ATTRIBUTE] stands beside each rmse.
value: rates from 0 to 1, rmse in the unit of the rating or attribute; empty where no answer counts.
ci_low, ci_high: interval (see `itdr.evaluation.uncertainty`); empty where nothing tells it.
n: examples asked; n_unreadable: those whose answer gives this metric nothing to read, in rmse left
    out, in rmse-midpoint filled with the middle of the scale, in rates counted as the settings say.
rate_unreadable: n_unreadable / n.
rate_duplicated, rate_out_of_list, rate_missing: share of answers with at least one such entry,
    whether the answer is readable or not; empty where the kind of answer cannot have it.
signature: package, version and choices of a metric of texts; of choices, whether log-probabilities
    are sums or per token, and what the interval draws; empty for others.
protocol: how examples were divided, negatives drawn, and what the method sees, as the predictions
    say; several are joined by " | ".
problem: why a metric of a whole cell has no value; empty for others.
The others: what gave the answers (`itdr.provenance.Maker`) and the commit of the code then, as the
    predictions say and joined in the same way.
"""


def score_cells(
    predictions: Path, folders: Sequence[Path], settings: ScoringSettings
) -> list[CellScores]:
    """Return every example's values in the paper's order of cells, strict before lenient.

    folders: of configuration, with the task files.

    Raises:
        MissingFileError, DataError: the file is missing or is refused by column and row.
    """
    return score_all(read_cells(predictions, folders), settings)


def score_all(cells: Iterable[Cell], settings: ScoringSettings) -> list[CellScores]:
    """Return every example's values of cells, strict before lenient."""
    texts = TextScorer(settings)
    return [score_cell(cell, reading, settings, texts) for cell in cells for reading in Reading]


def score(predictions: Path, folders: Sequence[Path], settings: ScoringSettings) -> pd.DataFrame:
    """Return the scores of a predictions file (SCORE_COLUMNS). Takes and raises as score_cells."""
    return score_table(score_cells(predictions, folders, settings), settings)


def score_table(scored: Iterable[CellScores], settings: ScoringSettings) -> pd.DataFrame:
    """Return the scores of cells (SCORE_COLUMNS)."""
    rows = [row for scores in scored for row in _rows(scores, settings)]
    return pd.DataFrame(rows, columns=list(SCORE_COLUMNS))


def unreadable_cells(scores: pd.DataFrame) -> list[str]:
    """Return a warning for each cell of which no answer can be read, with what to do."""
    warnings = []
    for (task, dataset), rows in scores.groupby(["task", "dataset"], sort=False):
        strict = rows[rows["reading"] == Reading.STRICT.value]
        if strict.empty or (strict["n_unreadable"] < strict["n"]).any():
            continue
        lenient = rows[rows["reading"] == Reading.LENIENT.value]
        read = int((lenient["n"] - lenient["n_unreadable"]).max()) if len(lenient) else 0
        told = f"; the lenient reading reads {read:,} of them" if read else ""
        warnings.append(
            f"none of the {int(strict['n'].max()):,} answers to {task}/{dataset} can be read, so "
            f"its values tell nothing else{told}. 'itdr score --rows FILE' says of each why. Often "
            "the answers are cut off (finish_reason 'length': raise max_answer_tokens of the task "
            "or inference.answer_limit), or the model was never shown the form that the task asks "
            "for."
        )
    return warnings


def write_scores(path: Path, scores: pd.DataFrame) -> None:
    """Write scores as CSV with six decimals and their checksum beside them."""
    sidecar(path).unlink(missing_ok=True)
    with atomic_file(path) as part:
        scores.to_csv(part, index=False, float_format="%.6f", lineterminator="\n")
    write_checksum(path)


def cell_resampling(cell: Cell, settings: ScoringSettings, times: int | None = None) -> Resampling:
    """Return the resampling of a cell, as often as the settings say or `times`.

    It does not depend on the reading, the metric or the file, so that these can be compared.
    """
    return Resampling(
        times or settings.resamples, settings.confidence, settings.seed, (cell.task, cell.dataset)
    )


def estimate(
    columns: Sequence[MetricValues], cell: Cell, settings: ScoringSettings
) -> SeedEstimate:
    """Return the estimate of one metric of a cell over the answers of one or more seeds."""
    resampling, users = cell_resampling(cell, settings), users_of(cell)
    if columns[0].whole or users is not None or not (columns[0].rate or columns[0].root):
        values = [column.whole.value if column.whole else mean_of(column.values)
                  for column in columns]  # fmt: skip
        if columns[0].whole and not columns[0].whole.resampled:
            resampling = replace(resampling, resamples=0)
        return whole_estimate(values, len(cell.examples), resampling, users)
    return merge_seeds([column.values for column in columns], columns[0].root, settings.confidence)


def users_of(cell: Cell) -> Ints | None:
    """Return the number of each example's user, where users have several examples with choices.

    None elsewhere: examples are drawn then, and not users.
    """
    users = [example.user_id for example in cell.examples]
    if cell.settings.answer != "choice" or None in users or len(set(users)) == len(users):
        return None
    return np.unique(np.array(users, dtype=str), return_inverse=True)[1]


def labels(scores: CellScores, column: MetricValues) -> dict[str, object]:
    """Return the columns that tell what a row is about."""
    signature = column.signature
    if scores.cell.settings.answer == "choice":
        signature += f"|drawn:{'examples' if users_of(scores.cell) is None else 'users'}"
    return {
        "task": scores.cell.task,
        "dataset": scores.cell.dataset,
        "reading": scores.reading.value,
        "metric": column.metric,
        "signature": signature,
        "protocol": scores.cell.protocol,
        "problem": column.whole.problem if column.whole else "",
    }


def _rows(scores: CellScores, settings: ScoringSettings) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for column in scores.columns:
        found = estimate([column], scores.cell, settings)
        rows.append(
            labels(scores, column)
            | {
                "value": found.value,
                "ci_low": found.low,
                "ci_high": found.high,
                "n": column.n,
                "n_unreadable": column.n_unreadable,
                "rate_unreadable": column.n_unreadable / column.n if column.n else nan,
                **{f"rate_{fault}": rate for fault, rate in scores.faults.items()},
                **scores.cell.maker,
            }
        )
    return rows
