"""The aggregates over the share of the training data."""

from matplotlib.figure import Figure

from itdr.registry import FIGURES
from itdr.reporting.figures.data import FigureData, NothingToDrawError
from itdr.reporting.figures.draw import FigureKind
from itdr.reporting.figures.style import GREY, light_grid, line_key, new_figure

_SHARES = {"base": 0, "data-25": 25, "data-50": 50, "data-75": 75, "itdr": 100}


@FIGURES.register("data-scale", FigureKind, title="Share of the training data")
def draw(data: FigureData) -> Figure:
    """Return a line per model, ours solid and the published one dashed, a panel per aggregate."""
    columns = data.columns("data-scale")
    models = list(dict.fromkeys(model for model, _ in columns))
    if not models:
        raise NothingToDrawError("no column has a share of the training data")
    figure = new_figure(2.6)
    for axes, aggregate in zip(
        figure.subplots(1, len(data.aggregates), squeeze=False)[0], data.aggregates, strict=True
    ):
        for model in models:
            colour = data.model_colour(model)
            bars = [(_SHARES[v], bar) for m, v in columns if m == model
                    for bar in data.bars((m, v), aggregate, colour)]  # fmt: skip
            lines = {published: {x: bar.value or 0.0 for x, bar in bars
                                 if bar.published == published and bar.is_known}
                     for published in (False, True)}  # fmt: skip
            for published, look in ((False, "o-"), (True, "D--")):
                line, other = lines[published], lines[not published]
                face = "white" if published else colour
                axes.plot(list(line), list(line.values()), look, color=colour,
                          markerfacecolor=face, markersize=5)  # fmt: skip
                for x, value in line.items():
                    above = value > other.get(x, value + published - 0.5)
                    axes.annotate(f"{value:.1f}", (x, value), textcoords="offset points",
                                  xytext=(-3, 6) if above else (5, -10), fontsize=6,
                                  ha="center" if above else "left", color=colour)  # fmt: skip
        axes.set_title(aggregate)
        axes.set_xticks(list(_SHARES.values()), [f"{share}%" for share in _SHARES.values()])
        axes.set_xlabel("share of the training data (0%: not fine-tuned)")
        axes.margins(x=0.09, y=0.16)
        light_grid(axes, "y")
    handles = [line_key(data.model_colour(m), data.layout.model_title(m)) for m in models]
    handles.append(line_key(GREY, "paper", linestyle="--", marker="D", markerfacecolor="white"))
    if data.results.is_run:
        handles.append(line_key(GREY, "ours", marker="o"))
    figure.legend(handles=handles, loc="outside upper right", ncols=len(handles))
    return figure
