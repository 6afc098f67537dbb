"""Snakemake itself is killed, interrupted, started twice, or finds the clock turned back."""

import os
import signal
import time

import psutil
import pytest

from itdr.files.checksums import sha256
from tests.workflow.test_chain import WORLD

TARGET = "results/mixtures/itdr/42/train.parquet"


@pytest.fixture
def started(project):
    """Return a function that starts Snakemake in a process group of its own."""
    project.configure(simulated_world=WORLD, pairs=["RP/movielens-32m", "UAP/movielens-1m"])
    running = []

    def start(*words):
        log = (project.folder / "snakemake.log").open("w")
        process = project.start(*words, log=log)
        running.append(process)
        return process

    yield start
    for process in running:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(path, process, seconds=300):
    end = time.monotonic() + seconds
    while not path.exists():
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.02)


def made(folder):
    return {str(path.relative_to(folder)): sha256(path) for path in folder.rglob("*.parquet")}


def test_a_second_start_is_refused_and_a_killed_one_goes_on_after_unlock(project, started):
    results = project.folder / "results"
    first = started(TARGET)
    wait_for(results / "tables/movielens-32m/quality.json", first)
    refused = project.snakemake(TARGET)
    assert refused.returncode == 1
    assert "cannot be locked" in refused.stdout and "--unlock" in refused.stdout
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    assert not (project.folder / TARGET).exists()
    finished = [
        results / "simulated/movielens-32m/ratings.csv",
        results / "tables/movielens-32m/interactions.parquet",
    ]
    times = [path.stat().st_mtime_ns for path in finished]

    refused = project.snakemake(TARGET)
    assert refused.returncode == 1
    assert "caused by a kill signal" in refused.stdout and "--unlock" in refused.stdout
    assert project.snakemake("--unlock").returncode == 0
    again = project.snakemake(TARGET)
    assert again.returncode == 0, again.stdout[-3000:]
    assert [path.stat().st_mtime_ns for path in finished] == times
    assert not list(results.rglob(".*.part")) and not list(results.rglob(".lock"))

    project.configure(
        simulated_world=WORLD, pairs=["RP/movielens-32m", "UAP/movielens-1m"], results="other"
    )
    whole = project.snakemake(TARGET.replace("results", "other"))
    assert whole.returncode == 0, whole.stdout[-3000:]
    assert made(results) == made(project.folder / "other")


def test_ctrl_c_ends_the_workflow_and_its_jobs_soon(project, started):
    results = project.folder / "results"
    run = started(TARGET)
    wait_for(results / "simulated/movielens-32m", run)
    children = psutil.Process(run.pid).children(recursive=True)
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does
    assert run.wait(60) != 0  # Snakemake takes its time where many jobs have begun
    assert not psutil.wait_procs(children, timeout=1)[1]
    assert "Traceback" not in (project.folder / "snakemake.log").read_text()
    again = project.snakemake(TARGET)  # without --unlock
    assert again.returncode == 0, again.stdout[-3000:]


@pytest.mark.slow
def test_times_that_make_no_sense_cost_work_but_never_change_a_result(project, started):
    results = project.folder / "results"
    done = project.snakemake(TARGET)
    assert done.returncode == 0, done.stdout[-3000:]
    before = made(results)
    tomorrow = time.time() + 86_400
    examples = results / "instructions/RP/movielens-32m/examples.parquet"
    os.utime(examples, (tomorrow, tomorrow))
    jobs = project.jobs(TARGET)
    assert "build_examples" not in jobs and jobs.get("split_examples", 0) <= 1, jobs
    again = project.snakemake(TARGET)
    assert again.returncode == 0 and made(results) == before
    assert project.snakemake(TARGET, "--touch").returncode == 0
    assert project.jobs(TARGET) == {}
