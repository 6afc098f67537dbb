"""The figures. `FIGURES` names them in the order in which they are shown."""

from pathlib import Path
from typing import Any

from itdr.files.atomic import atomic_folder
from itdr.files.formats import write_json
from itdr.reporting.figures import (
    closed_source,
    data_scale,
    differences,
    heatmaps,
    lengths,
    losses,
    overview,
    sankey,
    task_description,
    tuning,
)
from itdr.reporting.figures.data import FigureData, NothingToDrawError
from itdr.reporting.figures.style import save, styled

FIGURES: dict[str, Any] = {
    "main": overview,
    "sankey": sankey,
    "tuning": tuning,
    "closed-source": closed_source,
    "root-ablation": heatmaps,
    "data-scale": data_scale,
    "task-description": task_description,
    "differences": differences,
    "lengths": lengths,
    "losses": losses,
}
"""Name to the module that draws it: TITLE, and draw(FigureData) -> Figure."""


def draw_all(data: FigureData, out: Path) -> list[dict[str, str]]:
    """Write every figure as PNG and SVG into the folder `out`, and list them in figures.json.

    Returns:
        One mapping per figure: name, title, and missing, which says why it could not be drawn.
    """
    listed = []
    with atomic_folder(out, "report") as folder:
        for name, module in FIGURES.items():
            entry = {"name": name, "title": module.TITLE, "missing": ""}
            try:
                with styled():
                    save(module.draw(data), folder / name)
            except NothingToDrawError as reason:
                entry["missing"] = str(reason)
            listed.append(entry)
        write_json(folder / "figures.json", listed)
    return listed
