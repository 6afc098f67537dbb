"""Flows of examples from root task over subtask to dataset."""

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path as Curve

from itdr.registry import FIGURES
from itdr.reporting.figures.data import FigureData, NothingToDrawError
from itdr.reporting.figures.draw import FigureKind
from itdr.reporting.figures.style import GREY, SMALL, new_figure

_GAP = 0.022  # between nodes, as a share of the height
_THICK = 0.035  # of a node
_LEVELS = (0.0, 0.46, 1.0)  # left edges of root tasks, subtasks, datasets

Counts = Mapping[tuple[str, str], int]


@FIGURES.register("sankey", FigureKind, title="Examples of each root task, subtask and dataset")
def draw(data: FigureData) -> Figure:
    """Return the published flows, and ours beside them where examples were built."""
    both = {"Paper": data.published_examples, "Ours": data.examples}
    panels = [(name, counts) for name, counts in both.items() if counts]
    if not panels:
        raise NothingToDrawError("no example was counted")
    figure = new_figure(4.6 * len(panels))
    axes = figure.subplots(len(panels), 1, squeeze=False)[:, 0]
    for axis, (name, counts) in zip(axes, panels, strict=True):
        _panel(axis, counts, data)
        axis.set_title(f"{name}: {sum(counts.values()):,} examples", pad=8)
    return figure


def _panel(axes: Axes, counts: Counts, data: FigureData) -> None:
    tasks = [task for task in data.tasks if any(key[0] == task for key in counts)]
    datasets = sorted({key[1] for key in counts}, key=lambda name: (-_sum(counts, name), name))
    total = sum(counts.values())
    root_of = {task: data.tasks[task].root_task or task for task in tasks}
    roots = {root: sum(n for (task, _), n in counts.items() if root_of.get(task) == root)
             for root in dict.fromkeys(root_of.values())}  # fmt: skip
    places = [
        _stack(list(roots), [n / total for n in roots.values()]),
        _stack(tasks, [_sum(counts, task) / total for task in tasks]),
        _stack(datasets, [_sum(counts, name) / total for name in datasets]),
    ]
    out = [{name: top for name, (top, _) in level.items()} for level in places]
    into = [dict(level) for level in out]
    for task in tasks:
        size = _sum(counts, task) / total
        _flow(axes, level=0, source=(out[0], root_of[task]), target=(into[1], task), size=size,
              colour=data.task_colour(task))  # fmt: skip
        for dataset in datasets:
            n = counts.get((task, dataset), 0) / total
            _flow(axes, level=1, source=(out[1], task), target=(into[2], dataset), size=n,
                  colour=data.task_colour(task))  # fmt: skip
    colours: list[dict[Any, str]] = [
        dict.fromkeys(map(str, roots), GREY),
        {task: data.task_colour(task) for task in tasks},
        dict.fromkeys(datasets, GREY),
    ]
    for left, level, colour in zip(_LEVELS, places, colours, strict=True):
        for name, (top, size) in level.items():
            axes.add_patch(Rectangle((left, top - size), _THICK, size, color=colour[name], lw=0))
    _labels(
        axes, 0, places[0], {root: f"{_root_title(data, root)}\n{n:,}" for root, n in roots.items()}
    )
    _labels(
        axes,
        1,
        places[1],
        {task: f"{task}  {_sum(counts, task):,}\n{data.tasks[task].title}" for task in tasks},
    )
    _labels(axes, 2, places[2], {
        name: f"{data.layout.dataset_title(name)}  {_sum(counts, name):,}"
        for name in datasets})  # fmt: skip
    axes.set(xlim=(-0.27, 1.3), ylim=(-0.01, 1.01))
    axes.axis("off")


def _root_title(data: FigureData, root: str) -> str:
    return fill(data.layout.root_tasks.get(root, root), 14)


def _sum(counts: Counts, name: str) -> int:
    return sum(n for key, n in counts.items() if name in key)


def _stack(names: Sequence[str], sizes: Sequence[float]) -> dict[str, tuple[float, float]]:
    """Return each node's top and size, one under the other, with gaps, filling 1 to 0."""
    room = 1 - _GAP * (len(names) - 1)
    top, places = 1.0, {}
    for name, size in zip(names, sizes, strict=True):
        places[name] = (top, size * room)
        top -= size * room + _GAP
    return places


def _flow(
    axes: Axes,
    *,
    level: int,
    source: tuple[dict[str, float], str],
    target: tuple[dict[str, float], str],
    size: float,
    colour: str,
) -> None:
    """Draw one flow and move the places where the next ones leave and arrive.

    source, target: the places of a level's nodes, and the node's name.
    """
    if not size:
        return
    left, right = _LEVELS[level] + _THICK, _LEVELS[level + 1]
    middle = (left + right) / 2
    (out, leaves), (into, arrives) = source, target
    thick = [size * (1 - _GAP * (n - 1)) for n in (len(out), len(into))]
    top, low = out[leaves], out[leaves] - thick[0]
    end_top, end_low = into[arrives], into[arrives] - thick[1]
    points = [(left, top), (middle, top), (middle, end_top), (right, end_top), (right, end_low),
              (middle, end_low), (middle, low), (left, low), (left, top)]  # fmt: skip
    codes = [Curve.MOVETO, *[Curve.CURVE4] * 3, Curve.LINETO, *[Curve.CURVE4] * 3,
             Curve.CLOSEPOLY]  # fmt: skip
    axes.add_patch(PathPatch(Curve(points, codes), color=colour, alpha=0.45, lw=0))
    out[leaves], into[arrives] = low, end_low


def _labels(
    axes: Axes, level: int, places: Mapping[str, tuple[float, float]], texts: Mapping[str, str]
) -> None:
    """Write names beside the nodes, moved apart where they would touch."""
    x = _LEVELS[level] - 0.015 if level == 0 else _LEVELS[level] + _THICK + 0.012
    middles = [top - size / 2 for top, size in places.values()]
    heights = [0.034 * (text.count("\n") + 1) for text in texts.values()]
    for (name, middle), y in zip(zip(places, middles, strict=True), _apart(middles, heights),
                                 strict=True):  # fmt: skip
        moved = abs(y - middle) > 0.004
        if moved:
            axes.plot([x - 0.01, x + 0.012], [middle, y], color=GREY, linewidth=0.5)
        axes.text(x + 0.014 * (moved and level > 0), y, texts[name], va="center",
                  ha="right" if level == 0 else "left", fontsize=SMALL)  # fmt: skip


def _apart(middles: Sequence[float], heights: Sequence[float]) -> list[float]:
    """Move places, given from the top down, so far that labels of these heights do not touch."""
    moved: list[float] = []
    for middle, height in zip(middles, heights, strict=True):
        limit = moved[-1] - height if moved else 1 - height / 2
        moved.append(min(middle, limit))
    for i in range(len(moved) - 1, -1, -1):
        limit = moved[i + 1] + heights[i] if i + 1 < len(moved) else heights[i] / 2
        moved[i] = max(moved[i], limit)
    return moved
