"""The course of training."""

import numpy as np
from matplotlib.figure import Figure

from itdr.registry import FIGURES
from itdr.reporting.figures.data import FigureData, NothingToDrawError
from itdr.reporting.figures.draw import FigureKind
from itdr.reporting.figures.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    SMALL,
    VERMILION,
    light_grid,
    new_figure,
)

_COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, GREY)
_LINES = ("-", "--")
_WINDOW = 40  # a point is the mean of a fortieth of the steps


@FIGURES.register("losses", FigureKind, title="Training loss")
def draw(data: FigureData) -> Figure:
    """Return a panel per model with a line per variant, smoothed; pale: each step of the first."""
    if not data.losses:
        raise NothingToDrawError("no adapter was trained")
    models = list(dict.fromkeys(model for model, _ in data.losses))
    across = min(2, len(models))
    down = -(-len(models) // across)
    figure = new_figure(0.3 + 2.3 * down)
    axes = figure.subplots(down, across, squeeze=False).ravel()
    for axis, model in zip(axes, models, strict=False):
        variants = [column for column in data.losses if column[0] == model]
        for i, column in enumerate(variants):
            colour = _COLOURS[i % len(_COLOURS)]
            steps = np.array([loss.step for loss in data.losses[column]])
            values = np.array([loss.loss for loss in data.losses[column]])
            if i == 0:
                axis.plot(steps, values, color=colour, alpha=0.25, lw=0.5)
            window = max(1, len(values) // _WINDOW)
            kernel = np.ones(window) / window
            axis.plot(steps[window - 1 :], np.convolve(values, kernel, "valid"), color=colour,
                      lw=1.3, ls=_LINES[i // len(_COLOURS) % 2],
                      label=data.layout.variant_title(column[1]))  # fmt: skip
        axis.set_title(data.layout.model_title(model))
        axis.set_xlabel("optimiser step")
        axis.set_ylabel("loss in nats")
        axis.legend(fontsize=SMALL - 1, ncols=2)
        light_grid(axis, "y")
    for axis in axes[len(models) :]:
        axis.set_visible(False)
    return figure
