"""What a table says, in words: who beats the baselines, and where too few rows tell."""

from collections import Counter
from collections.abc import Sequence
from math import isnan, sqrt

from itdr.reporting.comparisons import detectable
from itdr.reporting.grid import Grid, TableRow
from itdr.settings.metric import lower_is_better, metric_title
from itdr.settings.paper import Layout

_NAMED = 8  # rows named before "and more"
SIMULATED = (
    "Simulated data: users, items and interactions come from a program, so these values show that "
    "the chain works and nothing of real users. Published values are of real data and not shown."
)


def findings(grid: Grid, layout: Layout) -> str:
    """Return a paragraph made from the numbers of a table; "" where they say nothing."""
    if not grid.rows:
        return ""
    return " ".join(_of_run(grid, layout) if grid.is_run else _of_published(grid, layout))


def _of_run(grid: Grid, layout: Layout) -> list[str]:
    said = [SIMULATED] if grid.simulated else []
    said += filter(None, (beating(grid, at, layout) for at in range(len(grid.columns))))
    return [*said, *_published_beaten(grid, layout), *_undecided(grid, layout),
            *_hardly_read(grid, layout)]  # fmt: skip


def beating(grid: Grid, at: int, layout: Layout) -> str:
    """Say in which rows a column beats every baseline."""
    rows = [row for row in grid.rows if row.baseline and row.cells[at].score]
    if not rows:
        return ""
    name = layout.column_title(grid.columns[at])
    beaten = [row for row in rows if not row.cells[at].below_baseline]
    all_of, some = Counter(row.key[0] for row in rows), Counter(row.key[0] for row in beaten)
    if not beaten:
        return f"{name} is better than every baseline in none of {len(rows)} rows."
    tasks = [f"{task} {some[task]} of {of}" for task, of in all_of.items() if some[task]]
    none = [task for task in all_of if not some[task]]
    rest = f"; none of {_listed(none)}" if none else ""
    how = ", by a paired test," if any(row.pairs for row in rows) else ""
    return (f"{name} is better than every baseline{how} in {len(beaten)} of {len(rows)} rows "
            f"({', '.join(tasks)}{rest}).")  # fmt: skip


def _published_beaten(grid: Grid, layout: Layout) -> list[str]:
    """Say which published values a baseline on our examples beats."""
    beaten, total, rows = 0, 0, []
    for row in grid.rows:
        if row.baseline is None or not row.published:
            continue
        worse = sum(_better(row.baseline[1].judged, value, row.key[2]) for value in row.published)
        beaten, total = beaten + worse, total + len(row.published)
        if 2 * worse >= len(row.published):
            rows.append(f"{_row_title(row, layout)} ({worse} of {len(row.published)})")
    if not total:
        return []
    where = f", at least half of those of {_listed(rows)}" if rows else ""
    return [
        f"On our examples the best baseline is better than {beaten:,} of {total:,} values "
        f"that the paper prints in these rows{where}."
    ]


def _undecided(grid: Grid, layout: Layout) -> list[str]:
    """Say where no two columns differ and a true difference of the size found would be missed."""
    compared = [row for row in grid.rows if row.pairs]
    if not compared:
        return []
    small = [row for row in compared if all(pair.better is None and abs(pair.difference)
             < pair.detectable for pair in row.pairs)]  # fmt: skip
    if not small:
        return ["In every row at least two columns can be told apart."]
    names = list(dict.fromkeys(_cell_title(row, layout) for row in small))
    return [
        f"In {len(small)} of {len(compared)} rows n is too small to tell any two columns apart, at "
        f"differences like those found: {_listed(names)}."
    ]


def _hardly_read(grid: Grid, layout: Layout) -> list[str]:
    cells = [(row, at) for row in grid.rows for at, cell in enumerate(row.cells)
             if cell.score and cell.score.hardly_read]  # fmt: skip
    if not cells:
        return []
    columns = Counter(layout.column_title(grid.columns[at]) for _, at in cells)
    where = _listed([f"{many} cells of {name}" for name, many in columns.items()])
    return [f"Fewer than half of the answers could be read in {where}."]


def _of_published(grid: Grid, layout: Layout) -> list[str]:
    """Say in how many rows of rates the best published value leads by more than its noise."""
    close, rates = [], 0
    for row in grid.rows:
        values = sorted(
            (cell.published.value for cell in row.cells if cell.published), reverse=True
        )
        share = row.key[2].startswith(("hit@", "accuracy"))
        if not share or len(values) < 2 or not row.published_n:
            continue
        rates += 1
        error = sqrt(sum(value * (1 - value) for value in values[:2]) / row.published_n)
        if values[0] - values[1] < detectable(error):
            close.append(_row_title(row, layout))
    if not rates:
        return []
    if not close:
        return [f"In all {rates} rows of shares the best published value leads by more than noise."]
    return [
        f"In {len(close)} of the {rates} rows of shares (HR@1, accuracy) the best published value "
        "leads the next by less than so few test rows show four times out of five: "
        f"{_listed(close)}."
    ]


def _better(value: float, other: float, metric: str) -> bool:
    if isnan(value):
        return False
    return value < other if lower_is_better(metric) else value > other


def _cell_title(row: TableRow, layout: Layout) -> str:
    return f"{row.key[0]} {layout.dataset_title(row.key[1])}"


def _row_title(row: TableRow, layout: Layout) -> str:
    task, dataset, metric = row.key
    return f"{task} {layout.dataset_title(dataset)} {metric_title(metric)}"


def _listed(names: Sequence[str]) -> str:
    if len(names) > _NAMED:
        return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
