"""One number for all answers of a model, as a training that is validated needs it."""

from collections.abc import Sequence
from math import isnan, nan, sqrt

import numpy as np

from itdr.evaluation.answers import Reading
from itdr.evaluation.cells import MetricValues, score_cell
from itdr.evaluation.predictions import Cell
from itdr.evaluation.text_metrics import TextScorer
from itdr.evaluation.uncertainty import mean_of
from itdr.instructions.tasks import TaskSettings
from itdr.settings.metric import REPAIRED, judging_metric, parse_metric
from itdr.settings.scoring import ScoringSettings


def goes_with(metric: str, task: TaskSettings, dataset: str) -> bool:
    """Say whether a metric can be computed of answers to a task, named in its file or not."""
    parsed = parse_metric(metric)
    about = not parsed.attribute or parsed.attribute in task.of(dataset).attributes
    return task.answer in parsed.kind.reads and about


def mean_value(cells: Sequence[Cell], metric: str) -> float:
    """Return the mean of a metric over those of the cells that it goes with, each counted once.

    Answers are read leniently. Of rmse it is rmse-midpoint, as silence must not win. NaN where no
    cell has a value.
    """
    texts = TextScorer(ScoringSettings())
    values = [
        _value(cell, metric, texts)
        for cell in cells
        if goes_with(metric, cell.settings, cell.dataset)
    ]
    known = [value for value in values if not isnan(value)]
    return sum(known) / len(known) if known else nan


def _value(cell: Cell, metric: str, texts: TextScorer) -> float:
    alone = {"metrics": (metric.removesuffix(REPAIRED),)}
    template = cell.settings.of(cell.dataset).model_copy(update=alone)
    settings = cell.settings.model_copy(update={"datasets": {cell.dataset: template}})
    asked = Cell(cell.task, cell.dataset, settings, cell.examples, cell.protocol)
    scores = score_cell(asked, Reading.LENIENT, ScoringSettings(), texts)
    column = next(one for one in scores.columns if one.metric == judging_metric(metric))
    return _of_column(column, len(cell.examples))


def _of_column(column: MetricValues, examples: int) -> float:
    of = column.whole.value if column.whole else mean_of(column.values)
    value = of(np.ones(examples))
    return sqrt(value) if column.root else value
