"""Training and testing with and without the task descriptions."""

from math import isnan, nan

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from itdr.registry import FIGURES
from itdr.reporting.figures.bars import Bar, groups
from itdr.reporting.figures.data import FigureData, NothingToDrawError
from itdr.reporting.figures.draw import FigureKind
from itdr.reporting.figures.style import AFTER, ORANGE, key_to_origin, new_figure, ours, theirs
from itdr.settings.paper import Column

_WITHOUT = "wo-task-description"
_METRICS = {"TKR": "ndcg@10", "CDR": "ndcg@10", "NIR": "hit@1", "UAP": "accuracy",
            "IR": "rouge-l", "TUI": "rouge-l"}  # fmt: skip
_NAMES = ("TKR\nNDCG@10", "CDR\nNDCG@10", "NIR\nHR@1", "UAP\nAccuracy", "IR\nROUGE-L",
          "TUI\nROUGE-L")  # fmt: skip


@FIGURES.register("task-description", FigureKind, title="With and without the task descriptions")
def draw(data: FigureData) -> Figure:
    """Return bars of the aggregates and of each task's mean over its datasets, a line per model."""
    models = list(dict.fromkeys(model for model, _ in data.columns("task-description")))
    if not models:
        raise NothingToDrawError("no column is 'wo-task-description'")
    colours = {data.layout.compared[1]: AFTER, _WITHOUT: ORANGE}
    figure = new_figure(0.4 + 2.2 * len(models))
    axes = figure.subplots(len(models), 3, squeeze=False, width_ratios=(1.6, 5.6, 1))
    for model, line in zip(models, axes, strict=True):
        columns = {(model, variant): colour for variant, colour in colours.items()}
        both = [[bar for c, colour in columns.items() for bar in data.bars(c, name, colour)]
                for name in data.aggregates]  # fmt: skip
        groups(line[0], data.aggregates, both, ".1f")
        line[0].set_title(data.layout.model_title(model))
        rates = [[bar for c, colour in columns.items()
                  for bar in _means(data, c, colour, task, metric)]
                 for task, metric in _METRICS.items()]  # fmt: skip
        groups(line[1], _NAMES, rates, ".3f")
        line[1].set_title("Mean over datasets, higher is better")
        errors = [[bar for c, colour in columns.items()
                   for bar in _means(data, c, colour, "RP", "rmse")]]  # fmt: skip
        groups(line[2], ["RP, RMSE\n(lower is better)"], errors, ".2f")
    look = ours if data.results.is_run else theirs
    handles = [Patch(**look(colour), label=data.layout.variant_title(v))
               for v, colour in colours.items()]  # fmt: skip
    figure.legend(handles=handles, loc="outside upper right", ncols=2)
    key_to_origin(figure, run=data.results.is_run, loc="outside upper left", ncols=2)
    return figure


def _means(data: FigureData, column: Column, colour: str, task: str, metric: str) -> list[Bar]:
    """Return the mean of ours and of theirs over a task's values of a metric."""
    found = []
    for cells, published in ((data.results.scores.get(column), False),
                             (data.results.beside.get(column), True)):  # fmt: skip
        if cells is None:
            continue
        values = [
            value.value
            for (name, _, kind), value in cells.items()
            if name == task and kind.split(":")[0] == metric and not isnan(value.value)
        ]
        why = "" if values else "not run"
        mean = float(np.mean(values)) if values else nan
        found.append(Bar(mean, colour, published, why))
    return found
