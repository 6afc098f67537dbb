"""Result tables as they are printed: which texts and marks a cell gets."""

from collections.abc import Iterable, Mapping
from math import isnan

from itdr.instructions.tasks import TaskSettings
from itdr.reporting.findings import findings
from itdr.reporting.grid import Cell, Grid, TableRow
from itdr.reporting.notes import BASELINE_MARK, HARDLY_READ, SUSPICIOUS, notes
from itdr.reporting.scores import FAULTS, Score
from itdr.reporting.sheet import Sheet, TableCell, breaks_of
from itdr.settings.metric import lower_is_better, metric_title
from itdr.settings.paper import Layout


def printed(grid: Grid, layout: Layout, tasks: Mapping[str, TaskSettings]) -> Sheet:
    """Return a table with what it says and its footnotes."""
    has_baseline = any(row.baseline for row in grid.rows)
    columns = [("", "Task"), ("", "Dataset"), ("", "Metric")]
    columns += [(layout.model_title(m), layout.variant_title(v)) for m, v in grid.columns]
    columns += [("", "Best baseline")] if has_baseline else []
    columns += [("", "n")] if grid.is_run else []
    cells = [row.key[:2] for row in grid.rows]
    rows = []
    for at, row in enumerate(grid.rows):
        task, first = row.key[0], row.key[:2] not in cells[:at]
        texts = _texts(grid, row, layout, has_baseline=has_baseline, first=first)
        rows.append((TableCell(task, long=task_title(task, tasks)), *texts))
    said = findings(grid, layout)
    names = tuple(tasks_note(dict.fromkeys(row.key[0] for row in grid.rows), tasks))
    return Sheet(grid.name, grid.title, tuple(columns), tuple(rows), names + notes(grid, layout),
                 words=3, labels=3, breaks=breaks_of(rows), said=said)  # fmt: skip


def task_title(task: str, tasks: Mapping[str, TaskSettings]) -> str:
    """Return a task's printed name; its id where there is none."""
    return tasks[task].title if task in tasks else task


def tasks_note(names: Iterable[str], tasks: Mapping[str, TaskSettings]) -> list[str]:
    """Return the footnote that spells tasks out; none where their ids are all there is."""
    spelt = [f"{name} {title}" for name in names if (title := task_title(name, tasks)) != name]
    return [f"Tasks: {', '.join(spelt)}."] if spelt else []


def _texts(
    grid: Grid, row: TableRow, layout: Layout, *, has_baseline: bool, first: bool
) -> tuple[TableCell, ...]:
    """Return a row's texts behind its task; a cell's first row says how its answers are."""
    _, dataset, metric = row.key
    arrow = "↓" if lower_is_better(metric) else "↑"
    texts = [
        TableCell(layout.dataset_title(dataset)),
        TableCell(f"{metric_title(metric)} {arrow}"),
    ]
    texts += [_cell(cell, first=first) if grid.is_run else _published(cell) for cell in row.cells]
    if has_baseline:
        texts.append(_baseline(row))
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
    marks = BASELINE_MARK if cell.below_baseline else ""
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


def _baseline(row: TableRow) -> TableCell:
    if row.baseline is None:
        return TableCell("")
    name, score = row.baseline
    details = (name,) if isnan(score.low) else (name, _interval(score))
    return TableCell(_value(score), details, sort=score.value)


def _interval(score: Score) -> str:
    return f"[{score.low:.3f}, {score.high:.3f}]"
