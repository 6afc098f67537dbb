"""Validation while training: what is measured, what is kept, when training stops."""

import json
import shlex
import signal
import subprocess
import sys
import time
from functools import partial

import pyarrow as pa
import pytest
import torch

from itdr.errors import SettingsError
from itdr.evaluation.one_value import mean_value
from itdr.evaluation.predictions import cells_of
from itdr.files.formats import read_json, write_parquet
from itdr.inference.in_training import answers_in_training
from itdr.inference.infer import infer
from itdr.instructions.record import PREDICTION, RECORD
from itdr.models.loading import load_adapted, load_tokenizer
from itdr.models.prompt import PromptRenderer
from itdr.settings.experiment import InferenceSettings
from itdr.settings.flags import as_flags
from itdr.settings.folders import FOLDERS
from itdr.settings.model import ModelSettings
from itdr.settings.training import TrainingSettings, ValidationSettings
from itdr.training.lora import train
from itdr.training.validation import HeldOut, best_of, is_enough
from tests.conftest import ROOT

SETTINGS = TrainingSettings(
    learning_rate=1e-2, epochs=8, batch_size=8, lora_rank=4, max_length=200,
    validation=ValidationSettings(every=4),
)  # fmt: skip


def with_validation(**changes):
    return SETTINGS.model_copy(
        update={"validation": SETTINGS.validation.model_copy(update=changes)}
    )


@pytest.fixture
def model(random_model):
    return ModelSettings(
        model="t", title="T", source=str(random_model), dtype="float32", memory_mb=500
    )


def write_rows(path, numbers, answer=lambda n: n % 5 + 1):
    rows = [
        {"id": f"RP/yelp/{n}", "task": "RP", "dataset": "yelp", "user_id": str(n),
         "instruction": "Rate.", "input": f"item {n}", "output": str(answer(n)),
         "template_version": 1}
        for n in numbers
    ]  # fmt: skip
    write_parquet(path, pa.Table.from_pylist(rows, schema=RECORD))
    return path


@pytest.fixture
def mixture(tmp_path):
    return write_rows(tmp_path / "mixture.parquet", range(24))


@pytest.fixture
def held_out(model, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    part = write_rows(
        tmp_path / "val.parquet", range(100, 112), lambda n: n % 2 * 4 + 1
    )  # unlike what is learnt
    answering = partial(
        answers_in_training, model, folders=FOLDERS, description=True, batch_tokens=2000
    )
    return HeldOut((part,), tuple(FOLDERS), True, answering)


def command(model, mixture, held_out, out, settings, *more):
    """Start `itdr train` with seed 3 and return its process."""
    model_file = out.with_name("t.yaml")
    model_file.write_text(json.dumps(model.model_dump(mode="json")))
    return subprocess.Popen(
        [sys.executable, "-m", "itdr", "train", "--model", model_file, "--mixture", mixture,
         "--val", *held_out.parts, "--out", out, "--seed", "3",
         *shlex.split(as_flags(settings)), *more],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip


def values_of(adapter):
    lines = (adapter / "validation.csv").read_text().split()
    assert lines[0] == "step,metric,value,best"
    return [line.split(",") for line in lines[1:]]


def loss_by_hand(model, adapter, part):
    """Return the mean loss of the answers' tokens, by plain PyTorch."""
    import pyarrow.parquet as pq

    adapted = load_adapted(model, adapter)
    renderer = PromptRenderer(load_tokenizer(model))
    total = count = 0.0
    for row in pq.read_table(part).to_pylist():
        example = renderer.example(row["instruction"], row["input"], row["output"])
        ids, n = torch.tensor(example.ids)[None], len(example.ids) - example.prompt_length
        labels = ids.clone()
        labels[:, : example.prompt_length] = -100
        with torch.no_grad():
            total += adapted(ids, labels=labels).loss.item() * n
        count += n
    return total / count


def test_the_loss_of_rows_held_out_chooses_the_adapter(model, mixture, held_out, tmp_path):
    train(model, mixture, tmp_path / "a", SETTINGS, seed=1, held_out=held_out)
    values = values_of(tmp_path / "a")
    assert [int(step) for step, *_ in values] == [4, 8, 12, 16, 20, 24]
    numbers = [float(value) for _, _, value, _ in values]
    best = numbers.index(min(numbers))
    assert [mark for *_, mark in values].index("yes") == best and 0 < best < 5
    assert loss_by_hand(model, tmp_path / "a", held_out.parts[0]) == pytest.approx(
        numbers[best], abs=2e-6
    )
    run = read_json(tmp_path / "a" / "run.json")
    assert run["validation"] == {
        "metric": "loss", "rows": 12, "best_step": 4 * (best + 1), "stopped_early": False,
        "best_value": pytest.approx(numbers[best], abs=1e-6),
    }  # fmt: skip
    assert run["steps"] == 24 and {"validation.csv", "validation.png"} <= set(run["files"])
    card = (tmp_path / "a" / "README.md").read_text()
    assert f"| {4 * (best + 1)}, chosen by loss {numbers[best]:.4f} of 12 labelled rows" in card


def test_measuring_leaves_the_training_as_it_is(model, mixture, held_out, tmp_path):
    dropping = with_validation(metric="rmse").model_copy(
        update={"lora_dropout": 0.1, "gradient_checkpointing": True}
    )
    plain = dropping.model_copy(update={"validation": ValidationSettings()})
    train(model, mixture, tmp_path / "plain", plain, seed=1)
    train(model, mixture, tmp_path / "measured", dropping, seed=1, held_out=held_out)
    plain, measured = ((tmp_path / n / "losses.csv").read_text() for n in ("plain", "measured"))
    assert plain == measured
    assert not (tmp_path / "plain" / "validation.csv").exists()


def test_a_metric_of_answers_is_that_of_inference_with_the_adapter(
    model, mixture, held_out, tmp_path
):
    settings = with_validation(metric="rmse", every=6)
    train(model, mixture, tmp_path / "a", settings, seed=1, held_out=held_out)
    values = values_of(tmp_path / "a")
    kept = next(float(value) for _, _, value, best in values if best == "yes")
    assert kept == min(float(value) for _, _, value, _ in values) and values[0][1] == "rmse"
    out = tmp_path / "answers.parquet"
    infer(model, {out: tmp_path / "a"}, held_out.parts, InferenceSettings(), folders=FOLDERS)
    rows = pa.parquet.read_table(out, schema=PREDICTION).to_pylist()
    assert mean_value(cells_of(rows, FOLDERS, out), "rmse") == pytest.approx(kept, abs=1e-6)


def test_training_stops_when_values_get_no_better_and_can_be_killed_before(
    model, mixture, held_out, tmp_path
):
    settings = with_validation(every=2, patience=3).model_copy(
        update={"epochs": 60, "save_steps": 5}
    )
    train(model, mixture, tmp_path / "whole", settings, seed=3, held_out=held_out)
    run = read_json(tmp_path / "whole" / "run.json")
    best = run["validation"]["best_step"]
    assert run["validation"]["stopped_early"] and run["steps"] == best + 6 < 180

    process = command(model, mixture, held_out, tmp_path / "killed", settings)
    checkpoints = tmp_path / "killed.checkpoints"
    deadline = time.monotonic() + 300
    while not list(checkpoints.glob("checkpoint-*/sha256.json")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "killed").exists()
    train(model, mixture, tmp_path / "killed", settings, seed=3, held_out=held_out)
    for name in ("adapter_model.safetensors", "losses.csv", "validation.csv"):
        whole, killed = ((tmp_path / folder / name).read_bytes() for folder in ("whole", "killed"))
        assert killed == whole, name


def test_the_first_best_value_counts_and_patience_from_there():
    ups = [(10, 0.5), (20, 0.7), (30, 0.7), (40, None), (50, 0.6)]
    assert best_of(ups, "auc") == 20 and best_of(ups, "rmse") == 10 and best_of([], "loss") is None
    assert best_of([(1, None)], "loss") is None
    for patience, enough in ((None, False), (4, False), (3, True)):
        settings = ValidationSettings(every=10, metric="auc", patience=patience)
        assert is_enough(ups, settings) is enough


def test_what_cannot_be_validated_is_refused(model, mixture, held_out, tmp_path):
    with pytest.raises(SettingsError, match="nothing to validate with: give --val"):
        train(model, mixture, tmp_path / "a", SETTINGS, seed=1)
    wrong = with_validation(metric="auc")
    with pytest.raises(SettingsError, match="metric is 'auc', which goes with the answers to none"):
        train(model, mixture, tmp_path / "a", wrong, seed=1, held_out=held_out)
    with pytest.raises(ValueError, match="unknown metric 'acu'"):
        ValidationSettings(every=1, metric="acu")
    with pytest.raises(ValueError, match="whole weights in each process"):
        TrainingSettings(fsdp=True, validation=ValidationSettings(every=1))


@pytest.mark.parametrize("metric", ["loss", "rmse"])
def test_two_processes_measure_what_one_measures(model, mixture, held_out, tmp_path, metric):
    settings = with_validation(metric=metric, every=12)
    train(model, mixture, tmp_path / "one", settings, seed=3, held_out=held_out)
    done = command(model, mixture, held_out, tmp_path / "two", settings, "--processes=2")
    assert done.wait() == 0
    one, two = (values_of(tmp_path / name) for name in ("one", "two"))
    for ours, theirs in zip(one, two, strict=True):
        assert float(ours[2]) == pytest.approx(float(theirs[2]), abs=1e-4)
