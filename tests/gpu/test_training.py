"""Training and answering as a user starts them, from the command line."""

import json
import math
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
import torch

from itdr.files.formats import read_parquet, write_parquet
from itdr.inference.engine import Prompt
from itdr.inference.transformers_engine import TransformersEngine
from itdr.instructions.record import PREDICTION, RECORD
from itdr.settings.experiment import InferenceSettings
from itdr.settings.model import load_model_settings
from itdr.settings.training import TrainingSettings
from itdr.training.lora import train
from tests.gpu import models

ROOT = Path(__file__).parents[2]
_VLLM = ROOT / ".venv-vllm" / "bin" / "python"
_WORDS = 32


@pytest.fixture(scope="module", params=models.NAMES)
def model(request, device, tmp_path_factory):
    """Return the file of a model of two layers."""
    return models.write(tmp_path_factory.mktemp("models"), request.param, device, 2)


@pytest.fixture(scope="module")
def one_model(device, tmp_path_factory):
    """Return the file of one of them, where one tells what all would."""
    return models.write(tmp_path_factory.mktemp("model"), "qwen2.5-7b", device, 2)


def words(seed):
    """Return question and answer of examples that can only be known by heart."""
    chance = random.Random(seed)
    names = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"[:_WORDS]
    return [(f"item {n * 3}", "".join(chance.choices("abcdefghijklmn", k=5))) for n in names]


def mixture(path, seed=0, repeat=1):
    rows = [
        {"id": f"RP/yelp/{n}", "task": "RP", "dataset": "yelp", "user_id": str(n),
         "instruction": "Say the word of the item that is named.", "input": question,
         "output": answer, "template_version": 1}
        for n, (question, answer) in enumerate(words(seed) * repeat)
    ]  # fmt: skip
    write_parquet(path, pa.Table.from_pylist(rows, schema=RECORD))
    return path


def command(name, **options):
    """Return the words of an itdr command; a list is several values."""
    found = [sys.executable, "-m", "itdr", name]
    for option, value in options.items():
        values = value if isinstance(value, list) else [value]
        dashed = "--" + option.replace("_", "-")
        if isinstance(value, list):
            found += [dashed, *map(str, values)]
        else:
            found.append(f"{dashed}={value}")
    return found


def run(words, **environment):
    return subprocess.run(
        words, capture_output=True, text=True, timeout=600, check=False, cwd=ROOT,
        env=os.environ | environment,
    )  # fmt: skip


def losses(adapter):
    lines = (adapter / "losses.csv").read_text().split()[1:]
    return [float(line.split(",")[1]) for line in lines]


def test_a_killed_training_goes_on_where_it_was(one_model, device, check, tmp_path):
    settings = {
        "model": one_model, "mixture": mixture(tmp_path / "m.parquet", repeat=5), "epochs": 2,
        "save_steps": 10, "logging_steps": 7, "learning_rate": 1e-3, "seed": 3,
    }  # fmt: skip
    whole = run(command("train", out=tmp_path / "whole", **settings))
    assert whole.returncode == 0, whole.stderr
    process = subprocess.Popen(
        command("train", out=tmp_path / "killed", **settings), cwd=ROOT, stderr=subprocess.DEVNULL
    )
    kept, deadline = tmp_path / "killed.checkpoints", time.monotonic() + 300
    while not list(kept.glob("checkpoint-*/sha256.json")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "killed").exists()
    again = run(command("train", out=tmp_path / "killed", **settings))
    assert again.returncode == 0, again.stderr
    assert "going on after step" in again.stderr
    pairs = list(zip(losses(tmp_path / "killed"), losses(tmp_path / "whole"), strict=True))
    assert len(pairs) == 40
    # A GPU adds the parts of a gradient up in no fixed order.
    apart = max(abs(one / other - 1) for one, other in pairs)
    check("losses, killed and resumed", apart, most=1e-4 if device == "cpu" else 0.05)


def test_a_loss_that_is_not_finite_stops_training(one_model, check, tmp_path):
    words = command(
        "train", model=one_model, mixture=mixture(tmp_path / "m.parquet"), out=tmp_path / "a",
        learning_rate=1, lora_alpha=2**16, save_steps=1,
    )  # fmt: skip
    done = run(words)
    check("exit status, loss not finite", done.returncode, least=1)
    found = re.search(
        r"step (\d+) of 8: the loss is .*(checkpoint-(\d+)|No checkpoint)", done.stderr
    )
    assert found, done.stderr
    assert not (tmp_path / "a").exists()
    assert len(re.findall(r"RP/yelp/\d+", done.stderr)) == 8
    check("steps from the kept checkpoint", int(found[1]) - int(found[3] or 0), most=1)


def test_a_model_for_gpus_is_refused_without_one(one_model, check, tmp_path):
    file = tmp_path / one_model.name
    file.write_text(json.dumps(json.loads(one_model.read_text()) | {"training_gpus": 1}))
    words = command(
        "train", model=file, mixture=mixture(tmp_path / "m.parquet"), out=tmp_path / "a"
    )
    done = run(words, CUDA_VISIBLE_DEVICES="")
    check("exit status, no GPU", done.returncode, least=1)
    assert "GPU" in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert not (tmp_path / "a").exists()


def test_examples_are_learnt_by_heart_and_said_word_for_word(model, device, check, tmp_path):
    name, settings = model.stem, load_model_settings(model)
    how = TrainingSettings(
        epochs=50, batch_size=16, learning_rate=3e-3 if device == "cpu" else 1e-3,
        warmup_ratio=0.05, lora_rank=32, lora_alpha=64, max_length=256,
    )  # fmt: skip
    adapters = []
    for seed in (0, 1) if device == "cuda" and name == "qwen2.5-7b" else (0,):
        adapters.append(tmp_path / f"adapter-{seed}")
        train(settings, mixture(tmp_path / f"{seed}.parquet", seed), adapters[-1], how, seed=1)
        check(f"loss at the end: {name}", losses(adapters[-1])[-1], most=0.1)
    instruction = "Say the word of the item that is named."
    prompts = [
        Prompt(str(n), instruction, question, 16) for n, (question, _) in enumerate(words(0))
    ]
    engine = TransformersEngine(settings, InferenceSettings())
    answers = {n: a for came in engine.answer(prompts, (), adapters[0]) for n, a in came}
    right = sum(
        (answers[n].text, answers[n].finish_reason) == (word, "stop")
        for n, (_, word) in enumerate(words(0))
    )
    check(f"answers by heart, transformers: {name}", right / _WORDS, least=1)
    if len(adapters) == 2 and _VLLM.exists():
        _by_vllm(model, adapters, check, tmp_path)


def _by_vllm(model, adapters, check, tmp_path):
    """Two adapters of one base model, each with the words that it learnt."""
    outs = [tmp_path / f"answers-{seed}.parquet" for seed in (0, 1)]
    done = run(
        command("infer", engine="vllm", model=model, adapter=adapters, out=outs,
                test=[tmp_path / "0.parquet"])
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for seed, out in enumerate(outs):
        rows = read_parquet(out, PREDICTION).to_pylist()
        expected = dict(zip((f"RP/yelp/{n}" for n in range(_WORDS)), words(seed), strict=True))
        right = sum(row["answer"] == expected[row["id"]][1] for row in rows)
        check(f"answers by heart, vLLM, adapter {seed}", right / _WORDS, least=1)


@pytest.mark.cuda  # on a CPU tests/unit/test_processes.py holds it
def test_processes_learn_what_one_learns(one_model, check, tmp_path):
    if torch.cuda.device_count() < 2:
        pytest.skip("needs two GPUs")
    learnt = mixture(tmp_path / "m.parquet")
    found = []
    for count in (1, 2):
        out = tmp_path / str(count)
        settings = json.loads(one_model.read_text()) | {"training_gpus": count}
        one_model.write_text(json.dumps(settings))
        done = run(command("train", model=one_model, mixture=learnt, out=out, seed=1))
        assert done.returncode == 0, done.stderr
        found.append(losses(out))
    apart = max(abs(a / b - 1) for a, b in zip(*found, strict=True))
    check("losses, two processes to one", apart, most=0.05)
    assert all(map(math.isfinite, found[0]))
