"""GPUs are held by one job at a time; an nvidia-smi of our own pretends that there are some."""

import os
import select
import subprocess
import sys

import pytest

from itdr.errors import SettingsError
from itdr.models.gpus import hold_gpus

SMI = """#!/bin/sh
echo "0, GPU-{run}-a"
echo "1, GPU-{run}-b"
"""
JOB = """
import os, sys, time
from itdr.models.gpus import hold_gpus
with hold_gpus(int(sys.argv[1])):
    print(os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
    time.sleep(60)
"""


@pytest.fixture
def two_gpus(tmp_path, monkeypatch):
    """A machine with two GPUs that no other test knows."""
    smi = tmp_path / "nvidia-smi"
    smi.write_text(SMI.format(run=f"{os.getpid()}-{tmp_path.name}"))
    smi.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    for name in ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "RANK"):
        # Set first, so that what the code under test sets is taken back too.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


@pytest.fixture
def start(two_gpus):
    """Return a function that starts a job in a process of its own."""
    started = []

    def job(count=1):
        process = subprocess.Popen([sys.executable, "-c", JOB, str(count)], text=True,
                                   stdout=subprocess.PIPE, env=os.environ)  # fmt: skip
        started.append(process)
        return process

    yield job
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_two_jobs_get_two_gpus_and_a_third_that_of_the_first_to_be_killed(start):
    first, second = start(), start()
    devices = {process.stdout.readline().strip() for process in (first, second)}
    assert devices == {"0", "1"}

    third = start()
    assert not select.select([third.stdout], [], [], 3)[0] and third.poll() is None
    second.kill()
    assert third.stdout.readline().strip() in devices


def test_a_job_that_needs_both_gets_both(start):
    assert start(2).stdout.readline() == "0,1\n"


def test_only_gpus_that_were_visible_before_are_taken(two_gpus, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    with hold_gpus(1):
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "1"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    message = r"2 GPUs are asked for .* and 1 can be used here"
    with pytest.raises(SettingsError, match=message), hold_gpus(2):
        pass


@pytest.mark.parametrize(
    ("count", "variable", "value"),
    [(0, "PATH", None), (1, "RANK", "1"), (1, "CUDA_VISIBLE_DEVICES", "-1")],
)
def test_nothing_is_held_where_nothing_is_to_be_shared(
    two_gpus, monkeypatch, count, variable, value
):
    if value is not None:
        monkeypatch.setenv(variable, value)
    before = os.environ.get("CUDA_VISIBLE_DEVICES")
    with hold_gpus(count):
        assert os.environ.get("CUDA_VISIBLE_DEVICES") == before


def test_a_machine_without_a_driver_goes_on_without(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    with hold_gpus(1):
        assert "CUDA_VISIBLE_DEVICES" not in os.environ
