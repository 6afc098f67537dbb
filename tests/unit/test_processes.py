"""Several processes learn what one learns."""

import json
import os
import shlex
import subprocess
import sys

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
