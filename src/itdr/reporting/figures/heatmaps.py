"""The aggregates with and without each root task in training."""

from math import isnan

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from itdr.registry import FIGURES
from itdr.reporting.figures.bars import Bar
from itdr.reporting.figures.data import FigureData, NothingToDrawError
from itdr.reporting.figures.draw import FigureKind
from itdr.reporting.figures.style import SMALL, new_figure

_CORNERS = (("wo-uii", "itdr"), ("base", "wo-uiu"))
"""Variants: rows from trained with UIU to without, columns from without UII to with."""


@FIGURES.register("root-ablation", FigureKind, title="Training with and without each root task")
def draw(data: FigureData) -> Figure:
    """Return a 2x2 heat map of each aggregate for each model."""
    models = list(dict.fromkeys(model for model, _ in data.columns("root-ablation")))
    if not models:
        raise NothingToDrawError("no column is 'wo-uii' or 'wo-uiu'")
    figure = new_figure(3.9, width=0.6 + 1.65 * len(models))
    axes = figure.subplots(len(data.aggregates), len(models), squeeze=False)
    for row, aggregate in enumerate(data.aggregates):
        values = {model: [[data.bars((model, variant), aggregate, "") for variant in line]
                          for line in _CORNERS] for model in models}  # fmt: skip
        known = [bar.value for grid in values.values() for line in grid for bars in line
                 for bar in bars if bar.is_known and bar.value is not None]  # fmt: skip
        low, high = (min(known), max(known)) if len(set(known)) > 1 else (0.0, 100.0)
        for column, model in enumerate(models):
            axis = axes[row, column]
            _map(axis, values[model], low, high)
            title = data.layout.model_title(model)
            axis.set_title(f"{title}\n{aggregate}" if row == 0 else aggregate, fontsize=SMALL)
            axis.set_xticks([0, 1], ["without", "with"])
            axis.set_yticks([0, 1], ["with", "without"] if column == 0 else ["", ""],
                            rotation=90, va="center")  # fmt: skip
            axis.set_xlabel("UII" if row == 1 else "", fontsize=SMALL)
            axis.set_ylabel("UIU" if column == 0 else "", fontsize=SMALL)
    return figure


def _map(axes: Axes, bars: list[list[list[Bar]]], low: float, high: float) -> None:
    """Draw one map; a square takes the colour of our value, or of the published one without it."""
    shown = [[_first(cell) for cell in line] for line in bars]
    axes.imshow(shown, cmap="cividis", vmin=low, vmax=high, aspect="auto")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    for y, line in enumerate(bars):
        for x, cell in enumerate(line):
            dark = not isnan(shown[y][x]) and shown[y][x] < (low + high) / 2
            axes.text(x, y, "\n".join(_words(bar, cell) for bar in cell) or "not run",
                      ha="center", va="center", fontsize=SMALL,
                      color="white" if dark else "black")  # fmt: skip


def _first(bars: list[Bar]) -> float:
    return next((bar.value for bar in bars if bar.is_known and bar.value is not None), float("nan"))


def _words(bar: Bar, cell: list[Bar]) -> str:
    text = f"{bar.value:.1f}" if bar.is_known else bar.why
    return f"paper {text}" if bar.published and len(cell) > 1 else text
