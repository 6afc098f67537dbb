"""LoRA training: what it leaves, what it refuses, and going on after a kill."""

import json
import re
import shlex
import signal
import subprocess
import sys
import time

import pyarrow as pa
import pytest
import torch
from safetensors.torch import load_file
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import TrainerCallback

from itdr.cli.main import main
from itdr.errors import DataError, ModelError, SettingsError, TrainingError
from itdr.files.formats import read_json, write_parquet
from itdr.instructions.record import RECORD
from itdr.models.loading import load_model, load_tokenizer
from itdr.models.prompt import PromptRenderer
from itdr.settings.flags import as_flags
from itdr.settings.model import ModelSettings
from itdr.settings.training import TrainingSettings
from itdr.training.batches import Steps
from itdr.training.examples import tokenize
from itdr.training.lora import train
from itdr.training.packing import steps
from itdr.training.trainer import StepTrainer
from tests import varlen_on_cpu

SETTINGS = TrainingSettings(
    learning_rate=5e-3, epochs=2, batch_size=4, lora_rank=4, save_steps=2, max_length=200,
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


def test_training_lowers_the_loss_and_leaves_an_adapter_with_its_history(model, mixture, tmp_path):
    train(model, mixture, tmp_path / "adapter", SETTINGS, seed=1)
    run = read_json(tmp_path / "adapter" / "run.json")
    assert run["examples"] == 24 and run["steps"] == 12 and run["dropped"] == run["cut"] == {}
    losses = [float(line.split(",")[1]) for line in read_losses(tmp_path / "adapter").split()[1:]]
    assert len(losses) == 12 and sum(losses[-3:]) < sum(losses[:3])
    assert (tmp_path / "adapter" / "losses.csv").read_text().startswith("step,loss,learning_rate\n")
    assert not (tmp_path / "adapter.checkpoints").exists()
    weights = load_file(tmp_path / "adapter" / "adapter_model.safetensors")
    assert any(w.abs().max() > 0 for name, w in weights.items() if "lora_B" in name)


def test_over_long_examples_are_counted_and_dropped_or_refused(model, mixture, tmp_path):
    write_parquet(mixture, pa.concat_tables([read_records(mixture), long_record()]))
    longest = SETTINGS.model_copy(update={"max_length": 80, "epochs": 0.5})
    train(model, mixture, tmp_path / "a", longest, seed=1)
    run = read_json(tmp_path / "a" / "run.json")
    assert run["dropped"] == {"TKR": 1} and run["cut"] == {} and run["examples"] == 24
    refusing = longest.model_copy(update={"too_long": "refuse"})
    with pytest.raises(DataError, match=r"example 'TKR/yelp/long' has .* tokens; max_length is 80"):
        train(model, mixture, tmp_path / "b", refusing, seed=1)
    short = SETTINGS.model_copy(update={"max_length": 16})
    with pytest.raises(DataError, match="no example has at most 16 tokens"):
        train(model, mixture, tmp_path / "c", short, seed=1)


def test_cutting_takes_the_beginning_of_the_input_and_never_the_answer(model, mixture):
    table = pa.concat_tables([read_records(mixture), long_record(), hopeless_record()])
    tokenizer = load_tokenizer(model)
    settings = SETTINGS.model_copy(update={"max_length": 80, "too_long": "cut"})
    done = tokenize(table, PromptRenderer(tokenizer), settings)
    assert done.cut == {"TKR": 1} and done.dropped == {"IR": 1} and len(done.examples) == 25
    last = done.examples[-1]
    assert 78 <= len(last.ids) <= 80
    text = tokenizer.decode(last.ids)
    assert text.startswith("<|im_start|>user\nRank.\n\nxx") and "xx the end<|im_end|>" in text
    assert tokenizer.decode(last.ids[last.prompt_length :]) == "y<|im_end|>"


def test_on_the_whole_text_a_step_has_the_mean_loss_of_all_its_tokens(model, mixture, tmp_path):
    settings = SETTINGS.model_copy(update={"loss_on": "text", "batch_size": 24, "epochs": 1})
    train(model, mixture, tmp_path / "a", settings, seed=1)
    renderer, base = PromptRenderer(load_tokenizer(model)), load_model(model)
    total = count = 0
    for example in tokenize(read_records(mixture), renderer, SETTINGS).examples:
        ids = torch.tensor(example.ids, dtype=torch.long)[None]
        total += base(ids, labels=ids).loss.item() * (len(example.ids) - 1)
        count += len(example.ids) - 1
    assert read_json(tmp_path / "a" / "run.json")["first_loss"] == pytest.approx(
        total / count, rel=1e-4
    )


def read_records(path):
    from itdr.files.formats import read_parquet

    return read_parquet(path, RECORD)


def long_record():
    return record("TKR", "x" * 300 + " the end", "y")


def hopeless_record():
    return record("IR", "short", "an answer that is too long by itself " * 3)


def record(task, text, answer):
    row = {
        "id": f"{task}/yelp/long", "task": task, "dataset": "yelp", "instruction": "Rank.",
        "input": text, "output": answer, "template_version": 1,
    }  # fmt: skip
    return pa.Table.from_pylist([row], schema=RECORD)


def kill_after_a_checkpoint(model, mixture, out, settings, *more):
    """Train by the command with seed 3 and kill it when its first checkpoint is there."""
    model_file = out.with_name("t.yaml")
    model_file.write_text(json.dumps(model.model_dump(mode="json")))
    process = subprocess.Popen(
        [sys.executable, "-m", "itdr", "train", "--model", model_file, "--mixture", mixture,
         "--out", out, "--seed", "3", *shlex.split(as_flags(settings)), *more],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    checkpoints = out.with_name(f"{out.name}.checkpoints")
    deadline = time.monotonic() + 300
    while not list(checkpoints.glob("checkpoint-*/trainer_state.json")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not out.exists()
    return checkpoints


def test_a_killed_training_goes_on_and_ends_like_an_undisturbed_one(model, mixture, tmp_path):
    settings = SETTINGS.model_copy(update={"epochs": 8, "save_steps": 4})
    train(model, mixture, tmp_path / "whole", settings, seed=3)
    checkpoints = kill_after_a_checkpoint(model, mixture, tmp_path / "killed", settings)
    train(model, mixture, tmp_path / "killed", settings, seed=3)
    ours, theirs = (
        load_file(tmp_path / name / "adapter_model.safetensors") for name in ("killed", "whole")
    )
    for name in theirs:
        torch.testing.assert_close(ours[name], theirs[name], rtol=1e-4, atol=1e-5)
    assert read_losses(tmp_path / "killed") == read_losses(tmp_path / "whole")
    assert not checkpoints.exists()


@pytest.fixture
def first(model, mixture, tmp_path):
    """Return the adapter of a first stage."""
    train(model, mixture, tmp_path / "first", SETTINGS, seed=1)
    return tmp_path / "first"


def weights_of(adapter):
    return load_file(adapter / "adapter_model.safetensors")


def test_a_second_stage_begins_with_the_weights_of_the_first_and_names_it(
    model, mixture, first, tmp_path
):
    still = SETTINGS.model_copy(update={"learning_rate": 1e-30})
    train(model, mixture, tmp_path / "second", still, seed=2, start=first)
    ours, theirs = weights_of(tmp_path / "second"), weights_of(first)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    told, before = (read_json(folder / "run.json") for folder in (tmp_path / "second", first))
    sha256 = before["files"]["adapter_model.safetensors"]
    assert before["start_from"] is None
    assert told["start_from"] == {
        "adapter_sha256": sha256, "mixture_sha256": before["mixture_sha256"], "seed": 1,
        "steps": 12, "start_from": None,
    }  # fmt: skip
    assert (
        f"| Starts from | the adapter whose weights have the SHA-256 {sha256}"
        in (tmp_path / "second" / "README.md").read_text()
    )


def test_a_chain_killed_in_its_second_stage_goes_on_to_the_same_bytes(
    model, mixture, first, tmp_path
):
    settings = SETTINGS.model_copy(update={"epochs": 8, "save_steps": 4})
    train(model, mixture, tmp_path / "whole", settings, seed=3, start=first)
    more = ("--start-from", first)
    kill_after_a_checkpoint(model, mixture, tmp_path / "killed", settings, *more)
    with pytest.raises(DataError, match=r"'start_from.adapter_sha256' is '\w+' in .* and None now"):
        train(model, mixture, tmp_path / "killed", settings, seed=3)
    train(model, mixture, tmp_path / "killed", settings, seed=3, start=first)
    for name in ("adapter_model.safetensors", "losses.csv", "adapter_config.json"):
        whole, killed = ((tmp_path / folder / name).read_bytes() for folder in ("whole", "killed"))
        assert killed == whole, name


@pytest.mark.parametrize(
    ("changes", "targets", "message"),
    [
        ({"lora_rank": 8}, "all-linear", "r is 4 there and 8 here"),
        ({"lora_alpha": 8}, "all-linear", "lora_alpha is 16 there and 8 here"),
        ({}, ("q_proj",), r"down_proj.lora_A.weight.* fit nowhere"),
    ],
)
def test_a_start_that_does_not_fit_is_refused(
    model, mixture, first, tmp_path, changes, targets, message
):
    other = model.model_copy(update={"lora_targets": targets})
    settings = SETTINGS.model_copy(update=changes)
    with pytest.raises(SettingsError, match=f"cannot be trained further.*{message}"):
        train(other, mixture, tmp_path / "b", settings, seed=1, start=first)


def test_a_start_that_is_damaged_or_no_adapter_is_refused(model, mixture, first, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SettingsError, match=r"there is no adapter_model.safetensors. Name the"):
        train(model, mixture, tmp_path / "b", SETTINGS, seed=1, start=tmp_path / "empty")
    with (first / "adapter_model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x55")
    with pytest.raises(DataError, match=r"adapter_model\.safetensors"):
        train(model, mixture, tmp_path / "b", SETTINGS, seed=1, start=first)


def read_losses(adapter):
    return (adapter / "losses.csv").read_text()


@pytest.fixture
def spoilt(monkeypatch):
    """Return a function that makes the loss of a step (counted from 1) not a number."""
    plain = Steps.__getitem__

    def spoil(step):
        def item(self, number):
            passes = plain(self, number)
            if number == step - 1:
                passes[0]["weights"][0, 0] = torch.nan
            return passes

        monkeypatch.setattr(Steps, "__getitem__", item)

    yield spoil
    monkeypatch.undo()


def test_a_loss_that_is_no_number_stops_training_and_the_checkpoint_before_goes_on(
    model, mixture, tmp_path, spoilt, monkeypatch
):
    settings = SETTINGS.model_copy(update={"save_steps": 4})
    train(model, mixture, tmp_path / "whole", settings, seed=3)
    spoilt(step=5)
    kept = tmp_path / "a.checkpoints" / "checkpoint-4"
    with pytest.raises(TrainingError) as caught:
        train(model, mixture, tmp_path / "a", settings, seed=3)
    message = str(caught.value)
    assert message.startswith("step 5 of 12: the loss is nan and the norm of the gradients nan")
    assert f"{kept} is kept, and no later one" in message
    names = re.findall(r"RP/yelp/\d+", message)
    data = tokenize(read_records(mixture), PromptRenderer(load_tokenizer(model)), settings)
    plan = steps([len(example.ids) for example in data.examples], settings, seed=3)
    assert names == [data.names[i] for i in plan[4]] and len(names) == 4
    assert not (tmp_path / "a").exists()
    assert [path.name for path in kept.parent.glob("checkpoint-*")] == ["checkpoint-4"]
    weights = load_file(kept / "adapter_model.safetensors")
    assert all(w.isfinite().all() for w in weights.values())
    monkeypatch.undo()
    train(model, mixture, tmp_path / "a", settings, seed=3)
    assert read_losses(tmp_path / "a") == read_losses(tmp_path / "whole")


def test_the_command_ends_with_one_message_where_a_loss_is_no_number(
    model, mixture, tmp_path, spoilt, capsys
):
    file = tmp_path / "t.yaml"
    file.write_text(json.dumps(model.model_dump(mode="json")))
    spoilt(step=5)
    status = main(
        ["train", "--model", str(file), "--mixture", str(mixture), "--out", str(tmp_path / "a"),
         *shlex.split(as_flags(SETTINGS))]
    )  # fmt: skip
    assert status == 1 and not (tmp_path / "a").exists()
    assert capsys.readouterr().err.count("itdr train: step 5 of 12: the loss is nan") == 1


def test_how_often_losses_are_looked_at_changes_none_of_them(model, mixture, tmp_path):
    for name, every in (("often", 1), ("seldom", 7)):
        settings = SETTINGS.model_copy(update={"logging_steps": every, "save_steps": 5})
        train(model, mixture, tmp_path / name, settings, seed=1)
    assert read_losses(tmp_path / "often") == read_losses(tmp_path / "seldom")
    rates = [float(line.split(",")[2]) for line in read_losses(tmp_path / "often").split()[1:]]
    assert rates[0] == SETTINGS.learning_rate and rates == sorted(rates, reverse=True)


def test_a_step_that_is_not_logged_asks_for_no_number(model, mixture, tmp_path, monkeypatch):
    """On a GPU each number that the processor asks for would make it wait."""
    asked = []

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            waits = (torch.ops.aten._local_scalar_dense, torch.ops.aten.nonzero)
            asked[-1] += function.overloadpacket in waits
            return function(*args, **(kwargs or {}))

    class Begin(TrainerCallback):
        def on_step_begin(self, args, state, control, **kwargs):
            asked.append(0)

    plain = StepTrainer.train

    def watched(self, *args, **kwargs):
        self.add_callback(Begin())
        asked.append(0)
        with Watch():
            return plain(self, *args, **kwargs)

    monkeypatch.setattr(StepTrainer, "train", watched)
    monkeypatch.setattr("itdr.training.setup.set_attention", varlen_on_cpu.set_attention)
    settings = SETTINGS.model_copy(update={"logging_steps": 4, "save_steps": 100})
    train(model, mixture, tmp_path / "a", settings, seed=1)
    asked = asked[1:]  # what comes before the first step
    # AdamW for CPUs asks for each weight's count of steps; the one for GPUs keeps it there.
    weights = len(load_file(tmp_path / "a" / "adapter_model.safetensors"))
    logged = [count > min(asked) for count in asked]
    assert len(asked) == 12 and min(asked) in (0, weights)
    assert [step for step, is_logged in enumerate(logged, 1) if is_logged] == [4, 8, 12]


def test_a_gpu_without_room_is_explained(model, mixture, tmp_path, monkeypatch):
    def fail(*args):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.\nMore")

    monkeypatch.setattr("itdr.training.trainer.answer_loss", fail)
    with pytest.raises(TrainingError, match=r"little memory .CUDA out of.*row_length .8192."):
        train(model, mixture, tmp_path / "a", SETTINGS, seed=1)


def test_checkpoints_of_another_training_are_refused_by_the_name_of_the_field(
    model, mixture, tmp_path
):
    folder = tmp_path / "adapter.checkpoints"
    folder.mkdir()
    train(model, mixture, tmp_path / "first", SETTINGS, seed=1)
    run = read_json(tmp_path / "first" / "run.json")
    note = {
        key: run[key] for key in ("model", "weights_sha256", "mixture_sha256", "settings", "seed")
    }
    for other, message in (
        ({"seed": 9}, "'seed' is 9 in the work that was stopped and 1 now"),
        ({"settings": run["settings"] | {"lora_rank": 2}}, "'settings.lora_rank' is 2 in"),
        ({"model": run["model"] | {"revision": "x"}}, "'model.revision' is 'x' in"),
        ({"mixture_sha256": "0"}, "'mixture_sha256' is '0' in"),
    ):
        (folder / "manifest.json").write_text(json.dumps(note | other))
        with pytest.raises(DataError, match=f"manifest.json: {message}"):
            train(model, mixture, tmp_path / "adapter", SETTINGS, seed=1)


def test_a_model_that_is_not_there_is_explained(mixture, tmp_path):
    gone = ModelSettings(
        model="t", title="T", source="./no/such/model", dtype="float32", memory_mb=500
    )
    with pytest.raises(ModelError, match="no such model folder"):
        train(gone, mixture, tmp_path / "a", SETTINGS, seed=1)
    hub = gone.model_copy(update={"source": "someone/gated-model"})
    with pytest.raises(
        ModelError, match=r"cannot be loaded.*Bring it here with 'itdr fetch-model"
    ) as e:
        train(hub, mixture, tmp_path / "a", SETTINGS, seed=1)
    assert "HF_TOKEN" not in str(e.value)
    gated = hub.model_copy(update={"gated": True})
    with pytest.raises(ModelError, match=r"accepted its licence.*/someone/gated-model.*HF_TOKEN"):
        train(gated, mixture, tmp_path / "a", SETTINGS, seed=1)


def test_the_card_and_the_picture_tell_what_was_done(model, mixture, tmp_path):
    train(model, mixture, tmp_path / "a", SETTINGS, seed=1)
    card = (tmp_path / "a" / "README.md").read_text()
    run = read_json(tmp_path / "a" / "run.json")
    assert f"| SHA-256 of the mixture | {run['mixture_sha256']} |" in card
    assert f"| Loss at the end (nats) | {run['final_loss']:.4f} |" in card
    assert "| lora_rank | 4 |" in card and "| Examples | 24 |" in card
    assert (tmp_path / "a" / "losses.png").read_bytes().startswith(b"\x89PNG")
    assert not list((tmp_path / "a").glob("*.bin")), "no pickles"


def test_what_tensorboard_was_given_is_kept_with_the_adapter(model, mixture, tmp_path):
    events = tmp_path / "a.checkpoints" / "runs" / "today" / "events"
    events.parent.mkdir(parents=True)
    events.write_text("written while training")
    train(model, mixture, tmp_path / "a", SETTINGS.model_copy(update={"epochs": 0.5}), seed=1)
    kept = tmp_path / "a" / "runs" / "today" / "events"
    assert kept.read_text() == "written while training" and not events.exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"four_bit": True}, "training.four_bit needs the package bitsandbytes"),
        ({"liger": True}, "training.liger needs the package liger-kernel"),
        ({"track": "wandb"}, "training.track needs the package wandb"),
        ({"attention": "varlen"}, "training.attention is varlen, but there is no GPU here"),
        ({"fsdp": True}, "training.fsdp needs a GPU, and there is none here"),
    ],
)
def test_settings_that_need_what_is_not_here_are_refused(
    model, mixture, tmp_path, monkeypatch, changes, message
):
    monkeypatch.setattr("itdr.training.packages.find_spec", lambda name: None)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(SettingsError, match=message):
        train(model, mixture, tmp_path / "a", SETTINGS.model_copy(update=changes), seed=1)
