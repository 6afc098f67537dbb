"""Every value of the main table before and after tuning, one dot each."""

from itertools import groupby
from math import isnan
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from itdr.registry import FIGURES
from itdr.reporting.figures.data import FigureData, NothingToDrawError
from itdr.reporting.figures.draw import FigureKind
from itdr.reporting.figures.style import (
    BLACK,
    GREY,
    LIGHT,
    SMALL,
    light_grid,
    line_key,
    new_figure,
)
from itdr.reporting.results import Key
from itdr.settings.metric import lower_is_better, metric_title
from itdr.settings.paper import Column

_MARKS = ("o", "D")
_ROW = 0.145  # inches
_PANEL_ROWS = 34  # more rows than these under each other begin a new stack


@FIGURES.register("main", FigureKind, title="All values of the main table")
def draw(data: FigureData) -> Figure:
    """Return a row per metric: filled marks are ours, with intervals; empty ones are published."""
    marks = dict(zip(data.layout.compared, _MARKS, strict=True))
    columns = [column for column in data.columns("main") if column[1] in marks]
    if not columns:
        raise NothingToDrawError("no column is " + " or ".join(map(repr, marks)))
    blocks = _blocks(data.results.rows)
    stacks = _stacks(blocks)
    tall = max(sum(map(len, stack)) + 3 * len(stack) for stack in stacks)
    figure = new_figure(0.8 + _ROW * tall, width=3.8 * len(stacks) if len(stacks) > 1 else 5.5)
    parts = figure.subfigures(1, len(stacks), squeeze=False)[0]
    for part, stack in zip(parts, stacks, strict=True):
        # An empty panel at the foot makes rows equally high in all stacks.
        heights = [len(block) + 3 for block in stack]
        foot = [tall - sum(heights)] if tall > sum(heights) else []
        axes = part.subplots(len(stack) + len(foot), 1, squeeze=False,
                             height_ratios=[*heights, *foot])  # fmt: skip
        for axis in axes[len(stack) :, 0]:
            axis.axis("off")
        for axis, block in zip(axes[:, 0], stack, strict=False):
            _panel(axis, block, columns, data)
    models = list(dict.fromkeys(model for model, _ in columns))
    handles = [line_key(data.model_colour(m), data.layout.model_title(m), linewidth=4)
               for m in models]  # fmt: skip
    handles += [line_key(GREY, data.layout.variant_title(v), marker=mark, linestyle="none")
                for v, mark in marks.items()]  # fmt: skip
    if data.results.is_run:
        handles.append(line_key(GREY, "paper", marker="D", linestyle="none",
                                markerfacecolor="white"))  # fmt: skip
        handles.append(line_key(BLACK, "best baseline", marker="|", linestyle="none"))
    figure.legend(handles=handles, loc="outside upper left", ncols=4)
    return figure


def _blocks(rows: list[Key]) -> list[list[Key]]:
    """Divide rows by task, and errors from rates, which have other scales."""
    by_block = groupby(sorted(rows, key=lambda key: lower_is_better(key[2])),
                       key=lambda key: (lower_is_better(key[2]), key[0]))  # fmt: skip
    found = {name: list(keys) for name, keys in by_block}
    tasks = list(dict.fromkeys(key[0] for key in rows))
    return [found[name] for task in tasks for name in ((False, task), (True, task))
            if name in found]  # fmt: skip


def _stacks(blocks: list[list[Key]]) -> list[list[list[Key]]]:
    stacks: list[list[list[Key]]] = [[]]
    for block in blocks:
        if stacks[-1] and sum(map(len, stacks[-1])) + len(block) > _PANEL_ROWS:
            stacks.append([])
        stacks[-1].append(block)
    return stacks


def _panel(axes: Axes, rows: list[Key], columns: list[Column], data: FigureData) -> None:
    marks = dict(zip(data.layout.compared, _MARKS, strict=True))
    for place, key in enumerate(rows):
        baseline = data.results.best_baseline(key)
        if baseline:
            axes.plot(baseline[1].value, place, "|", color=BLACK, markersize=9)
        for model, variant in columns:
            look: dict[str, Any] = {"marker": marks[variant], "markersize": 4,
                                    "color": data.model_colour(model), "linestyle": "none",
                                    "alpha": 0.85}  # fmt: skip
            score = data.results.scores.get((model, variant), {}).get(key)
            if score and not isnan(score.value):
                axes.plot([score.low, score.high], [place, place], color=look["color"], lw=1)
                axes.plot(score.value, place, **look)
            published = data.results.beside.get((model, variant), {}).get(key)
            if published:
                face: dict[str, Any] = {"markerfacecolor": "white"} if data.results.is_run else {}
                axes.plot(published.value, place, **look, **face)
    axes.set_yticks(range(len(rows)), [_name(data, key, rows, i) for i, key in enumerate(rows)],
                    fontsize=SMALL - 1)  # fmt: skip
    for i, key in enumerate(rows):
        if i and key[1] != rows[i - 1][1]:
            axes.axhline(i - 0.5, color=LIGHT, lw=0.6)
    lower = lower_is_better(rows[0][2])
    axes.set_title(f"{rows[0][0]} ({'lower' if lower else 'higher'} is better)")
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    if not lower:
        axes.set_xlim(-0.02, 1.02)
    light_grid(axes, "x")


def _name(data: FigureData, key: Key, rows: list[Key], place: int) -> str:
    first = place == 0 or rows[place - 1][1] != key[1]
    dataset = f"{data.layout.dataset_title(key[1])}   " if first else ""
    return dataset + metric_title(key[2])
