"""Drawing figures by name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from itdr.files.atomic import atomic_folder
from itdr.files.formats import write_json
from itdr.registry import FIGURES
from itdr.reporting.figures.data import FigureData, NothingToDrawError
from itdr.reporting.figures.style import save, say_below, styled

_SIMULATED = "Simulated data: nothing here is a result on real users."


@dataclass(frozen=True)
class FigureKind:
    """A figure: the function that draws it, which raises NothingToDrawError, and its title."""

    name: str
    draw: Callable[[FigureData], Figure]
    title: str


def draw_all(data: FigureData, names: Sequence[str], out: Path) -> list[dict[str, str]]:
    """Write figures as PNG and SVG into the folder `out`, and list them in figures.json.

    Returns:
        One mapping per figure: name, title, and missing, which says why it could not be drawn.

    Raises:
        SettingsError: there is no figure of a name.
    """
    kinds: list[FigureKind] = [FIGURES.find(name, "'figures' of the layout: ") for name in names]
    listed = []
    with atomic_folder(out, "report") as folder:
        for kind in kinds:
            entry = {"name": kind.name, "title": kind.title, "missing": ""}
            try:
                with styled():
                    figure = kind.draw(data)
                    if data.simulated:
                        say_below(figure, _SIMULATED)
                    save(figure, folder / kind.name)
            except NothingToDrawError as reason:
                entry["missing"] = str(reason)
            listed.append(entry)
        write_json(folder / "figures.json", listed)
    return listed
