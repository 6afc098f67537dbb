"""How far the probabilities of choices can be believed."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from itdr.registry import FIGURES
from itdr.reporting.figures.data import FigureData, NothingToDrawError
from itdr.reporting.figures.draw import FigureKind
from itdr.reporting.figures.style import GREY, SMALL, cycled, light_grid, new_figure
from itdr.settings.paper import Column

_ACROSS = 3
_LARGEST = 60  # area of the mark of a bin that holds every example, in square points


@FIGURES.register(
    "reliability",
    FigureKind,
    title="How far probabilities can be believed",
)
def draw(data: FigureData) -> Figure:
    """Return a panel per cell with a line per column; a mark is a bin, as large as it is full."""
    cells = list(dict.fromkeys(
        (row["task"], row["dataset"]) for rows in data.reliability.values() for row in rows
    ))  # fmt: skip
    if not cells:
        raise NothingToDrawError("no choices were scored by likelihood")
    across = min(_ACROSS, len(cells))
    down = -(-len(cells) // across)
    figure = new_figure(0.6 + 2.4 * down, width=0.4 + 2.4 * across)
    axes = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True).ravel()
    for axis, cell in zip(axes, cells, strict=False):
        for place, column in enumerate(data.reliability):
            _line(axis, data, column, cell, cycled(place))
        axis.plot([0, 1], [0, 1], color=GREY, lw=0.7, ls=":", zorder=0)
        axis.set_title(f"{cell[0]} {data.layout.dataset_title(cell[1])}")
        axis.set_xlim(-0.02, 1.02)
        axis.set_ylim(-0.02, 1.02)
        axis.set_xlabel("probability of the choice")
        light_grid(axis, "both")
    for axis in axes[::across]:
        axis.set_ylabel("how often it is right")
    for axis in axes[len(cells) :]:
        axis.set_visible(False)
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=across, fontsize=SMALL)
    return figure


def _line(axis: Axes, data: FigureData, column: Column, cell: tuple[str, str], colour: str) -> None:
    rows = [row for row in data.reliability[column] if (row["task"], row["dataset"]) == cell]
    sure, right, low, high, n = (
        [row[name] for row in rows] for name in ("confidence", "right", "ci_low", "ci_high", "n")
    )
    axis.vlines(sure, low, high, color=colour, lw=0.8, alpha=0.6)
    axis.plot(sure, right, color=colour, lw=1, label=data.layout.column_title(column))
    axis.scatter(sure, right, [4 + _LARGEST * count / sum(n) for count in n], color=colour)
