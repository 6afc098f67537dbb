"""Several processes learn what one learns."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from itdr.errors import SettingsError
from itdr.settings.flags import as_flags
from itdr.training.lora import train
from tests.unit.test_training import SETTINGS, mixture, model, read_losses  # noqa: F401


@pytest.fixture
def command(model, mixture, tmp_path):  # noqa: F811
    """Return a function that runs `itdr train` with changed settings and returns its result."""
    file = tmp_path / "t.yaml"
    file.write_text(json.dumps(model.model_dump(mode="json")))

    def run(out, **changes):
        flags = as_flags(SETTINGS.model_copy(update=changes))
        words = ["train", "--model", file, "--mixture", mixture, "--out", tmp_path / out]
        return subprocess.run(
            [sys.executable, "-m", "itdr", *words, "--seed", "3", *shlex.split(flags)],
            capture_output=True, text=True, timeout=300,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )  # fmt: skip

    return run


def losses(adapter):
    return [float(line.split(",")[1]) for line in read_losses(adapter).split()[1:]]


def test_two_processes_have_the_losses_and_the_adapter_of_one(
    model, mixture, command, tmp_path  # noqa: F811
):  # fmt: skip
    # 24 examples in batches of 5: the last step has 4, which do not divide evenly either.
    changes = {"batch_size": 5}
    train(model, mixture, tmp_path / "one", SETTINGS.model_copy(update=changes), seed=3)
    done = command("two", processes=2, **changes)
    assert done.returncode == 0, done.stderr
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), abs=2e-5)
    one, two = (load_file(tmp_path / n / "adapter_model.safetensors") for n in ("one", "two"))
    for name in one:
        torch.testing.assert_close(two[name], one[name], rtol=1e-3, atol=1e-5)


def test_a_mistake_is_told_once_and_ends_all_processes(command):
    done = command("two", processes=2, too_long="refuse", max_length=16)
    assert done.returncode == 1 and done.stderr.count("itdr train: example") == 1


def test_settings_for_more_processes_than_were_started_are_refused(model, mixture, tmp_path):  # noqa: F811
    two = SETTINGS.model_copy(update={"processes": 2})
    with pytest.raises(SettingsError, match="processes is 2 and 1 were started"):
        train(model, mixture, tmp_path / "a", two, seed=1)


def test_a_model_on_gpus_trains_with_a_process_for_each(model):  # noqa: F811
    two = model.model_copy(update={"training_gpus": 2})
    assert SETTINGS.of(two).processes == 2
    assert SETTINGS.of(model).processes == SETTINGS.processes == 1
    assert SETTINGS.model_copy(update={"processes": 3}).of(model).processes == 3
    divided = SETTINGS.model_copy(update={"fsdp": True})
    assert divided.of(two).fsdp
    with pytest.raises(SettingsError, match=r"raise 'training_gpus' in config/models/t\.yaml"):
        divided.of(model)


# A rank that is gone ends the others. Here they wait in a system call that knows nothing of each
# other, as in a collective operation of NCCL.

RANKS = """
import ctypes, os, pathlib, sys
from itdr.training.processes import rank, spawned_ranks
with spawned_ranks(3):
    path = pathlib.Path(sys.argv[1], str(rank()))
    path.with_suffix(".new").write_text(str(os.getpid()))
    path.with_suffix(".new").rename(path)
    if rank() == 2:
        print("what rank 2 said last", flush=True)
    ctypes.CDLL(None).sleep(300)
"""


@pytest.fixture
def ranks(tmp_path):
    """Three ranks that wait: the process of rank 0, and the number of each one's process."""
    with subprocess.Popen([sys.executable, "-c", RANKS, tmp_path], text=True,
                          stderr=subprocess.PIPE) as first:  # fmt: skip
        wait_for(lambda: all((tmp_path / name).exists() for name in "012"), 60)
        yield first, [int((tmp_path / name).read_text()) for name in "012"]
        first.kill()


def wait_for(condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.05)


def is_gone(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends what a process has spawned")
def test_ranks_end_when_the_one_that_spawned_them_is_killed(ranks):
    first, processes = ranks
    first.kill()
    wait_for(lambda: all(map(is_gone, processes[1:])), 5)


def test_ranks_end_within_seconds_when_another_is_killed(ranks):
    first, processes = ranks
    os.kill(processes[2], signal.SIGKILL)
    assert first.wait(15) == 1
    wait_for(lambda: all(map(is_gone, processes)), 5)
    assert first.stderr.read() == "rank 2 failed (-9):\nwhat rank 2 said last\n\n"
