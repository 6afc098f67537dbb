"""The picture of a training's losses."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from itdr.files.atomic import atomic_file


def loss_curve(path: Path, losses: Sequence[tuple[int, float]]) -> None:
    """Draw the loss of each (step, loss in nats) with a running mean, as a PNG file.

    Beside it stands its running mean.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    steps, values = (np.array(column, float) for column in zip(*losses, strict=True))
    style = {"font.size": 8, "axes.spines.top": False, "axes.spines.right": False}
    with mpl.rc_context(style):  # type: ignore[arg-type]
        figure = Figure(figsize=(5, 3), layout="constrained")
        axis = figure.subplots()
        axis.plot(steps, values, color="#b8d4e8", linewidth=0.8, label="each step")
        axis.plot(steps, running_mean(values), color="#0072b2", linewidth=1.5, label="running mean")
        axis.set_xlabel("optimiser step")
        axis.set_ylabel("loss (nats)")
        axis.set_ylim(bottom=0)
        axis.legend(frameon=False)
        with atomic_file(path) as part:
            figure.savefig(part, format="png", dpi=200, metadata={"Software": None})


def running_mean(values: np.ndarray) -> np.ndarray:
    """Return the mean of each value and those around it, a twentieth of all."""
    half = max(1, len(values) // 40)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    at = np.arange(len(values))
    low, high = np.maximum(at - half, 0), np.minimum(at + half + 1, len(values))
    return (sums[high] - sums[low]) / (high - low)
