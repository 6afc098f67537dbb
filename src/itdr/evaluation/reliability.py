"""How often the most probable choice is right, by how probable the model holds it to be."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from itdr.evaluation.answers import Reading
from itdr.evaluation.cells import CellScores
from itdr.evaluation.likelihoods import Floats, reliability
from itdr.evaluation.metrics.choices import confidences
from itdr.evaluation.score import cell_resampling, users_of, write_scores
from itdr.evaluation.uncertainty import whole_estimate
from itdr.settings.metric import parse_metric
from itdr.settings.scoring import ScoringSettings

RELIABILITY_COLUMNS = (
    "task",
    "dataset",
    "bin_low",
    "bin_high",
    "n",
    "confidence",
    "right",
    "ci_low",
    "ci_high",
)
"""One row per cell of choices and bin of confidence that holds examples.

bin_low, bin_high: confidences of the bin, the upper end among them. n: its examples; of several
seeds the answers of all. confidence: the mean probability of the most probable choice. right: how
often it is right, with its interval ci_low to ci_high (see docs/reference/likelihoods.md).
"""

_BINS = 10


def write_reliability(path: Path, scored: Iterable[CellScores], settings: ScoringSettings) -> None:
    """Write the reliability of cells of choices as CSV (RELIABILITY_COLUMNS); others have none.

    scored: of one file of predictions, or of those of several seeds.
    """
    of_cell: dict[tuple[str, str], list[CellScores]] = defaultdict(list)
    for scores in scored:
        if scores.cell.settings.answer == "choice" and scores.reading == Reading.STRICT:
            of_cell[scores.cell.task, scores.cell.dataset].append(scores)
    rows = [row for seeds in of_cell.values() for row in _rows(seeds, settings)]
    write_scores(path, pd.DataFrame(rows, columns=list(RELIABILITY_COLUMNS)))


def _rows(seeds: list[CellScores], settings: ScoringSettings) -> list[dict[str, object]]:
    cell, metric = seeds[0].cell, parse_metric("ece")
    found = [confidences(one.answers, one.cell.examples, metric) for one in seeds]
    sure, right = (np.stack([pair[side] for pair in found]) for side in (0, 1))
    known = ~np.isnan(sure)

    def of_all(times: Floats) -> tuple[Floats, Floats, Floats]:
        counted = np.broadcast_to(times, sure.shape)[known]
        return reliability(sure[known], right[known], counted, _BINS)

    def share_of(place: int) -> Callable[[Floats], float]:
        return lambda times: float(of_all(times)[2][place])

    count, mean, _ = of_all(np.ones(len(cell.examples)))
    rows: list[dict[str, object]] = []
    for place in np.flatnonzero(count):
        estimate = whole_estimate(
            [share_of(int(place))],
            len(cell.examples),
            cell_resampling(cell, settings),
            users_of(cell),
        )
        rows.append(
            {
                "task": cell.task,
                "dataset": cell.dataset,
                "bin_low": place / _BINS,
                "bin_high": (place + 1) / _BINS,
                "n": int(count[place]),
                "confidence": mean[place],
                "right": estimate.value,
                "ci_low": estimate.low,
                "ci_high": estimate.high,
            }
        )
    return rows
