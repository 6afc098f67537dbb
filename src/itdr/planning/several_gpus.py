"""How long a target takes on several GPUs, as a text and as a figure."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

from matplotlib.ticker import LogLocator, NullLocator

from itdr.planning.jobs import Job
from itdr.planning.needs import Needs, tasks_of
from itdr.planning.plan import WIDTH
from itdr.planning.schedule import Schedule, Task, enough, simulate
from itdr.reporting.figures.style import (
    BLUE,
    GREY,
    ORANGE,
    light_grid,
    new_figure,
    save,
    styled,
)

_ASSUMED = (
    "A job starts when all that it waits for is done and the GPUs that it needs are free; those of "
    "one moment in the order in which they became ready. Processors, disks and other users are "
    "never waited for; the Slurm profile submits no more at once than its 'jobs' say. All this "
    "stands on the rates above."
)


def several_gpus(needs: Needs, counts: Sequence[int]) -> str:
    """Return a table of the hours on each number of GPUs, and what decides them.

    Raises:
        SettingsError: a job needs more GPUs than one of the counts.
    """
    tasks = tasks_of(needs)
    most = enough(tasks)
    if not most:
        path = simulate(tasks, 0)
        return f"\nNo job needs a GPU. All is done in {path.hours:,.1f} h.\n"
    lines = [f"{'GPUs':>5}{'hours':>9}{'idle':>7}{'queued':>10}", "-" * 31]
    for count in counts:
        found = simulate(tasks, count)
        lines.append(f"{count:>5}{found.hours:>9,.1f}{found.idle:>7.0%}{found.queued:>8,.0f} h")
    longest = simulate(tasks, sum(task.gpus for task in tasks))
    first = min(start for start, task in zip(longest.starts, tasks, strict=True) if task.gpus)
    notes = [
        "idle: share of the GPUs' time, until all is done, in which no job holds them. queued: "
        "hours that jobs wait for a GPU with all else ready, in all.",
        f"The first job that holds a GPU starts after {first:,.1f} h.",
        f"From {most} GPUs on more do not help: {longest.hours:,.1f} h is the longest path, each "
        f"job of which waits for the one before: {_path(needs.jobs, tasks, longest)}.",
        _ASSUMED,
    ]
    return "\n" + "\n".join(lines) + "\n\n" + "\n".join(fill(note, WIDTH) for note in notes) + "\n"


def draw(needs: Needs, stem: Path, most: int = 64) -> None:
    """Write STEM.png and STEM.svg: hours and idle share on 1 to `most` GPUs."""
    tasks = tasks_of(needs)
    least = max(1, *(task.gpus for task in tasks))
    counts = range(least, max(most, least) + 1)
    found = [simulate(tasks, count) for count in counts]
    limit = simulate(tasks, sum(task.gpus for task in tasks)).hours
    with styled():
        figure = new_figure(2.4)
        left, right = figure.subplots(1, 2)
        left.plot(counts, [one.hours for one in found], color=BLUE, marker=".", markersize=3)
        left.axhline(limit, color=GREY, linestyle="--", linewidth=0.8)
        left.annotate(f"longest path: {limit:,.1f} h", (counts[0], limit), (0, 3),
                      textcoords="offset points", color=GREY)  # fmt: skip
        left.set_ylabel("hours until all is done")
        left.set_yscale("log")
        left.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        left.yaxis.set_major_formatter("{x:g}")
        left.yaxis.set_minor_locator(NullLocator())
        right.plot(counts, [100 * one.idle for one in found], color=ORANGE, marker=".",
                   markersize=3)  # fmt: skip
        right.set_ylabel("% of the GPUs' time unused")
        right.set_ylim(0, 100)
        for axes in (left, right):
            axes.set_xscale("log", base=2)
            axes.xaxis.set_major_formatter("{x:g}")
            axes.set_xlabel("GPUs")
            light_grid(axes, "both")
        save(figure, stem)


def _path(jobs: Sequence[Job], tasks: Sequence[Task], schedule: Schedule) -> str:
    """Return the jobs of the chain that take most of its time, and the others as a count."""
    shown = [place for place in schedule.chain if tasks[place].hours >= 0.01 * schedule.hours]
    names = [f"{jobs[place].name} {tasks[place].hours:,.1f} h" for place in shown]
    few = len(schedule.chain) - len(shown)
    return ", ".join(names) + (f", and {few} of less than 1 %" if few else "")
