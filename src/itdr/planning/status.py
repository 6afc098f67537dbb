"""Which jobs of a target are done, running, waiting in Slurm's queue, failed, or still to begin.

Snakemake marks the outputs of a job from its submission to its end, with the job's id in Slurm, and
times a job into its benchmark when it has ended well. A job with a mark runs, if Snakemake is at
work; one with a log that is newer than its benchmark has begun and not ended well.
"""

import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psutil

from itdr.planning.jobs import Job, job_graph, open_in

StateName = Literal["done", "running", "queued", "failed", "to do"]
STATES: tuple[StateName, ...] = ("done", "running", "queued", "failed", "to do")

_LONGEST_LOG = 64 << 10  # bytes of a log's end in which its last line is looked for
_SQUEUE_S = 30
_QUEUED = {"PENDING", "CONFIGURING", "REQUEUED", "SUSPENDED"}


@dataclass(frozen=True)
class JobState:
    """How far a job is.

    Attributes:
        job: the job; its places of others are among the jobs that are left to do.
        state: one of STATES; "failed" are also those that were stopped.
        log: its log file, None for a job without one.
        said: the log's last line; "" where there is none.
        hours: since a running job was submitted.
        slurm: its ids in Slurm.
    """

    job: Job
    state: StateName
    log: Path | None = None
    said: str = ""
    hours: float = 0.0
    slurm: tuple[str, ...] = ()


@dataclass(frozen=True)
class Status:
    """The states of all jobs of some targets.

    Attributes:
        left: those of the jobs left to do, each behind those that it waits for.
        done: how many jobs of each rule are done.
        at_work: whether Snakemake is at work in this folder on this machine.
        locked: whether Snakemake's lock is on the targets' files.
    """

    left: tuple[JobState, ...]
    done: Mapping[str, int]
    at_work: bool
    locked: bool

    def of(self, state: StateName) -> list[JobState]:
        """Return the jobs left to do that are in a state."""
        return [one for one in self.left if one.state == state]


@dataclass(frozen=True)
class SlurmJob:
    """A job of this user as Slurm lists it; comment: "rule_RULE_wildcards_VALUES"."""

    number: str
    state: str
    comment: str


def load_status(targets: Sequence[str], snakefile: Path, configfiles: Sequence[Path]) -> Status:
    """Return the states of all jobs of the targets.

    Raises:
        SettingsError: Snakemake cannot plan the targets.
    """
    dag = job_graph(targets, snakefile, configfiles)
    listed = slurm_jobs()
    at_work = _is_at_work(Path.cwd())
    locked = bool(dag.workflow.persistence.locked)
    wanted = open_in(dag)
    done: dict[str, int] = {}
    for job in dag.jobs:
        if job.output and job not in wanted:
            done[job.rule.name] = done.get(job.rule.name, 0) + 1
    left = [_state(dag, given, job, listed, at_work or locked) for given, job in wanted.items()]
    return Status(tuple(left), dict(sorted(done.items())), at_work, locked)


def slurm_jobs() -> list[SlurmJob]:
    """Return this user's jobs as Slurm lists them; none where there is no Slurm."""
    try:
        done = subprocess.run(
            ["squeue", "--me", "--noheader", "--format=%i|%T|%k"],
            capture_output=True, text=True, timeout=_SQUEUE_S, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return []
    rows = [line.split("|", 2) for line in done.stdout.splitlines()]
    return [SlurmJob(*row) for row in rows if len(row) == 3]


def last_line(log: Path) -> str:
    """Return the last line of a log that is not empty, "" where there is none."""
    with suppress(OSError), log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _LONGEST_LOG))
        lines = file.read().decode(errors="replace").splitlines()
        return next((line.strip() for line in reversed(lines) if line.strip()), "")
    return ""


def _state(
    dag: Any, given: Any, job: Job, listed: Iterable[SlurmJob], snakemake_runs: bool
) -> JobState:
    """Return the state of a job that is left to do."""
    persistence = dag.workflow.persistence
    keys = [str(path) for path in given.output]
    log = Path(str(given.log[0])) if given.log else None
    marked = sorted(persistence._filter_incomplete_keys(keys))
    ids = set(persistence.external_jobids(given))
    comment = f"rule_{given.name}_wildcards_{'_'.join(given.wildcards).replace('/', '_')}"
    mine = [one for one in listed if one.number in ids or (marked and one.comment == comment)]
    if marked and not mine:
        # Jobs that share a Slurm job; their rules stand behind the group's name.
        groups = [one for one in listed if "_wildcards_" not in one.comment
                  and f"_{given.name}" in one.comment]  # fmt: skip
        mine = groups if len(groups) == 1 else []
    runs = bool(mine) or (not ids and snakemake_runs)
    if marked and runs:
        started = [persistence._get_recorded_starttime(key) for key in marked]
        hours = max(0.0, time.time() - min(filter(None, started), default=time.time())) / 3600
        queued = bool(mine) and all(one.state in _QUEUED for one in mine)
        numbers = tuple(one.number for one in mine)
        if queued:
            return JobState(job, "queued", log, slurm=numbers)
        return JobState(job, "running", log, last_line(log) if log else "", hours, numbers)
    benchmark = Path(str(given.benchmark)) if given.benchmark else None
    if log is not None and _is_newer(log, benchmark):
        return JobState(job, "failed", log, last_line(log))
    return JobState(job, "to do", log)


def _is_newer(log: Path, benchmark: Path | None) -> bool:
    """Say whether a job has written to its log and not ended well since."""
    if not log.is_file() or benchmark is None:
        return False
    return not benchmark.is_file() or benchmark.stat().st_mtime < log.stat().st_mtime


def _is_at_work(folder: Path) -> bool:
    """Say whether a Snakemake runs in a folder on this machine, this process not counted."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            words = process.cmdline()
            if (
                any(Path(word).name in ("snakemake", "snakemake.cli") for word in words[:4])
                and Path(process.cwd()) == folder
            ):
                return True
    return False
