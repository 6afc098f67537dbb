"""Fine-tuned open models against closed-source models."""

from matplotlib.figure import Figure

from itdr.registry import FIGURES
from itdr.reporting.figures.bars import Bar, rows
from itdr.reporting.figures.data import FigureData, NothingToDrawError
from itdr.reporting.figures.draw import FigureKind
from itdr.reporting.figures.style import BLUE, ORANGE, key_to_origin, new_figure
from itdr.settings.paper import Column


@FIGURES.register(
    "closed-source", FigureKind, title="Fine-tuned models against closed-source models"
)
def draw(data: FigureData) -> Figure:
    """Return bars of the aggregates, from the best model down; closed-source ones are orange."""
    closed = data.columns("closed-source")
    tuned = [column for column in data.columns("main") if column[1] == data.layout.compared[1]]
    if not (closed or tuned):
        raise NothingToDrawError("there is neither a closed-source nor a fine-tuned model")
    columns = [*closed, *tuned]
    figure = new_figure(0.9 + (0.36 if data.results.is_run else 0.25) * len(columns))
    for axes, aggregate in zip(
        figure.subplots(1, len(data.aggregates), squeeze=False)[0], data.aggregates, strict=True
    ):
        bars = {c: data.bars(c, aggregate, ORANGE if c in closed else BLUE) for c in columns}
        order = sorted(columns, key=lambda column: _height(bars[column]))
        rows(axes, [_name(data, c, closed) for c in order], [bars[c] for c in order], ".1f")
        axes.set_title(aggregate)
    key_to_origin(figure, run=data.results.is_run, loc="outside upper right", ncols=2)
    return figure


def _name(data: FigureData, column: Column, closed: list[Column]) -> str:
    title = data.layout.model_title(column[0])
    return title if column in closed else f"{title} + {data.layout.variant_title(column[1])}"


def _height(bars: list[Bar]) -> float:
    known = [bar.value for bar in bars if bar.is_known]
    return known[0] if known and known[0] is not None else -1.0
