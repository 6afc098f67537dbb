"""The aggregates before and after fine-tuning."""

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from itdr.registry import FIGURES
from itdr.reporting.figures.bars import groups
from itdr.reporting.figures.data import FigureData, NothingToDrawError
from itdr.reporting.figures.draw import FigureKind
from itdr.reporting.figures.style import AFTER, BEFORE, key_to_origin, new_figure, ours, theirs


@FIGURES.register("tuning", FigureKind, title="Aggregates before and after fine-tuning")
def draw(data: FigureData) -> Figure:
    """Return a group of bars per model, one panel for each aggregate."""
    colours = dict(zip(data.layout.compared, (BEFORE, AFTER), strict=True))
    columns = [column for column in data.columns("main") if column[1] in colours]
    models = list(dict.fromkeys(model for model, _ in columns))
    if not models:
        raise NothingToDrawError("no column is " + " or ".join(map(repr, colours)))
    figure = new_figure(2.6)
    for axes, aggregate in zip(
        figure.subplots(1, len(data.aggregates), squeeze=False)[0], data.aggregates, strict=True
    ):
        bars = [
            [bar for variant, colour in colours.items()
             for bar in data.bars((model, variant), aggregate, colour)]
            for model in models
        ]  # fmt: skip
        names = [data.layout.model_title(model).replace("-Instruct", "-\nInstruct")
                 for model in models]  # fmt: skip
        groups(axes, names, bars, ".1f")
        axes.set_title(aggregate)
    look = ours if data.results.is_run else theirs
    handles = [
        Patch(**look(colour), label=label)
        for colour, label in zip(colours.values(), ("before", "after fine-tuning"), strict=True)
    ]
    figure.legend(handles=handles, loc="outside upper right", ncols=2)
    key_to_origin(figure, run=data.results.is_run, loc="outside upper left", ncols=2)
    return figure
