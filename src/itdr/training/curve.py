"""The pictures of a training's losses and validations."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from itdr.files.atomic import atomic_file
from itdr.settings.metric import metric_title

_DARK, _PALE = "#0072b2", "#b8d4e8"


def loss_curve(path: Path, losses: Sequence[tuple[int, float]]) -> None:
    """Draw the loss of each (step, loss in nats) with a running mean, as a PNG file.

    Beside it stands its running mean.
    """
    steps, values = (np.array(column, float) for column in zip(*losses, strict=True))
    with _axis(path) as axis:
        axis.plot(steps, values, color=_PALE, linewidth=0.8, label="each step")
        axis.plot(steps, running_mean(values), color=_DARK, linewidth=1.5, label="running mean")
        axis.set_ylabel("loss (nats)")
        axis.set_ylim(bottom=0)
        axis.legend(frameon=False)


def validation_curve(
    path: Path, values: Sequence[tuple[int, float]], metric: str, best: int
) -> None:
    """Draw the value of each validation (step, value), and which is the best, as a PNG file."""
    steps, heights = (np.array(column, float) for column in zip(*values, strict=True))
    name = "loss (nats)" if metric == "loss" else metric_title(metric)
    with _axis(path) as axis:
        axis.plot(steps, heights, color=_DARK, linewidth=1.5, marker="o", markersize=3)
        kept = dict(values)[best]
        axis.plot([best], [kept], "o", color="#d55e00", label=f"kept: step {best}, {kept:.4f}")
        axis.set_ylabel(f"{name}, rows not trained on")
        axis.set_xlim(left=0)
        axis.legend(frameon=False)


@contextmanager
def _axis(path: Path) -> Iterator[Any]:
    """Yield the axes of a picture over optimiser steps, which is written afterwards."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    style = {"font.size": 8, "axes.spines.top": False, "axes.spines.right": False}
    with mpl.rc_context(style):  # type: ignore[arg-type]
        figure = Figure(figsize=(5, 3), layout="constrained")
        axis = figure.subplots()
        axis.set_xlabel("optimiser step")
        yield axis
        with atomic_file(path) as part:
            figure.savefig(part, format="png", dpi=200, metadata={"Software": None})


def running_mean(values: np.ndarray) -> np.ndarray:
    """Return the mean of each value and those around it, a twentieth of all."""
    half = max(1, len(values) // 40)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    at = np.arange(len(values))
    low, high = np.maximum(at - half, 0), np.minimum(at + half + 1, len(values))
    return (sums[high] - sums[low]) / (high - low)
