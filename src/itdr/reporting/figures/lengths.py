"""How long examples are, in tokens."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from itdr.instructions.audit.lengths import EDGES
from itdr.registry import FIGURES
from itdr.reporting.figures.data import FigureData, NothingToDrawError
from itdr.reporting.figures.draw import FigureKind
from itdr.reporting.figures.style import (
    BLACK,
    BLUE,
    ORANGE,
    light_grid,
    line_key,
    new_figure,
)


@FIGURES.register("lengths", FigureKind, title="Lengths of the examples in tokens")
def draw(data: FigureData) -> Figure:
    """Return a histogram per task where examples were built; else the published means."""
    return _histograms(data) if data.lengths else _means(data)


def _means(data: FigureData) -> Figure:
    rows = data.published_statistics
    if not rows:
        raise NothingToDrawError("no example was counted")
    figure = new_figure(0.6 + 0.135 * len(rows), width=5.5)
    axes = figure.subplots()
    for place, row in enumerate(rows):
        ends = row["mean_input_tokens"], row["mean_output_tokens"]
        axes.plot(ends, [place] * 2, color="#bbbbbb", lw=0.8, zorder=1)
        axes.plot(ends[0], place, "o", color=BLUE, markersize=4)
        axes.plot(ends[1], place, "D", color=ORANGE, markersize=4)
    axes.set_yticks(
        range(len(rows)),
        [f"{row['task']}  {data.layout.dataset_title(row['dataset'])}" for row in rows],
    )
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("published mean length, in tokens of DeepSeek-V3")
    axes.tick_params(axis="y", length=0)
    light_grid(axes, "x")
    handles = [line_key(BLUE, "input", marker="o", linestyle="none"),
               line_key(ORANGE, "output", marker="D", linestyle="none")]  # fmt: skip
    figure.legend(handles=handles, loc="outside upper right", ncols=2)
    return figure


def _histograms(data: FigureData) -> Figure:
    model = data.lengths[0]["model"]
    chosen = [entry for entry in data.lengths if entry["model"] == model]
    tasks = list(dict.fromkeys(entry["task"] for entry in chosen))
    across = min(4, len(tasks))
    figure = new_figure(0.5 + 1.7 * -(-len(tasks) // across))
    axes = figure.subplots(-(-len(tasks) // across), across, squeeze=False, sharex=True).ravel()
    counts = {task: np.sum([e["histogram"] for e in chosen if e["task"] == task], axis=0)
              for task in tasks}  # fmt: skip
    used = np.flatnonzero(np.sum(list(counts.values()), axis=0))
    for axis, task in zip(axes, tasks, strict=False):
        axis.stairs(counts[task], EDGES, fill=True, color=data.task_colour(task))
        axis.set_title(f"{task}: {int(counts[task].sum()):,}")
        axis.set_xscale("log", base=2)
        axis.set_xlim(EDGES[used[0]], max(EDGES[used[-1] + 1], 1.1 * chosen[0]["cut_off"]))
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.xaxis.set_tick_params(labelbottom=True)
        axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axis.axvline(chosen[0]["cut_off"], color=BLACK, lw=0.8, ls=":")
        light_grid(axis, "y")
    _blank(axes[len(tasks) :])
    figure.supxlabel(f"prompt and answer in tokens of {data.layout.model_title(model)}; "
                     f"dotted: longest that is trained on", fontsize=8)  # fmt: skip
    figure.supylabel("examples", fontsize=8)
    return figure


def _blank(axes: "np.ndarray[tuple[int], np.dtype[np.object_]]") -> None:
    axis: Axes
    for axis in axes:
        axis.set_visible(False)
