"""The footnotes of a result table."""

from math import sqrt
from statistics import median

from itdr.reporting.comparisons import LEVEL, POWER, detectable
from itdr.reporting.grid import Grid
from itdr.reporting.scores import Key
from itdr.settings.metric import REPAIRED, metric_title
from itdr.settings.paper import Column, Layout

SUSPICIOUS, BASELINE_MARK, HARDLY_READ = "†", "‡", "§"
_LISTED = 12  # missing cells named below a table; the long CSV has all
_SHARES = ("hit@", "accuracy", "ndcg@", "precision@")


def notes(grid: Grid, layout: Layout) -> tuple[str, ...]:
    """Return the footnotes in their order."""
    found = ["↑ higher is better, ↓ lower is better. Bold: best of its row."]
    found += _of_run(grid) if grid.is_run else ["Published values alone."]
    found += [f"{SUSPICIOUS} {_place(column, key, layout)}: {reason}."
              for column, key, reason in grid.flagged]  # fmt: skip
    return (*found, *_missing(grid, layout))


def _of_run(grid: Grid) -> list[str]:
    cells = [cell for row in grid.rows for cell in row.cells]
    found = [
        "Each value is of the asked-for form alone (strict reading) and stands with its 95% "
        "interval over n test rows and its unreadable answers; 'lenient' is the same answers read "
        "with good will, so that form and skill can be told apart."
    ]
    if any(cell.published for cell in cells):
        found.append(
            "'paper' is the published value, in brackets ours minus theirs and whether theirs lies "
            "inside the interval of a replication: ours, widened by the noise of theirs."
        )
    if any(row.key[2].endswith(REPAIRED) for row in grid.rows):
        found.append(
            "Lists count as given: entries that are no candidates keep their places, candidates "
            "that are missing count as wrong. Repaired (RankGPT): such entries are dropped, and "
            "missing candidates follow in the order shown; with five of ten true a repaired list "
            "has an NDCG@10 of .541 at least, and of .770 by chance."
        )
    if any(row.key[2].startswith("rmse") for row in grid.rows):
        found.append(
            "RMSE is over the answers that could be read; bold, marks, letters and aggregates go "
            "by the value with the middle of the scale for the others."
        )
    if any(cell.score and cell.score.hardly_read for cell in cells):
        found.append(f"{HARDLY_READ} fewer than half of the answers could be read.")
    compared = any(row.pairs or cell.against_baseline for row in grid.rows for cell in row.cells)
    if any(cell.below_baseline for cell in cells):
        how = " by a paired test" if compared else ""
        found.append(
            f"{BASELINE_MARK} not better than every baseline{how}. Baselines are trivial "
            "answers, which are answers without a model, and conventional recommenders."
        )
    if compared:
        found.append(
            "Columns that share a letter (group) cannot be told apart: paired tests by swapping, "
            f"of which, by Benjamini's and Hochberg's correction for all tests of the table, at "
            f"most {LEVEL:.0%} of the differences found are false. The p-values, also with Holm's "
            "correction, stand in comparisons/."
        )
    return [*found, *_power(grid), *_signatures(grid)]


def _power(grid: Grid) -> list[str]:
    """Say which differences so many examples can show."""
    sizes = sorted({cell.score.n for row in grid.rows for cell in row.cells
                    if cell.score and row.key[2].startswith(_SHARES)})  # fmt: skip
    if not sizes or not sizes[0]:
        return []
    least = " and ".join(f"{detectable(sqrt(0.5 / n)):.3f} at n = {n:,}"
                         for n in sorted({sizes[0], sizes[-1]}))  # fmt: skip
    paired = [pair.detectable for row in grid.rows for pair in row.pairs
              if row.key[2].startswith(_SHARES)]  # fmt: skip
    found = (f"; on the same rows, as spread here, of {median(paired):.3f} in the middle"
             if paired else "")  # fmt: skip
    return [f"Power: two rates near one half on different rows must differ by {least} to be found "
            f"in {POWER:.0%} of cases at {LEVEL:.0%}{found}."]  # fmt: skip


def _signatures(grid: Grid) -> list[str]:
    found = {cell.score.signature: metric_title(row.key[2]) for row in grid.rows
             for cell in row.cells if cell.score and cell.score.signature}  # fmt: skip
    return [f"{'; '.join(f'{name}: {said}' for said, name in found.items())}."] if found else []


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
