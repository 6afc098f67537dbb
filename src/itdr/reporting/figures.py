"""Figures, drawn from the long tables."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from itdr.storage import atomic_file
from itdr.vocabulary import lower_is_better

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#f0e442", "#999999")
"""Okabe and Ito's colours, which the colour-blind can tell apart."""

_TRIVIAL = "#bbbbbb"
_FEW_BARS = 4  # with more, the labels have to stand aslant
_STYLE: Any = {"font.size": 8, "axes.spines.top": False, "axes.spines.right": False,
          "svg.hashsalt": "itdr", "svg.fonttype": "none"}  # fmt: skip


def main_figure(table: pd.DataFrame) -> Figure:
    """Return bars of every column of the main table, one panel per task, dataset and metric."""
    panels = list(table.groupby(["task", "dataset", "metric"], sort=False))
    widest = max(len(rows) for _, rows in panels)
    across = min(4 if widest <= _FEW_BARS else 2, len(panels))
    down = -(-len(panels) // across)
    columns = list(dict.fromkeys(zip(table["model"], table["variant"], strict=True)))
    colours = _colours(columns)
    with mpl.rc_context(_STYLE):
        tall = 1.9 if widest <= _FEW_BARS else 2.8
        size = (max(2.3, 0.45 * widest) * across, tall * down + 0.4)
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots(down, across, squeeze=False).ravel()
        for axis, (cell, rows) in zip(axes, panels, strict=False):
            task, dataset, metric = map(str, cell)
            _panel(axis, rows, colours)
            arrow = "lower" if lower_is_better(metric) else "higher"
            if not lower_is_better(metric):
                axis.set_ylim(0, 1)  # rates of different panels can then be compared by eye
            axis.set_title(f"{task}, {dataset}\n{metric} ({arrow} is better)", fontsize=8)
        for axis in axes[len(panels) :]:
            axis.set_visible(False)
    return figure


def save(figure: Figure, stem: Path) -> None:
    """Write STEM.png (200 dots per inch) and STEM.svg."""
    for kind in ("png", "svg"):
        with mpl.rc_context(_STYLE), atomic_file(stem.with_suffix(f".{kind}")) as part:
            # Without a date the same figure gives the same bytes.
            metadata = {"Date": None} if kind == "svg" else {"Software": None}
            figure.savefig(part, format=kind, dpi=200, metadata=metadata)


def _colours(columns: list[tuple[str, str]]) -> dict[tuple[str, str], str]:
    models = [column for column in columns if column[0] != "trivial"]
    shades = {column: _COLOURS[i % len(_COLOURS)] for i, column in enumerate(models)}
    return {column: shades.get(column, _TRIVIAL) for column in columns}


def _panel(axis: Axes, rows: pd.DataFrame, colours: dict[tuple[str, str], str]) -> None:
    values = rows["value"].to_numpy(float)
    spread = np.abs(rows[["ci_low", "ci_high"]].to_numpy(float).T - values)
    names = list(zip(rows["model"], rows["variant"], strict=True))
    places = np.arange(len(rows))
    axis.bar(places, np.nan_to_num(values), color=[colours[name] for name in names], width=0.7)
    axis.errorbar(
        places, values, yerr=spread, fmt="none", ecolor="black", elinewidth=0.8, capsize=2
    )
    if len(rows) <= _FEW_BARS:
        labels = [v.replace("-", "-\n") if m == "trivial" else f"{m}\n{v}" for m, v in names]
        axis.set_xticks(places, labels, fontsize=7)
    else:
        labels = [v if m == "trivial" else f"{m} {v}" for m, v in names]
        axis.set_xticks(places, labels, fontsize=7, rotation=45, ha="right", rotation_mode="anchor")
    for place in places[np.isnan(values)]:
        axis.text(place, 0, "none\nreadable", ha="center", va="bottom", fontsize=6)
