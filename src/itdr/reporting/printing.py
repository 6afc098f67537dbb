"""Result tables as they are printed: which texts and marks a cell gets."""

from math import isnan

from itdr.reporting.findings import findings
from itdr.reporting.grid import Cell, Grid, TableRow
from itdr.reporting.notes import HARDLY_READ, SUSPICIOUS, TRIVIAL_MARK, notes
from itdr.reporting.scores import FAULTS, Score
from itdr.reporting.sheet import Sheet, TableCell, breaks_of
from itdr.settings.metric import lower_is_better, metric_title
from itdr.settings.paper import Layout


def printed(grid: Grid, layout: Layout, *, simulated: bool = False) -> Sheet:
    """Return a table with what it says and its footnotes; simulated: whether our examples are."""
    has_trivial = any(row.trivial for row in grid.rows)
    columns = [("", "Task"), ("", "Dataset"), ("", "Metric")]
    columns += [(layout.model_title(m), layout.variant_title(v)) for m, v in grid.columns]
    columns += [("", "Best trivial")] if has_trivial else []
    columns += [("", "n")] if grid.is_run else []
    cells = [row.key[:2] for row in grid.rows]
    rows = [
        _texts(grid, row, layout, has_trivial=has_trivial, first=row.key[:2] not in cells[:at])
        for at, row in enumerate(grid.rows)
    ]
    said = findings(grid, layout, simulated=simulated)
    return Sheet(grid.name, grid.title, tuple(columns), tuple(rows), notes(grid, layout),
                 words=3, breaks=breaks_of(rows), said=said)  # fmt: skip


def _texts(
    grid: Grid, row: TableRow, layout: Layout, *, has_trivial: bool, first: bool
) -> tuple[TableCell, ...]:
    """Return the texts of a row; what is said of a cell's answers stands in its first row."""
    task, dataset, metric = row.key
    arrow = "↓" if lower_is_better(metric) else "↑"
    texts = [TableCell(task), TableCell(layout.dataset_title(dataset)),
             TableCell(f"{metric_title(metric)} {arrow}")]  # fmt: skip
    texts += [_cell(cell, first=first) if grid.is_run else _published(cell) for cell in row.cells]
    if has_trivial:
        texts.append(_trivial(row))
    if grid.is_run:
        sizes = sorted({cell.score.n for cell in row.cells if cell.score})
        many = "to".join(f" {n:,} " for n in {*sizes[:1], *sizes[-1:]}).strip() if sizes else ""
        texts.append(TableCell(many, sort=sizes[0] if sizes else None))
    return tuple(texts)


def _cell(cell: Cell, *, first: bool) -> TableCell:
    if cell.score is None:
        main, sort, details = "missing", None, []
    else:
        main, sort, details = (
            _value(cell.score),
            cell.score.value,
            _details(cell.score, first=first),
        )
    details += [f"group {cell.group}"] if cell.group else []
    if cell.published:
        suspicious = SUSPICIOUS if cell.published.flag else ""
        details.append(f"paper {cell.published.value:.4f}{suspicious}{_compared(cell)}")
    hint = cell.published.flag if cell.published else ""
    marks = TRIVIAL_MARK if cell.trivial else ""
    marks += HARDLY_READ if cell.score and cell.score.hardly_read else ""
    return TableCell(main, tuple(details), marks, cell.best, hint, None if main == "-" else sort)


def _details(score: Score, *, first: bool) -> list[str]:
    details = [_interval(score)] if not isnan(score.low) else []
    if score.n_unreadable:
        details.append(f"{score.n_unreadable} of {score.n} unreadable")
    if score.n_unreadable and score.judged != score.value and not isnan(score.judged):
        details.append(f"{score.judged:.3f} with the middle for these")
    lenient = score.lenient
    if lenient and (lenient.value != score.value or lenient.n_unreadable != score.n_unreadable):
        left = f", {lenient.n_unreadable} unreadable" if score.n_unreadable else ""
        details.append(f"lenient {_value(lenient)}{left}")
    wrong = [f"{rate:.0%} {said}" for name, said in FAULTS.items()
             if first and (rate := score.faults.get(name, 0.0))]  # fmt: skip
    return [*details, *([f"lists: {', '.join(wrong)}"] if wrong else [])]


def _value(score: Score) -> str:
    return "-" if isnan(score.value) else f"{score.value:.3f}"


def _compared(cell: Cell) -> str:
    if cell.difference is None or cell.inside is None:
        return ""
    return f" ({cell.difference:+.3f}, {'inside' if cell.inside else 'outside'})"


def _published(cell: Cell) -> TableCell:
    if cell.published is None:
        return TableCell("")
    return TableCell(
        f"{cell.published.value:.4f}",
        marks=SUSPICIOUS if cell.published.flag else "",
        bold=cell.best_published,
        hint=cell.published.flag,
        sort=cell.published.value,
    )


def _trivial(row: TableRow) -> TableCell:
    if row.trivial is None:
        return TableCell("")
    name, score = row.trivial
    details = (name,) if isnan(score.low) else (name, _interval(score))
    return TableCell(_value(score), details, sort=score.value)


def _interval(score: Score) -> str:
    return f"[{score.low:.3f}, {score.high:.3f}]"
