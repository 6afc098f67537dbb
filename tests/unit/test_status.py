"""How the states of jobs are told, and when all will be ready."""

import os
from datetime import UTC, datetime

import pytest

from itdr.planning.estimate import hours
from itdr.planning.needs import Needs
from itdr.planning.status import JobState, SlurmJob, Status, last_line, slurm_jobs
from itdr.planning.status_page import Forecast, as_text, as_value, forecast
from tests.conftest import ROOT
from tests.machines import needs

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def here(monkeypatch):
    monkeypatch.chdir(ROOT)


def status_of(wanted: Needs, *states: str, **changes) -> Status:
    """Return a status in which the jobs of needs are in these states."""
    left = tuple(JobState(job, state, **changes)
                 for job, state in zip(wanted.jobs, states, strict=True))  # fmt: skip
    return Status(left, {"fetch_dataset": 1200}, at_work=True, locked=True)


def test_all_is_ready_when_the_gpus_have_done_what_is_left():
    wanted = needs("train_adapter qwen2.5-7b/itdr", "train_adapter qwen2.5-7b/wo-uii")
    first, second = (hours(job, wanted.sizes, wanted.measured) for job in wanted.jobs)
    waiting = status_of(wanted, "to do", "to do")
    assert forecast(waiting, wanted, None, 2).hours == pytest.approx(first + second)
    assert forecast(waiting, wanted, 2, 2).hours == pytest.approx(max(first, second))
    # What a running job has done already is not done again, and no time is below zero.
    running = status_of(wanted, "running", "running", hours=1000.0)
    assert forecast(running, wanted, None, 2) == Forecast(hours=0, gpus=2, processors=2)


def test_jobs_of_this_machine_share_its_processors():
    wanted = needs(*(f"build_examples RP/{name}" for name in ("yelp", "bookcrossing")))
    total = sum(hours(job, wanted.sizes, wanted.measured) for job in wanted.jobs)
    found = forecast(status_of(wanted, "to do", "to do"), wanted, None, 1)
    assert (found.hours, found.gpus) == (pytest.approx(total), 0)


def test_the_text_counts_by_stage_and_names_logs_and_slurm_jobs(tmp_path):
    wanted = needs("train_adapter qwen2.5-7b/itdr", "infer_model qwen2.5-7b/itdr",
                   "audit_examples", "make_page")  # fmt: skip
    states = (
        JobState(wanted.jobs[0], "running", tmp_path / "a.log", "step 9 of 10", 2.5, ("814",)),
        JobState(wanted.jobs[1], "queued", tmp_path / "b.log", slurm=("815",)),
        JobState(wanted.jobs[2], "failed", tmp_path / "c.log", "itdr audit: no examples"),
        JobState(wanted.jobs[3], "to do"),
    )
    status = Status(states, {"fetch_dataset": 1200}, at_work=True, locked=True)
    found = forecast(status, wanted, None, 2)
    text = as_text("main", status, found, NOW)
    assert "main: 1,200 of 1,204 jobs are done." in text
    assert "stage            done  running  queued  failed  to do" in text
    assert "Running\n  train_adapter qwen2.5-7b/itdr, for 2.5 h, Slurm job 814\n" in text
    assert f"    {tmp_path}/a.log\n    step 9 of 10\n" in text
    assert "Waiting in Slurm's queue\n  infer_model qwen2.5-7b/itdr, Slurm job 815\n" in text
    assert f"  audit_examples\n    {tmp_path}/c.log\n    itdr audit: no examples\n" in text
    assert "Ready in about" in text and "at 2026-03-0" in text and "on 1 GPU" in text
    value = as_value("main", status, found)
    assert value["jobs"] == {"done": 1200, "running": 1, "queued": 1, "failed": 1, "to do": 1}


def test_a_lock_that_nobody_here_holds_is_named():
    wanted = needs("make_page")
    status = Status((JobState(wanted.jobs[0], "to do"),), {}, at_work=False, locked=True)
    text = as_text("all", status, forecast(status, wanted, None, 1), NOW)
    assert "snakemake --unlock" in text and "Nothing runs." in text


def test_the_last_line_of_a_log_is_found_from_its_end(tmp_path):
    log = tmp_path / "log"
    log.write_bytes(b"x" * 100_000 + b"\nitdr train: no \xff room\n\n  \n")
    assert last_line(log) == "itdr train: no \ufffd room"
    assert last_line(tmp_path / "none") == ""


def test_slurm_is_asked_for_ones_own_jobs(tmp_path, monkeypatch):
    squeue = tmp_path / "squeue"
    squeue.write_text('#!/bin/sh\necho "$@" >&2\n'
                      'echo "7|PENDING|rule_train_adapter_wildcards_tiny_itdr_42"\n')  # fmt: skip
    squeue.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert slurm_jobs() == [SlurmJob("7", "PENDING", "rule_train_adapter_wildcards_tiny_itdr_42")]
    squeue.write_text("#!/bin/sh\nexit 1\n")
    assert slurm_jobs() == []
