"""Bars of aggregates, ours beside the published ones: shared by several figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

from matplotlib.axes import Axes

from itdr.reporting.figures.style import SMALL, light_grid, ours, theirs


@dataclass(frozen=True)
class Bar:
    """One bar; value None or NaN: nothing can be shown, for the reason `why`."""

    value: float | None
    colour: str
    published: bool
    why: str = ""

    @property
    def is_known(self) -> bool:
        """Whether there is something to draw."""
        return self.value is not None and not isnan(self.value)


def groups(axes: Axes, names: Sequence[str], bars: Sequence[Sequence[Bar]], form: str) -> None:
    """Draw groups of upright bars with their values on top.

    bars: one sequence per name. form: of the values, such as ".1f".
    """
    highest = _highest(bars)
    width = 0.8 / max(1, *map(len, bars))
    slim = width < 0.25  # too narrow for values that lie
    for place, group in enumerate(bars):
        for i, bar in enumerate(group):
            x = place + (i - (len(group) - 1) / 2) * width
            if bar.is_known:
                axes.bar(x, bar.value, width=0.92 * width, **_look(bar))  # type: ignore[arg-type]
            text = f"{bar.value:{form}}" if bar.is_known else bar.why
            axes.text(x, _end(bar) + 0.02 * highest, text,
                      ha="center", va="bottom", fontsize=SMALL - 1,
                      rotation=90 if slim or not bar.is_known else 0)  # fmt: skip
    axes.set_xticks(range(len(names)), names)
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.set_ylim(_lowest(bars), highest * (1.25 if slim else 1.15))
    axes.tick_params(axis="x", length=0)
    light_grid(axes, "y")


def rows(axes: Axes, names: Sequence[str], bars: Sequence[Sequence[Bar]], form: str) -> None:
    """Draw groups of lying bars, the first at the bottom, with their values at the end."""
    highest = _highest(bars)
    height = 0.8 / max(1, *map(len, bars))
    for place, group in enumerate(bars):
        for i, bar in enumerate(group):
            y = place - (i - (len(group) - 1) / 2) * height
            if bar.is_known:
                axes.barh(y, bar.value, height=0.88 * height, **_look(bar))  # type: ignore[arg-type]
            text = f"{bar.value:{form}}" if bar.is_known else bar.why
            axes.text(_end(bar) + 0.015 * highest, y, text,
                      va="center", fontsize=SMALL - 1)  # fmt: skip
    axes.set_yticks(range(len(names)), names)
    axes.set_xlim(_lowest(bars), highest * 1.12)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.tick_params(axis="y", length=0)
    light_grid(axes, "x")


def _highest(bars: Sequence[Sequence[Bar]]) -> float:
    return max(_values(bars)) or 1.0


def _lowest(bars: Sequence[Sequence[Bar]]) -> float:
    """Return where the axis begins: below nought only where a value is."""
    return 1.1 * min(_values(bars))


def _values(bars: Sequence[Sequence[Bar]]) -> list[float]:
    return [0.0, *(bar.value or 0.0 for group in bars for bar in group if bar.is_known)]


def _end(bar: Bar) -> float:
    return max(0.0, bar.value or 0.0) if bar.is_known else 0.0


def _look(bar: Bar) -> dict[str, Any]:
    return theirs(bar.colour) if bar.published else ours(bar.colour)
