"""How long jobs take on a number of GPUs: a simulation of who runs when."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

from itdr.errors import SettingsError


@dataclass(frozen=True)
class Task:
    """A job as the simulation sees it.

    Attributes:
        hours: from its start to its end.
        gpus: that it holds meanwhile.
        after: places of the tasks that it waits for; all lie before its own.
    """

    hours: float
    gpus: int = 0
    after: tuple[int, ...] = ()


@dataclass(frozen=True)
class Schedule:
    """Who ran when.

    Attributes:
        gpus: how many there were.
        starts, ends: hour of each task's start and end.
        chain: the tasks, from first to last, each of which waited for the one before: for its end,
            or for the GPUs that it held. The last of them ends last of all.
        queued: hours that tasks waited for GPUs with all else ready, in all.
        busy: GPU-hours in which tasks held GPUs.
    """

    gpus: int
    starts: tuple[float, ...]
    ends: tuple[float, ...]
    chain: tuple[int, ...]
    queued: float
    busy: float

    @property
    def hours(self) -> float:
        """Hour at which all is done."""
        return max(self.ends, default=0.0)

    @property
    def idle(self) -> float:
        """Share of the GPUs' time, from the beginning to the end of all, in which none was used."""
        return 1 - self.busy / (self.gpus * self.hours) if self.gpus * self.hours else 0.0


def simulate(tasks: Sequence[Task], gpus: int) -> Schedule:
    """Return the schedule of tasks on so many GPUs, all of one kind.

    A task starts when all that it waits for has ended. Those that need GPUs stand in a queue in the
    order in which they became ready; one passes others that need more GPUs than are free.
    Processors, network and disks are never waited for.

    Raises:
        SettingsError: a task needs more GPUs than there are.
    """
    most = max((task.gpus for task in tasks), default=0)
    if most > gpus:
        raise SettingsError(
            f"--gpus {gpus}: a job of this target needs {most} at once, as training_gpus or "
            "inference_gpus of its model's file say."
        )
    followers: list[list[int]] = [[] for _ in tasks]
    for place, task in enumerate(tasks):
        for other in task.after:
            followers[other].append(place)
    open_needs = [len(task.after) for task in tasks]
    starts, ends = [0.0] * len(tasks), [0.0] * len(tasks)
    ready_at = [0.0] * len(tasks)
    cause: list[int | None] = [None] * len(tasks)
    queue = [place for place, needed in enumerate(open_needs) if not needed]
    running: list[tuple[float, int]] = []
    now, free, last = 0.0, gpus, None
    while queue or running:
        waiting = []
        for place in queue:
            task = tasks[place]
            if task.gpus > free:
                waiting.append(place)
                continue
            free -= task.gpus
            starts[place], ends[place] = now, now + task.hours
            if now > ready_at[place]:
                cause[place] = last
            heapq.heappush(running, (ends[place], place))
        queue = waiting
        now, last = heapq.heappop(running)
        free += tasks[last].gpus
        for place in followers[last]:
            open_needs[place] -= 1
            if not open_needs[place]:
                ready_at[place], cause[place] = now, last
                queue.append(place)
    return Schedule(
        gpus,
        tuple(starts),
        tuple(ends),
        _chain(cause, max(range(len(tasks)), key=ends.__getitem__, default=None)),
        sum(start - ready for start, ready in zip(starts, ready_at, strict=True)),
        sum(task.gpus * task.hours for task in tasks),
    )


def _chain(cause: Sequence[int | None], last: int | None) -> tuple[int, ...]:
    chain = []
    while last is not None:
        chain.append(last)
        last = cause[last]
    return tuple(reversed(chain))


def enough(tasks: Sequence[Task]) -> int:
    """Return the fewest GPUs with which all is done as soon, within 1 %, as with any number."""
    most = sum(task.gpus for task in tasks)
    limit = 1.01 * simulate(tasks, most).hours
    least = max((task.gpus for task in tasks), default=0)
    # One by one: more GPUs can end later, as they may be taken by others first (Graham 1969).
    return next(gpus for gpus in range(least, most + 1) if simulate(tasks, gpus).hours <= limit)
