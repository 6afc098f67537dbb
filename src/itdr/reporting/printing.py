"""Result tables as they are printed: which texts and marks a cell gets."""

from math import isnan

from itdr.reporting.grid import Cell, Grid, Row
from itdr.reporting.results import Key, Score
from itdr.reporting.sheet import Sheet, Text, breaks_of
from itdr.settings.metric import lower_is_better, metric_title
from itdr.settings.paper import Column, Layout

SUSPICIOUS, TRIVIAL_MARK = "†", "‡"
_LISTED = 12  # missing cells named below a table; the long CSV has all


def printed(grid: Grid, layout: Layout) -> Sheet:
    """Return a table with its footnotes."""
    has_trivial = any(row.trivial for row in grid.rows)
    columns = [("", "Task"), ("", "Dataset"), ("", "Metric")]
    columns += [(layout.model_title(m), layout.variant_title(v)) for m, v in grid.columns]
    columns += [("", "Best trivial")] if has_trivial else []
    columns += [("", "n")] if grid.is_run else []
    rows = [_texts(grid, row, layout, has_trivial=has_trivial) for row in grid.rows]
    return Sheet(grid.name, grid.title, tuple(columns), tuple(rows), _notes(grid, layout),
                 words=3, breaks=breaks_of(rows))  # fmt: skip


def _texts(grid: Grid, row: Row, layout: Layout, *, has_trivial: bool) -> tuple[Text, ...]:
    task, dataset, metric = row.key
    arrow = "↓" if lower_is_better(metric) else "↑"
    texts = [Text(task), Text(layout.dataset_title(dataset)),
             Text(f"{metric_title(metric)} {arrow}")]  # fmt: skip
    texts += [_cell(cell) if grid.is_run else _published(cell) for cell in row.cells]
    if has_trivial:
        texts.append(_trivial(row))
    if grid.is_run:
        sizes = sorted({cell.score.n for cell in row.cells if cell.score})
        many = "to".join(f" {n:,} " for n in {*sizes[:1], *sizes[-1:]}).strip() if sizes else ""
        texts.append(Text(many, sort=sizes[0] if sizes else None))
    return tuple(texts)


def _cell(cell: Cell) -> Text:
    details = []
    if cell.score is None:
        main, sort = "missing", None
    elif isnan(cell.score.value):
        main, sort = "-", None
    else:
        main, sort = f"{cell.score.value:.3f}", cell.score.value
        details.append(f"[{cell.score.low:.3f}, {cell.score.high:.3f}]")
    if cell.score and cell.score.n_unreadable:
        details.append(f"{cell.score.n_unreadable} of {cell.score.n} unreadable")
    if cell.published:
        suspicious = SUSPICIOUS if cell.published.flag else ""
        details.append(f"paper {cell.published.value:.4f}{suspicious}{_compared(cell)}")
    hint = cell.published.flag if cell.published else ""
    return Text(main, tuple(details), TRIVIAL_MARK if cell.trivial else "", cell.best, hint, sort)


def _compared(cell: Cell) -> str:
    if cell.difference is None or cell.inside is None:
        return ""
    return f" ({cell.difference:+.3f}, {'inside' if cell.inside else 'outside'})"


def _published(cell: Cell) -> Text:
    if cell.published is None:
        return Text("")
    return Text(
        f"{cell.published.value:.4f}",
        marks=SUSPICIOUS if cell.published.flag else "",
        bold=cell.best_published,
        hint=cell.published.flag,
        sort=cell.published.value,
    )


def _trivial(row: Row) -> Text:
    if row.trivial is None:
        return Text("")
    name, score = row.trivial
    return Text(f"{score.value:.3f}", (name, _interval(score)), sort=score.value)


def _interval(score: Score) -> str:
    return f"[{score.low:.3f}, {score.high:.3f}]"


def _notes(grid: Grid, layout: Layout) -> tuple[str, ...]:
    notes = ["↑ higher is better, ↓ lower is better. Bold: best of its row."]
    if grid.is_run:
        notes.append(
            "Each value stands with its bootstrap interval over n test rows and, where there are "
            "any, its unreadable answers. 'paper' is the published value, in brackets ours minus "
            "theirs and whether theirs lies inside our interval."
        )
        if any(cell.trivial for row in grid.rows for cell in row.cells):
            notes.append(f"{TRIVIAL_MARK} not better than the best answer that needs no model.")
    else:
        notes.append("Published values alone.")
    notes += [f"{SUSPICIOUS} {_place(column, key, layout)}: {reason}."
              for column, key, reason in grid.flagged]  # fmt: skip
    return (*notes, *_missing(grid, layout))


def _missing(grid: Grid, layout: Layout) -> list[str]:
    missing = grid.missing
    if not missing:
        return []
    whole = [column for i, column in enumerate(grid.columns)
             if all(row.cells[i].score is None for row in grid.rows)]  # fmt: skip
    names = [f"{layout.column_title(column)} (all)" for column in whole]
    names += [_place(column, key, layout) for column, key in missing if column not in whole]
    more = f"; and {len(names) - _LISTED:,} more" if len(names) > _LISTED else ""
    return [f"Missing, {len(missing):,} of {len(grid.rows) * len(grid.columns):,} cells: "
            f"{'; '.join(names[:_LISTED])}{more}."]  # fmt: skip


def _place(column: Column, key: Key, layout: Layout) -> str:
    task, dataset, metric = key
    where = f"{task} {layout.dataset_title(dataset)} {metric_title(metric)}"
    return f"{layout.column_title(column)}, {where}"
