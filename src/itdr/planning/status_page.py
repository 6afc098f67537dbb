"""The states of jobs as a text to read and as a value for programs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from textwrap import fill
from typing import Any

from itdr.planning.needs import Needs, tasks_of
from itdr.planning.plan import WIDTH, hours_text
from itdr.planning.schedule import simulate
from itdr.planning.status import STATES, JobState, Status

_LONGEST = 200  # characters of a log's last line


@dataclass(frozen=True)
class Forecast:
    """When all is done: in how many hours, on how many GPUs and processors."""

    hours: float
    gpus: int
    processors: int


def forecast(status: Status, needs: Needs, gpus: int | None, processors: int) -> Forecast:
    """Return when all that is left will be done, by the rates of 'itdr plan'.

    gpus: how many there are; None: as many as running jobs hold, or else the largest job needs.
    processors: of this machine, which all jobs share that do not run in Slurm.

    Raises:
        SettingsError: a job needs more GPUs than `gpus`.
    """
    spent = {place: one.hours for place, one in enumerate(status.left) if one.state == "running"}
    tasks = tasks_of(needs, spent)
    held = sum(tasks[place].gpus for place in spent)
    count = gpus or max([held, *(task.gpus for task in tasks)], default=0)
    here = [task.hours for task, one in zip(tasks, status.left, strict=True)
            if not task.gpus and not one.slurm]  # fmt: skip
    shared = 0.0 if any(one.slurm for one in status.left) else sum(here) / processors
    return Forecast(max(simulate(tasks, count).hours, shared), count, processors)


def as_text(name: str, status: Status, found: Forecast, now: datetime) -> str:
    """Return the states: a table by rule, then what runs, what failed, and when all is ready."""
    total = len(status.left) + sum(status.done.values())
    head = f"{name}: {sum(status.done.values()):,} of {total:,} jobs are done."
    if not status.left:
        return f"{head}\n"
    parts = [head, _table(status)]
    for title, states in (("Running", "running"), ("Waiting in Slurm's queue", "queued"),
                          ("Failed or stopped", "failed")):  # fmt: skip
        jobs = [one for one in status.left if one.state == states]
        if jobs:
            parts.append("\n".join([title, *(line for one in jobs for line in _lines(one))]))
    parts.append("\n".join(fill(line, WIDTH) for line in _end(status, found, now)))
    return "\n\n".join(parts) + "\n"


def as_value(name: str, status: Status, found: Forecast) -> dict[str, Any]:
    """Return the states for --json."""
    counts = {state: len(status.of(state)) for state in STATES} | {
        "done": sum(status.done.values())
    }
    return {
        "targets": name,
        "jobs": counts,
        "snakemake_runs": status.at_work,
        "locked": status.locked,
        "ready_in_hours": round(found.hours, 4),
        "gpus": found.gpus,
        "left": [
            {"rule": one.job.rule, "wildcards": one.job.wildcards, "state": one.state,
             "log": one.log and str(one.log), "said": one.said, "slurm": one.slurm,
             "hours": round(one.hours, 4)}
            for one in status.left
        ],
    }  # fmt: skip


def _table(status: Status) -> str:
    counts = {rule: Counter(done=number) for rule, number in status.done.items()}
    for one in status.left:
        counts.setdefault(one.job.rule, Counter())[one.state] += 1
    shown = [state for state in STATES if any(count[state] for count in counts.values())]
    rows = [("stage", *shown)]
    rows += [(rule, *(f"{count[state]:,}" if count[state] else "" for state in shown))
             for rule, count in counts.items()]  # fmt: skip
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width
             in zip(row[1:], widths[1:], strict=True))]).rstrip() for row in rows]  # fmt: skip
    return "\n".join([lines[0], "-" * (sum(widths) + 2 * (len(widths) - 1)), *lines[1:]])


def _lines(one: JobState) -> Sequence[str]:
    words = [one.job.name]
    words += [f"for {hours_text(one.hours)}"] if one.state == "running" else []
    words += [f"Slurm job {', '.join(one.slurm)}"] if one.slurm else []
    lines = [f"  {', '.join(words)}"]
    if one.log and one.state != "queued":
        lines += [f"    {one.log}"]
    if one.said:
        lines += [f"    {one.said[:_LONGEST]}"]
    return lines


def _end(status: Status, found: Forecast, now: datetime) -> Sequence[str]:
    """Return when all is ready, and what must be done for it."""
    lines = []
    runs = bool(status.of("running") or status.of("queued") or status.at_work)
    if status.locked and not status.at_work:
        lines.append(
            "Snakemake's lock is here, but no Snakemake runs in this folder on this machine: it "
            "runs on another one, or was killed. If it was killed, 'snakemake --unlock' first."
        )
    if status.of("failed"):
        lines.append(
            "What failed, and what waits for it, is made when Snakemake is started again; the logs "
            "above say what to mend."
        )
    on = f" on {found.gpus} GPU{'' if found.gpus == 1 else 's'} (--gpus N for others)"
    where = on if found.gpus else ""
    took = hours_text(found.hours)
    if runs:
        ready = (now + timedelta(hours=found.hours)).strftime("%Y-%m-%d %H:%M")
        lines.append(f"Ready in about {took}, at {ready}{where}, if nothing fails.")
    else:
        lines.append(f"Nothing runs. Started now, all is ready in about {took}{where}.")
    return lines
