"""GPUs are held by one job at a time; an nvidia-smi of our own pretends that there are some."""

import os
import re
import select
import socket
import subprocess
import sys

import pytest
import torch

from itdr.cli.main import main
from itdr.errors import SettingsError
from itdr.inference import engines
from itdr.models import gpus
from tests.conftest import ROOT

SMI = """#!/bin/sh
echo "0, GPU-{run}-a"
echo "1, GPU-{run}-b"
"""
JOB = """
import os, sys, time
from itdr.models import gpus
gpus._wrong_build = lambda install: ()
gpus._refusal = lambda: ""
with gpus.hold_gpus(int(sys.argv[1]), "t.yaml: training_gpus", "make setup"):
    print(os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
    time.sleep(60)
"""


WRONG_BUILD, REFUSAL = gpus._wrong_build, gpus._refusal


def hold(count=1):
    return gpus.hold_gpus(count, "t.yaml: training_gpus", "make setup")


def refused(words):
    return pytest.raises(SettingsError, match=re.escape(words))


@pytest.fixture
def two_gpus(tmp_path, monkeypatch):
    """A machine with two GPUs that no other test knows."""
    smi, run = tmp_path / "nvidia-smi", f"{os.getpid()}-{tmp_path.name}"
    smi.write_text(SMI.format(run=run))
    smi.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    for name in ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "RANK"):
        # Set first, so that what the code under test sets is taken back too.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    # There is nothing behind them that torch could use.
    monkeypatch.setattr(gpus, "_wrong_build", lambda install: ())
    monkeypatch.setattr(gpus, "_refusal", lambda: "")
    return f"GPU-{run}"


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
    with hold():
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "1"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    with refused("t.yaml: training_gpus asks for 2 GPUs") as said, hold(2):
        pass
    assert "CUDA_VISIBLE_DEVICES is '1', which leaves 1 of 2: unset it" in str(said.value)


def test_what_a_launcher_started_holds_nothing(two_gpus, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    with hold(2):
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "0,1"


def test_what_is_meant_for_the_processor_sees_no_gpu(two_gpus):
    with hold(0):
        assert os.environ["CUDA_VISIBLE_DEVICES"] == ""


# GPUs are asked for and none can be used.


def test_no_driver_is_told_with_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with refused("no nvidia-smi on the PATH") as said, hold():
        pass
    assert "snakemake --profile slurm" in str(said.value)


@pytest.mark.parametrize("hidden", ["", "-1"])
def test_gpus_that_are_hidden_are_told(two_gpus, monkeypatch, hidden):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    with refused(f"CUDA_VISIBLE_DEVICES is '{hidden}', which leaves 0 of 2: unset it"), hold():
        pass


def test_too_few_gpus_are_told(two_gpus):
    with refused("nvidia-smi lists 2: take a machine with more"), hold(3):
        pass


@pytest.mark.skipif(torch.version.cuda is not None, reason="torch here is a build for CUDA")
def test_a_build_for_cpus_is_told_with_the_command_that_installs_another(two_gpus, monkeypatch):
    monkeypatch.setattr(gpus, "_wrong_build", WRONG_BUILD)
    with refused("a build for CPUs: 'make setup TORCH=cuda' installs another"), hold():
        pass


@pytest.mark.skipif(torch.cuda.is_available(), reason="torch can use a GPU here")
def test_a_gpu_that_torch_cannot_use_is_told_with_torchs_own_words(two_gpus, monkeypatch):
    monkeypatch.setattr(gpus, "_refusal", REFUSAL)
    with refused("PyTorch cannot use them") as said, hold():
        pass
    assert "CUDA" in str(said.value), "what torch says"
    assert "docs/how-to/gpus.md says which cards and drivers it needs" in str(said.value)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as free:
        free.bind(f"\0itdr-gpu-{two_gpus}-a")  # no longer held


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (["train", "--mixture", "none.parquet"], "training_gpus"),
        (["infer", "--test", "none.parquet", "--engine", "transformers"], "inference_gpus"),
        (["infer", "--test", "none.parquet"], "inference_gpus"),
    ],
)
def test_a_models_file_that_asks_for_gpus_is_refused_before_anything_is_fetched(
    monkeypatch, tmp_path, capsys, words, key
):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(engines, "_VLLM_PYTHON", tmp_path / "none")
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("it uses the network"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "none.parquet").touch()
    model = ROOT / "config" / "models" / "qwen2.5-7b.yaml"
    assert main([*words, "--model", str(model), "--out", str(tmp_path / "out")]) == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert f"qwen2.5-7b.yaml: {key} asks for 1 GPU, which cannot be had here" in line
