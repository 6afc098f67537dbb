"""pUII and pUIU before and after fine-tuning."""

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from itdr.reporting.figures.bars import AGGREGATES, groups
from itdr.reporting.figures.data import FigureData, NothingToDrawError
from itdr.reporting.figures.style import VARIANTS, key_to_origin, new_figure, ours, theirs

TITLE = "pUII and pUIU before and after fine-tuning"

_VARIANTS = ("base", "itdr")


def draw(data: FigureData) -> Figure:
    """Return a group of bars per model, one panel for each of pUII and pUIU."""
    columns = [column for column in data.columns("main") if column[1] in _VARIANTS]
    models = list(dict.fromkeys(model for model, _ in columns))
    if not models:
        raise NothingToDrawError("no column is 'base' or 'itdr'")
    figure = new_figure(2.6)
    for axes, aggregate in zip(figure.subplots(1, 2), AGGREGATES, strict=True):
        bars = [
            [bar for variant in _VARIANTS
             for bar in data.bars((model, variant), aggregate, VARIANTS[variant])]
            for model in models
        ]  # fmt: skip
        names = [data.layout.model_title(model).replace("-Instruct", "-\nInstruct")
                 for model in models]  # fmt: skip
        groups(axes, names, bars, ".1f")
        axes.set_title(aggregate)
    look = ours if data.results.is_run else theirs
    handles = [
        Patch(**look(VARIANTS[v]), label=label)
        for v, label in zip(_VARIANTS, ("before", "after fine-tuning"), strict=True)
    ]
    figure.legend(handles=handles, loc="outside upper right", ncols=2)
    key_to_origin(figure, run=data.results.is_run, loc="outside upper left", ncols=2)
    return figure
