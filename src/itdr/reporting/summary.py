"""The summary that the page begins with: what was run, on which data, and what came of it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan

from itdr.instructions.tasks import TaskSettings
from itdr.reporting.facts import Fact, facts, places
from itdr.reporting.findings import SIMULATED, beating
from itdr.reporting.grid import Grid
from itdr.reporting.results import Results, Total
from itdr.reporting.run import Run
from itdr.reporting.scores import Score
from itdr.settings.metric import lower_is_better
from itdr.settings.paper import Column, Layout


@dataclass(frozen=True)
class Summary:
    """What the page says first.

    warning: what must be known before any number is read; "" where there is nothing. lead: what
    was run. findings: what came of it, a sentence each. facts: name and text.
    """

    title: str
    warning: str
    lead: str
    findings: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()


def summarise(
    results: Results,
    run: Run,
    layout: Layout,
    tasks: Mapping[str, TaskSettings],
    grids: Sequence[Grid],
) -> Summary:
    """Return the summary of a run, or of the published values where there is no run."""
    if not (results.is_run or run.audit):
        return Summary("ITDR: the published results", "", "The published values alone, in the rows,"
                       " columns and order in which the paper prints them.")  # fmt: skip
    simulated = results.origins.simulated or run.origins.simulated
    found = [sentence for grid in grids[:1] for sentence in _findings(results, grid, layout)]
    return Summary(
        _title(results, simulated=bool(simulated)),
        SIMULATED if simulated else "",
        _lead(results, run, layout),
        (*found, *_audited(run)),
        tuple(facts(results, run, layout, tasks)),
    )


def _title(results: Results, *, simulated: bool) -> str:
    if simulated:
        return "ITDR-pipeline: a run on simulated data"
    if any(column in results.beside for column in results.scores):
        return "ITDR-pipeline: our results beside the published ones"
    return "ITDR-pipeline: results"


def _lead(results: Results, run: Run, layout: Layout) -> str:
    cells = places(results, run)
    tasks, datasets = len({task for task, _ in cells}), len({dataset for _, dataset in cells})
    names = [layout.column_title(column) for column in results.columns]
    asked = f"{', '.join(names)} answered" if names else "Examples were built of"
    pairs = _many(len(cells), "pair")
    return f"{asked} {_many(tasks, 'task')} on {_many(datasets, 'dataset')} ({pairs})."


def _findings(results: Results, grid: Grid, layout: Layout) -> list[str]:
    said = []
    before, after = layout.compared
    for model in dict.fromkeys(model for model, _ in grid.columns):
        if {(model, before), (model, after)} <= set(grid.columns):
            said += _tuning(grid, (model, before), (model, after), layout)
    for at, column in enumerate(grid.columns):
        said += filter(None, [beating(grid, at, layout)])
        said += _form(results, column, layout)
        said += _replicated(grid, at, layout)
    return [*said, *_aggregates(results, grid, layout)]


def _tuning(grid: Grid, before: Column, after: Column, layout: Layout) -> list[str]:
    """Say in how many rows a model is better after tuning, and where a test tells so."""
    first, second = grid.columns.index(before), grid.columns.index(after)
    better = known = sure = 0
    for row in grid.rows:
        old, new = row.cells[first].score, row.cells[second].score
        if old is None or new is None or isnan(old.judged) or isnan(new.judged):
            continue
        known += 1
        lower = lower_is_better(row.key[2])
        better += new.judged < old.judged if lower else new.judged > old.judged
        sure += any(pair.better == after for pair in row.pairs)
    if not known:
        return []
    compared = any(row.pairs for row in grid.rows)
    tested = f", {sure or 'none'} of them by a paired test" if compared else ""
    return [f"{layout.column_title(after)} is better than {layout.column_title(before)} in "
            f"{better} of {known} rows{tested}."]  # fmt: skip


def _form(results: Results, column: Column, layout: Layout) -> list[str]:
    """Say how many answers could be read, and how many lists are whole."""
    cells: dict[tuple[str, str], Score] = {}
    for key, score in results.scores.get(column, {}).items():
        cells.setdefault(key[:2], score)
    asked = sum(score.n for score in cells.values())
    if not asked:
        return []
    read = 1 - sum(score.n_unreadable for score in cells.values()) / asked
    name = layout.column_title(column)
    said = f"{read:.0%} of the {asked:,} answers of {name} could be read in the asked-for form"
    lists = [score for score in cells.values() if "missing" in score.faults]
    if lists:
        total = sum(score.n for score in lists)
        faults = [sum(score.faults.get(fault, 0.0) * score.n for score in lists) / total
                  for fault in ("missing", "duplicated", "out_of_list")]  # fmt: skip
        said += (f"; of its lists {faults[0]:.0%} miss candidates, {faults[1]:.0%} repeat some and "
                 f"{faults[2]:.0%} name others")  # fmt: skip
    return [f"{said}."]


def _replicated(grid: Grid, at: int, layout: Layout) -> list[str]:
    """Say how many published values lie where those of a replication would."""
    inside = [row.cells[at].inside for row in grid.rows if row.cells[at].inside is not None]
    if not inside:
        return []
    name = layout.column_title(grid.columns[at])
    return [f"{sum(map(bool, inside))} of {len(inside)} published values of {name} lie where a "
            "replication's would."]  # fmt: skip


def _aggregates(results: Results, grid: Grid, layout: Layout) -> list[str]:
    said = []
    for name in layout.aggregates:
        totals = {c: results.aggregates.get(c, {}).get(name, Total()) for c in grid.columns}
        known = [f"{total.value:.1f} for {layout.column_title(column)}"
                 for column, total in totals.items() if not isnan(total.value)]  # fmt: skip
        said += [f"{name} is {', '.join(known)}."] if known else []
    return said


def _audited(run: Run) -> list[str]:
    if not run.audit:
        return []
    found = [check for check in run.audit["checks"] if check["faults"]]
    if not found:
        return ["The audit found no fault in the examples."]
    names = ", ".join(f"{check['check']} ({check['faults']:,})" for check in found)
    verdict = "all of which the settings tolerate" if run.audit["clean"] else "which stop the build"
    return [f"The audit found faults, {verdict}: {names}."]


def _many(count: int, name: str) -> str:
    return f"{count} {name}" if count == 1 else f"{count} {name}s"


def restructured(summary: Summary) -> str:
    """Return a summary as reStructuredText, which Snakemake's report begins with."""
    title = _escaped(summary.title)
    lines = [title, "=" * len(title), ""]
    lines += [f"**{_escaped(summary.warning)}**", ""] if summary.warning else []
    lines += [_escaped(summary.lead), ""]
    lines += [line for sentence in summary.findings for line in (f"- {_escaped(sentence)}", "")]
    lines += [f":{_escaped(name)}: {_escaped(text)}" for name, text in summary.facts]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    """Return text in which neither reStructuredText nor Jinja finds anything of its own."""
    return re.sub(r"([\\*_`|:<>])", r"\\\1", text).replace("{", "{{ '{' }}")
