"""LoRA training: loss on answers alone, a fixed order, and going on after a kill."""

import json
import math
import shlex
import signal
import subprocess
import sys
import time

import pyarrow as pa
import pytest
import torch
from safetensors.torch import load_file

from itdr.errors import DataError, ModelError
from itdr.instructions.record import RECORD
from itdr.models.prompt import TokenizedExample
from itdr.settings.experiment import TrainingSettings
from itdr.settings.flags import as_flags
from itdr.settings.model import ModelSettings
from itdr.storage import read_json, write_parquet
from itdr.training.examples import collate, order
from itdr.training.lora import mean_over_examples, train

SETTINGS = TrainingSettings(
    learning_rate=5e-3, epochs=2, batch_size=4, micro_batch_size=2, lora_rank=4, save_steps=2,
    max_length=200,
)  # fmt: skip


@pytest.fixture
def model(random_model):
    return ModelSettings(
        model="t", title="T", source=str(random_model), dtype="float32", memory_mb=500
    )


@pytest.fixture
def mixture(tmp_path):
    rows = [
        {"id": f"RP/yelp/{n}", "task": "RP", "dataset": "yelp", "user_id": str(n),
         "instruction": "Rate.", "input": f"item {n}", "output": str(n % 5), "template_version": 1}
        for n in range(24)
    ]  # fmt: skip
    path = tmp_path / "mixture.parquet"
    write_parquet(path, pa.Table.from_pylist(rows, schema=RECORD))
    return path


def test_labels_are_the_answer_and_its_end_alone():
    batch = collate([TokenizedExample([5, 6, 7, 8], 2), TokenizedExample([5, 9], 1)], pad_id=0)
    assert batch["input_ids"].tolist() == [[5, 6, 7, 8], [5, 9, 0, 0]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 1], [1, 1, 0, 0]]
    assert batch["labels"].tolist() == [[-100, -100, 7, 8], [-100, 9, -100, -100]]


def test_each_epoch_has_every_row_once_in_an_order_of_its_own():
    rows = order([3] * 50, SETTINGS, seed=1)
    assert sorted(rows[:50]) == sorted(rows[50:]) == list(range(50))
    assert rows[:50] != rows[50:]
    assert rows == order([3] * 50, SETTINGS, seed=1) != order([3] * 50, SETTINGS, seed=2)


def test_half_an_epoch_has_half_the_rows():
    settings = SETTINGS.model_copy(update={"epochs": 1.5})
    assert len(order([3] * 50, settings, seed=1)) == 75


def test_rows_that_share_a_forward_pass_have_similar_lengths():
    lengths = [10, 200] * 40
    rows = order(lengths, SETTINGS, seed=1)
    mixed = sum(len({lengths[row] for row in rows[i : i + 4]}) > 1 for i in range(0, 80, 4))
    assert mixed <= 2


def test_training_lowers_the_loss_and_leaves_an_adapter_with_its_history(model, mixture, tmp_path):
    train(model, mixture, tmp_path / "adapter", SETTINGS, seed=1)
    run = read_json(tmp_path / "adapter" / "run.json")
    assert run["examples"] == 24 and run["steps"] == 12 and run["too_long"] == {}
    losses = [float(line.split(",")[1]) for line in read_losses(tmp_path / "adapter").split()[1:]]
    assert len(losses) == 12 and sum(losses[-3:]) < sum(losses[:3])
    assert (tmp_path / "adapter" / "losses.csv").read_text().startswith("step,loss,learning_rate\n")
    assert not (tmp_path / "adapter.checkpoints").exists()
    weights = load_file(tmp_path / "adapter" / "adapter_model.safetensors")
    assert any(w.abs().max() > 0 for name, w in weights.items() if "lora_B" in name)


def test_over_long_examples_are_counted_or_refused_but_never_cut(model, mixture, tmp_path):
    short = SETTINGS.model_copy(update={"max_length": 48})
    table = pa.concat_tables([read_records(mixture), long_record()])
    write_parquet(mixture, table)
    longest = SETTINGS.model_copy(update={"max_length": 80, "epochs": 0.5})
    train(model, mixture, tmp_path / "a", longest, seed=1)
    run = read_json(tmp_path / "a" / "run.json")
    assert run["too_long"] == {"TKR": 1} and run["examples"] == 24
    refusing = longest.model_copy(update={"too_long": "refuse"})
    with pytest.raises(DataError, match=r"example 'TKR/yelp/long' has .* tokens; max_length is 80"):
        train(model, mixture, tmp_path / "b", refusing, seed=1)
    with pytest.raises(DataError, match="no example has at most 16 tokens"):
        train(model, mixture, tmp_path / "c", short.model_copy(update={"max_length": 16}), seed=1)


def read_records(path):
    from itdr.storage import read_parquet

    return read_parquet(path, RECORD)


def long_record():
    return pa.Table.from_pylist(
        [{"id": "TKR/yelp/long", "task": "TKR", "dataset": "yelp", "instruction": "Rank.",
          "input": "x" * 300, "output": "y", "template_version": 1}],
        schema=RECORD,
    )  # fmt: skip


def test_a_killed_training_goes_on_and_ends_like_an_undisturbed_one(model, mixture, tmp_path):
    settings = SETTINGS.model_copy(update={"epochs": 8, "save_steps": 4})
    train(model, mixture, tmp_path / "whole", settings, seed=3)
    model_file = tmp_path / "t.yaml"
    model_file.write_text(json.dumps(model.model_dump(mode="json")))
    process = subprocess.Popen(
        [sys.executable, "-m", "itdr", "train", "--model", model_file, "--mixture", mixture,
         "--out", tmp_path / "killed", "--seed", "3", *shlex.split(as_flags(settings))],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    checkpoints = tmp_path / "killed.checkpoints"
    deadline = time.monotonic() + 60
    while not list(checkpoints.glob("checkpoint-*/trainer_state.json")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "killed").exists()
    train(model, mixture, tmp_path / "killed", settings, seed=3)
    ours, theirs = (
        load_file(tmp_path / name / "adapter_model.safetensors") for name in ("killed", "whole")
    )
    for name in theirs:
        torch.testing.assert_close(ours[name], theirs[name], rtol=1e-4, atol=1e-5)
    assert read_losses(tmp_path / "killed") == read_losses(tmp_path / "whole")
    assert not checkpoints.exists()


def read_losses(adapter):
    return (adapter / "losses.csv").read_text()


def test_checkpoints_of_another_training_are_refused_by_the_name_of_the_field(
    model, mixture, tmp_path
):
    folder = tmp_path / "adapter.checkpoints"
    folder.mkdir()
    train(model, mixture, tmp_path / "first", SETTINGS, seed=1)
    run = read_json(tmp_path / "first" / "run.json")
    note = {key: run[key] for key in ("model", "mixture_sha256", "settings", "seed")}
    (folder / "manifest.json").write_text(json.dumps(note | {"seed": 9}))
    with pytest.raises(DataError, match=r"manifest\.json: 'seed' is 9 in the work that was"):
        train(model, mixture, tmp_path / "adapter", SETTINGS, seed=1)


def test_a_model_that_is_not_there_is_explained(mixture, tmp_path):
    gone = ModelSettings(
        model="t", title="T", source="./no/such/model", dtype="float32", memory_mb=500
    )
    with pytest.raises(ModelError, match="no such model folder"):
        train(gone, mixture, tmp_path / "a", SETTINGS, seed=1)
    hub = gone.model_copy(update={"source": "someone/gated-model"})
    with pytest.raises(ModelError, match=r"cannot be loaded.*HF_TOKEN"):
        train(hub, mixture, tmp_path / "a", SETTINGS, seed=1)


def test_the_mean_over_examples_gives_short_answers_the_weight_of_long_ones():
    from types import SimpleNamespace

    logits = torch.tensor([[[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]], [[0.0, 3.0], [0.0, 3.0], [0, 0]]])
    labels = torch.tensor([[-100, 1, 1], [-100, -100, 0]])
    loss = mean_over_examples(SimpleNamespace(logits=logits), labels, batch_size=2)
    even, sure = math.log(2), math.log(1 + math.exp(3))
    assert loss.item() == pytest.approx((even + sure) / 2, rel=1e-6)
