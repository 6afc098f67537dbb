"""Fonts, colours and marks that all figures share, and how a figure is written."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from itdr.files.atomic import atomic_file

WIDTH = 7.2  # inches: both columns of a printed page
SMALL, NORMAL = 7, 8  # points
_LINE = 0.2  # inches that a line of small text takes
GREY, LIGHT = "#777777", "#dddddd"

# Okabe and Ito's colours, which the colour-blind can tell apart.
BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILION, PURPLE = (
    "#000000", "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7"
)  # fmt: skip

BEFORE, AFTER = "#999999", BLUE
"""Colours of the two variants that figures set beside each other."""

_CYCLE = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, "#44aa99")

_STYLE: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that figures are alike everywhere
    "font.size": NORMAL,
    "axes.titlesize": NORMAL,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.labelsize": NORMAL,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "hatch.linewidth": 0.6,
    "svg.hashsalt": "itdr",
    "svg.fonttype": "path",
}


@contextmanager
def styled() -> Iterator[None]:
    """Draw inside this block with the shared style."""
    with mpl.rc_context(_STYLE):
        yield


def save(figure: Figure, stem: Path) -> None:
    """Write STEM.png (200 dots per inch) and STEM.svg."""
    for kind in ("png", "svg"):
        with styled(), atomic_file(stem.with_name(f"{stem.name}.{kind}")) as part:
            # Without a date the same figure gives the same bytes.
            metadata: Any = {"Date": None} if kind == "svg" else {"Software": None}
            figure.savefig(part, format=kind, dpi=200, metadata=metadata)


def new_figure(height: float, width: float = WIDTH) -> Figure:
    """Return an empty figure; sizes in inches."""
    return Figure(figsize=(width, height), layout="constrained")


def say_below(figure: Figure, text: str) -> None:
    """Write a line under a figure, which grows by its height."""
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + _LINE)
    share = _LINE / (height + _LINE)
    layout: Any = figure.get_layout_engine()
    layout.set(rect=(0, share, 1, 1 - share))
    figure.text(0.5, share / 2, text, ha="center", va="center", color=VERMILION, fontsize=SMALL)


def cycled(place: int) -> str:
    """Return the colour of the thing at a place among its like."""
    return _CYCLE[place % len(_CYCLE)]


def tint(colour: str, share: float = 0.7) -> tuple[float, float, float]:
    """Return a colour mixed with that share of white."""
    red, green, blue = (part + (1 - part) * share for part in to_rgb(colour))
    return red, green, blue


def ours(colour: str) -> dict[str, Any]:
    """Return how a bar with our value looks."""
    return {"facecolor": colour, "edgecolor": colour, "linewidth": 0.8}


def theirs(colour: str) -> dict[str, Any]:
    """Return how a bar with a published value looks: pale and hatched, so that print shows it."""
    return {"facecolor": tint(colour), "edgecolor": colour, "linewidth": 0.8, "hatch": "////"}


def key_to_origin(axes_or_figure: Any, *, run: bool, **options: Any) -> None:
    """Add the legend that tells our bars from published ones, where both can stand."""
    if run:
        handles = [Patch(**ours(GREY), label="ours"), Patch(**theirs(GREY), label="paper")]
        axes_or_figure.legend(handles=handles, **options)


def line_key(colour: str, label: str, **options: Any) -> Line2D:
    """Return a legend's entry."""
    return Line2D([], [], color=colour, label=label, **options)


def light_grid(axes: Axes, axis: Any) -> None:
    """Put faint lines behind the data."""
    axes.grid(axis=axis, color=LIGHT, linewidth=0.6)
