"""What befalls jobs on a cluster, and that nothing is lost by it."""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from itdr.files.formats import read_json
from tests.cluster.conftest import Clone, Seen
from tests.cluster.slurm import Cluster, Job

CANCELLED, HUNG, GREEDY = "tiny_data-75_42", "tiny_data-25_42", "greedy_itdr_42"
ADAPTERS = [f"results/adapters/{name.replace('_', '/')}" for name in (CANCELLED, HUNG, GREEDY)]


def trainings(cluster: Cluster) -> Iterator[tuple[Job, int]]:
    """Yield the running Slurm jobs that train, each with its `itdr train` process."""
    for job in cluster.jobs():
        if "train_adapter" in job.comment and job.state == "RUNNING":
            for process, _ in cluster.processes_of(job):
                with suppress(OSError):  # it has ended
                    words = Path(f"/proc/{process}/cmdline").read_text().split("\0")
                    if words[1:4] == ["-m", "itdr", "train"]:
                        yield job, process


def wait(what: str, done: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.2)


def mischief(cluster: Cluster) -> None:
    """Hang a training, cancel another, drain the node, resume it, restart the controller."""
    fates: dict[str, Callable[[Job, int], object]] = {
        HUNG: lambda _, process: os.kill(process, signal.SIGSTOP),
        CANCELLED: lambda job, _: cluster.run("scancel", job.number),
    }

    def fulfilled() -> bool:
        for job, process in trainings(cluster):
            for name in [name for name in fates if name in job.comment]:
                fates.pop(name)(job, process)
        return not fates

    def submitted_again() -> bool:
        return any(job.state == "PENDING" for job in cluster.jobs() if CANCELLED in job.comment)

    wait("both trainings running", fulfilled, 300)
    node = f"nodename={cluster.node}"
    cluster.run("scontrol", "update", node, "state=drain", "reason=maintenance")
    wait("the cancelled training submitted again", submitted_again, 120)
    time.sleep(3)  # in which it would start
    assert submitted_again()
    assert "drain" in cluster.run("sinfo", "-h", "-o", "%T")
    cluster.run("scontrol", "update", node, "state=resume")
    cluster.end("slurmctld")
    time.sleep(5)
    cluster.start("slurmctld")
    cluster.wait_until_it_answers()


@pytest.fixture(scope="module")
def faulty(clone: Clone) -> Seen:
    """Three trainings, with all that can go wrong."""
    models = clone.folder / "config" / "models"
    tiny = (models / "tiny.yaml").read_text()
    (models / "greedy.yaml").write_text(
        tiny.replace("model: tiny", "model: greedy", 1).replace("memory_mb: 3000", "memory_mb: 500")
    )
    return clone.run(
        *ADAPTERS,
        "--set-resources",
        "train_adapter:runtime=attempt ** 4 if wildcards.variant == 'data-25' else 60",
        meanwhile=mischief,
        columns=["tiny/itdr", "tiny/data-75", "tiny/data-25", "greedy/itdr"],
    )


def test_everything_is_there_in_the_end(faulty, clone):
    assert faulty.status == 0, faulty.output[-3000:]
    for adapter in ADAPTERS:
        run = read_json(clone.folder / adapter / "run.json")
        assert run["steps"] > 0
    assert not list(clone.folder.glob("results/adapters/**/*.checkpoints"))


def test_a_cancelled_job_is_submitted_again(faulty):
    assert [job.state for job in faulty.of(CANCELLED)] == ["CANCELLED", "COMPLETED"]


def test_a_job_out_of_time_is_submitted_again_with_more(faulty):
    jobs = faulty.of(HUNG)
    assert [(job.state, job.minutes) for job in jobs] == [("TIMEOUT", 1), ("COMPLETED", 16)]


def test_a_job_over_its_memory_is_submitted_again_with_more(faulty):
    *first, last = faulty.of(GREEDY)
    assert first and {job.state for job in first} <= {"FAILED", "OUT_OF_MEMORY"}
    assert last.state == "COMPLETED"
    assert [job.memory for job in (*first, last)] == [500 * n for n in range(1, len(first) + 2)]


def test_no_job_starts_on_a_drained_node_and_none_is_lost(faulty):
    again = faulty.of(CANCELLED)[1]
    waiting = {job.reason for moment in faulty.moments for job in moment
               if job.number == again.number and job.state == "PENDING"}  # fmt: skip
    # Which of its reasons Slurm names depends on when it last looked.
    assert any(re.search("DRAINED|Unavail|Resources", reason) for reason in waiting), waiting


def test_a_restarted_controller_forgets_no_job_and_nothing_is_done_twice(faulty):
    trainings = faulty.of("rule_train_adapter")
    others = [job for job in faulty.jobs if job not in trainings]
    assert [job.state for job in trainings].count("COMPLETED") == len(ADAPTERS)
    assert {job.state for job in others} == {"COMPLETED"}
    assert len({job.comment for job in others}) == len(others)


@pytest.fixture(scope="module")
def failing(clone: Clone, faulty: Seen) -> Seen:
    """Two jobs that can never succeed, one of them in a group."""
    assert faulty.status == 0
    results = clone.folder / "results"
    (results / "tables/movielens-32m/users.parquet").write_bytes(b"no table")
    (results / "instructions/RP/movielens-32m/examples.parquet").unlink()
    (clone.folder / "empty").mkdir()
    return clone.run(
        "results/instructions/RP/movielens-32m/examples.parquet",
        "results/raw/mind/manifest.json",
        "--retries",
        "0",
        "--rerun-triggers",
        "input",
        raw_folders={"mind": "empty"},
    )


@pytest.mark.parametrize(
    ("log", "said"),
    [("fetch/mind", "behaviors.tsv"), ("build/RP/movielens-32m", "users.parquet")],
)
def test_the_message_of_a_failure_names_the_log_and_shows_it(failing, log, said):
    assert failing.status == 1
    assert f"log: results/logs/{log}.log (check log file(s) for error details)" in failing.output
    assert said in failing.output
    assert "results/benchmarks/" in failing.output


def test_the_message_of_a_failure_names_the_log_of_slurm_itself(failing, clone):
    assert len(failing.jobs) == 2
    for job in failing.jobs:
        (log,) = clone.folder.glob(f".snakemake/slurm_logs/**/{job.number}.log")
        assert str(log) in failing.output
