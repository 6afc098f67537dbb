"""Forest plot: how far our values are from the published ones."""

from math import isnan

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from itdr.registry import FIGURES
from itdr.reporting.figures.data import FigureData, NothingToDrawError
from itdr.reporting.figures.draw import FigureKind
from itdr.reporting.figures.style import (
    BLACK,
    BLUE,
    GREY,
    LIGHT,
    SMALL,
    VERMILION,
    light_grid,
    line_key,
    new_figure,
)
from itdr.reporting.results import Key
from itdr.settings.metric import lower_is_better, metric_title
from itdr.settings.paper import Column

_ROW = 0.13  # inches


@FIGURES.register("differences", FigureKind, title="Differences from the paper")
def draw(data: FigureData) -> Figure:
    """Return a panel per column of the main table: ours minus theirs with our interval.

    Rates stand above, errors below. A run without the main table's columns shows those it has.
    """
    compared = [column for column in data.results.columns if _compared(data, column)]
    main = [column for column in data.columns("main") if column in compared]
    columns = main or compared
    if not columns:
        raise NothingToDrawError("no value of ours has a published one beside it")
    rows = [key for key in data.results.rows if any(_shown(data, c, key) for c in columns)]
    blocks = [[key for key in rows if lower_is_better(key[2]) == lower] for lower in (False, True)]
    blocks = [block for block in blocks if block]
    figure = new_figure(1.1 + _ROW * (len(rows) + 4), width=2.4 + 1.2 * len(columns))
    axes = figure.subplots(len(blocks), len(columns), squeeze=False, sharex="row",
                           height_ratios=[len(block) + 1 for block in blocks])  # fmt: skip
    for line, block in zip(axes, blocks, strict=True):
        for axis, column in zip(line, columns, strict=True):
            _panel(axis, block, column, data)
            axis.set_yticks(range(len(block)), [""] * len(block))
        line[0].set_yticks(range(len(block)), [_name(data, key) for key in block],
                           fontsize=SMALL - 1)  # fmt: skip
        lower = lower_is_better(block[0][2])
        figure_words = "errors: left is better" if lower else "rates: right is better"
        line[0].set_xlabel(figure_words, fontsize=SMALL)
    for axis, column in zip(axes[0], columns, strict=True):
        title = f"{data.layout.model_title(column[0])}\n{data.layout.variant_title(column[1])}"
        axis.set_title(title, fontsize=SMALL)
    handles = [line_key(BLUE, "published value where a replication's would lie", marker="o"),
               line_key(VERMILION, "outside", marker="o", markerfacecolor="white")]  # fmt: skip
    figure.legend(handles=handles, loc="outside upper left", ncols=2)
    figure.supxlabel("our value minus the published one", fontsize=SMALL + 1)
    return figure


def _compared(data: FigureData, column: Column) -> bool:
    return any(_shown(data, column, key) for key in data.results.rows)


def _shown(data: FigureData, column: Column, key: Key) -> bool:
    score = data.results.scores.get(column, {}).get(key)
    published = data.results.beside.get(column, {}).get(key)
    return score is not None and published is not None and not isnan(score.value)


def _panel(axes: Axes, rows: list[Key], column: Column, data: FigureData) -> None:
    axes.axvline(0, color=BLACK, lw=0.8)
    for place, key in enumerate(rows):
        if place and key[:2] != rows[place - 1][:2]:
            axes.axhline(place - 0.5, color=LIGHT, lw=0.6)
        if not _shown(data, column, key):
            axes.text(0, place, "missing", fontsize=SMALL - 2, color=GREY, va="center", ha="center")
            continue
        score, paper = data.results.scores[column][key], data.results.beside[column][key].value
        inside = bool(score.holds(paper, data.results.published_n(key)))
        colour = BLUE if inside else VERMILION
        axes.plot([score.low - paper, score.high - paper], [place] * 2, color=colour, lw=1)
        axes.plot(score.value - paper, place, "o", color=colour, markersize=3,
                  markerfacecolor=colour if inside else "white")  # fmt: skip
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=SMALL - 1)
    light_grid(axes, "x")


def _name(data: FigureData, key: Key) -> str:
    return f"{key[0]} {data.layout.dataset_title(key[1])} {metric_title(key[2])}"
