"""Each task at a glance: every model and the best baseline, by the task's first metric."""

from collections.abc import Sequence
from math import isnan

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from itdr.registry import FIGURES
from itdr.reporting.figures.data import FigureData, NothingToDrawError
from itdr.reporting.figures.draw import FigureKind
from itdr.reporting.figures.style import BLACK, SMALL, light_grid, new_figure
from itdr.reporting.results import Key
from itdr.reporting.scores import Score
from itdr.settings.metric import lower_is_better, metric_title

_ACROSS = 2  # panels beside each other, so that a phone shows them too
_ROW = 0.17  # inches

Line = tuple[str, Sequence[Score | None], str]
"""Name, one score per dataset, and colour."""


@FIGURES.register("tasks", FigureKind, title="Each task at a glance, beside the best baseline")
def draw(data: FigureData) -> Figure:
    """Return a panel per task: the mean over its datasets, and pale dots for single ones."""
    rows = _first_metrics(data)
    if not data.results.is_run or not rows:
        raise NothingToDrawError("there are no scores of a run")
    lines = {task: _lines(keys, data) for task, keys in rows.items()}
    tall = max(map(len, lines.values()))
    down = -(-len(rows) // _ACROSS)
    figure = new_figure(down * (0.62 + _ROW * tall), width=5.6)
    axes = figure.subplots(down, _ACROSS, squeeze=False).ravel()
    for place, (axis, (task, keys)) in enumerate(zip(axes, rows.items(), strict=False)):
        _panel(axis, lines[task], named=place % _ACROSS == 0)
        better = "lower" if lower_is_better(keys[0][2]) else "higher"
        axis.set_title(data.tasks[task].title if task in data.tasks else task, fontsize=SMALL)
        axis.set_xlabel(f"{metric_title(keys[0][2])}, {better} is better", fontsize=SMALL - 1)
    for axis in axes[len(rows) :]:
        axis.set_visible(False)
    return figure


def _first_metrics(data: FigureData) -> dict[str, list[Key]]:
    """Return task to the rows of its first metric, one per dataset.

    A metric of attributes stands for each dataset by its first attribute.
    """
    found: dict[str, dict[str, Key]] = {}
    first: dict[str, str] = {}
    for key in data.results.rows:
        kind = key[2].partition(":")[0]
        if kind == first.setdefault(key[0], kind):
            found.setdefault(key[0], {}).setdefault(key[1], key)
    return {task: list(keys.values()) for task, keys in found.items()}


def _lines(keys: Sequence[Key], data: FigureData) -> list[Line]:
    """Return a line per column that answered, and one of the best baseline of each dataset."""
    results = data.results
    lines: list[Line] = [
        (
            data.layout.column_title(column),
            [results.scores[column].get(key) for key in keys],
            data.model_colour(column[0]),
        )
        for column in results.columns
    ]
    best = [results.best_baseline(key) for key in keys]
    if any(best):
        lines.append(("best baseline", [found[1] if found else None for found in best], BLACK))
    return lines


def _panel(axes: Axes, lines: Sequence[Line], *, named: bool) -> None:
    for place, (_, scores, colour) in enumerate(lines):
        values = [s.judged for s in scores if s is not None and not isnan(s.judged)]
        axes.plot(values, [place] * len(values), "o", color=colour, alpha=0.3, markersize=4)
        if values:
            mean = float(np.mean(values))
            axes.plot(mean, place, "D", color=colour, markersize=5)
            axes.annotate(f"{mean:.3f}", (mean, place), textcoords="offset points",
                          xytext=(0, 5), fontsize=SMALL - 1, ha="center")  # fmt: skip
    axes.set_yticks(range(len(lines)), [name if named else "" for name, _, _ in lines])
    axes.set_ylim(len(lines) - 0.5, -0.8)
    axes.tick_params(axis="y", length=0)
    axes.margins(x=0.12)
    light_grid(axes, "x")
