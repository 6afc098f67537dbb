"""The table of aggregates, one row per model and variant."""

from math import isnan

from itdr.reporting.findings import SIMULATED
from itdr.reporting.formats.csv_files import Field
from itdr.reporting.results import Results, Total
from itdr.reporting.sheet import Sheet, TableCell, breaks_of
from itdr.settings.paper import Column, Layout

NAME = "aggregates"

_INTERVALS = (
    "In brackets 95% intervals; they take the metrics of a cell as rising and falling together and "
    "so are rather too wide. RMSE enters with the middle of the scale for unreadable answers, "
    "lists as they were given."
)
_HEADINGS: tuple[str, ...] = ("ours", "paper", "difference")
_HEADS = ("model", "variant", "aggregate", "value", "missing", "paper_value", "ci_low", "ci_high")


def aggregate_rows(results: Results, layout: Layout) -> tuple[tuple[str, ...], list[list[Field]]]:
    """Return heads and rows of the CSV file.

    value: ours with its interval ci_low to ci_high, empty where a term lacks; missing: the terms
    that lack; paper_value: as published.
    """
    rows: list[list[Field]] = []
    for column in _columns(results, layout):
        for name in layout.aggregates:
            ours = results.aggregates.get(column, {}).get(name, Total())
            paper = results.aggregates_beside.get(column, {}).get(name)
            rows.append([*column, name, _number(ours.value), ours.missing,
                         "" if paper is None else f"{paper:.2f}", _number(ours.low),
                         _number(ours.high)])  # fmt: skip
    return _HEADS, rows


def aggregate_sheet(results: Results, layout: Layout) -> Sheet:
    """Return the printed table."""
    shown = _columns(results, layout)
    heads = _HEADINGS if results.is_run else ("paper",)
    if not any(results.aggregates_beside.get(column) for column in shown):
        heads = ("ours",)
    columns = [
        ("", "Model"),
        ("", "Variant"),
        *((name, head) for name in layout.aggregates for head in heads),
    ]
    rows = []
    for column in shown:
        texts = [
            TableCell(layout.model_title(column[0])),
            TableCell(layout.variant_title(column[1])),
        ]
        for name in layout.aggregates:
            texts += _texts(results, column, name)[: len(heads)]
        rows.append(tuple(texts))
    said = (layout.aggregates_note, _INTERVALS if results.is_run else "")
    simulated = SIMULATED if results.origins.simulated else ""
    return Sheet(
        NAME,
        " and ".join(layout.aggregates),
        tuple(columns),
        tuple(rows),
        tuple(filter(None, said)),
        words=2,
        labels=2,
        breaks=breaks_of(rows),
        said=simulated,
    )


def _columns(results: Results, layout: Layout) -> list[Column]:
    shown = [c for name in layout.tables for c in layout.columns_of(name, results.columns)]
    models = [model for model, _ in shown]
    return sorted(dict.fromkeys(shown), key=lambda column: models.index(column[0]))


def _texts(results: Results, column: Column, name: str) -> list[TableCell]:
    paper = results.aggregates_beside.get(column, {}).get(name)
    published = TableCell("") if paper is None else TableCell(f"{paper:.2f}", sort=paper)
    if not results.is_run:
        return [published]
    total = results.aggregates.get(column, {}).get(name, Total())
    value = total.value
    if isnan(value):
        lacks = ", ".join(dict.fromkeys(term.split(":")[0] for term in total.missing.split()))
        details = (f"lacks {lacks}",) if lacks else ()
        return [TableCell("missing", details), published, TableCell("")]
    interval = () if isnan(total.low) else (f"[{total.low:.2f}, {total.high:.2f}]",)
    ours = TableCell(f"{value:.2f}", interval, sort=value)
    return [ours, published, TableCell("") if paper is None else
            TableCell(f"{value - paper:+.2f}", sort=value - paper)]  # fmt: skip


def _number(value: float) -> str:
    return "" if isnan(value) else f"{value:.6f}"
