"""The tiny model, two adapters, varied prompts, and the table of who answers alike."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
import yaml

from itdr.inference.engine import Prompt
from itdr.inference.tokens import Tokens
from itdr.models.loading import load_adapted, load_model, load_tokenizer
from itdr.settings.experiment import InferenceSettings
from itdr.settings.model import ModelSettings
from tests.conftest import ROOT

PROMPTS = 60
TABLE = pytest.StashKey[list]()


def model_at(source: Path, **more) -> ModelSettings:
    return ModelSettings(
        model="tiny", title="Tiny", source=str(source), dtype="float32", memory_mb=3000, **more
    )


TINY = model_at(ROOT / "config" / "models" / "tiny")
SETTINGS = InferenceSettings()


@pytest.fixture(scope="session")
def prompts() -> list[Prompt]:
    """Return prompts of 20 to 900 tokens with the tasks' own words and limits up to 64."""
    tasks = [yaml.safe_load(path.read_text()) for path in (ROOT / "config/tasks").glob("*.yaml")]
    words = " ".join(str(task) for task in tasks).split()
    chance = random.Random(1)
    return [
        Prompt(
            str(i),
            chance.choice(tasks)["description"],
            " ".join(chance.choices(words, k=n)),
            64 - n,
        )
        for i, n in enumerate(chance.randrange(0, 50) for _ in range(PROMPTS))
    ]


@pytest.fixture(scope="session")
def adapters(tmp_path_factory) -> dict[str, Path]:
    """Return two adapters of different rank that change the answers."""
    import torch
    from peft import LoraConfig, get_peft_model

    folders = {}
    for seed, (name, rank) in enumerate({"first": 8, "second": 24}.items()):
        torch.manual_seed(seed)
        adapted = get_peft_model(
            load_model(TINY),
            LoraConfig(
                task_type="CAUSAL_LM", r=rank, lora_alpha=2 * rank, target_modules="all-linear"
            ),
        )
        for parameter, weights in adapted.named_parameters():
            if "lora_B" in parameter:
                weights.data = 0.03 * torch.randn_like(weights)
        folders[name] = tmp_path_factory.mktemp("adapters") / name
        adapted.save_pretrained(folders[name])
    return folders


@pytest.fixture(scope="session")
def merged(adapters, tmp_path_factory) -> ModelSettings:
    """Return a model of its own that is the base with the first adapter in its weights."""
    folder = tmp_path_factory.mktemp("merged")
    load_adapted(TINY, adapters["first"]).save_pretrained(folder)
    load_tokenizer(TINY).save_pretrained(folder)
    return model_at(folder)


@pytest.fixture(scope="session")
def engine(adapters):
    """Return vLLM with the base model, loaded once for all tests."""
    from itdr.inference.vllm_engine import VllmEngine

    return VllmEngine(TINY, SETTINGS, list(adapters.values()))


class Answers:
    """The answers of an engine to all prompts, and the tokens that they were read from."""

    def __init__(self, engine, prompts, adapter=None, answered=()) -> None:
        self.tokens: dict[tuple, list[int]] = {}
        whole = Tokens.answer

        def recorded(tokens, prompt, ids):
            answer = whole(tokens, prompt, ids)
            self.tokens[tuple(prompt.ids)] = list(ids)[: answer.tokens]
            return answer

        Tokens.answer = recorded
        try:
            came = [pair for some in engine.answer(prompts, answered, adapter) for pair in some]
        finally:
            Tokens.answer = whole
        self.answers = dict(came)
        assert len(came) == len(self.answers) == len(prompts) - len(answered)


@pytest.fixture(scope="session")
def reference(prompts, adapters):
    """Return a function that gives transformers' answers, one prompt at a time."""
    from itdr.inference.transformers_engine import TransformersEngine

    found = {}

    def answers(name: str | None) -> Answers:
        if name not in found:
            one = TransformersEngine(TINY, SETTINGS.model_copy(update={"batch_size": 1}))
            found[name] = Answers(one, prompts, adapters[name] if name else None)
        return found[name]

    return answers


@pytest.fixture(scope="session")
def server(adapters, tmp_path_factory):
    """Yield the address of a vLLM server that has the base model and the adapters."""
    log = tmp_path_factory.mktemp("server") / "log"
    address = "http://127.0.0.1:8731/v1"
    modules = [f"{name}={folder}" for name, folder in adapters.items()]
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", TINY.source,
               "--served-model-name", "tiny", "--host", "127.0.0.1", "--port", "8731",
               "--dtype", "float32", "--enforce-eager", "--max-model-len", "1024",
               "--generation-config", "vllm", "--enable-lora", "--max-lora-rank", "32",
               "--lora-modules", *modules]  # fmt: skip
    environment = os.environ | {"VLLM_HOST_IP": "127.0.0.1", "VLLM_CPU_KVCACHE_SPACE": "1",
                                "VLLM_NO_USAGE_STATS": "1"}  # fmt: skip
    with log.open("w") as file:
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=file)
    try:
        _wait_for(process, address, log)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(process: subprocess.Popen, address: str, log: Path) -> None:
    for _ in range(300):
        assert process.poll() is None, log.read_text()[-3000:]
        try:
            if httpx.get(f"{address}/models").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(1)
    raise AssertionError(log.read_text()[-3000:])


@pytest.fixture
def alike(request):
    """Return a function that holds two engines' answers together and notes the outcome."""

    def check(what: str, name: str | None, found: dict, expected: dict) -> None:
        same = sum(found[position] == expected[position] for position in expected)
        row = (what, name or "none", len(expected), same, len(set(map(str, expected.values()))))
        request.config.stash.setdefault(TABLE, []).append(row)
        assert found == expected

    return check


def pytest_terminal_summary(terminalreporter, config):
    rows = config.stash.get(TABLE, [])
    if rows:
        terminalreporter.section("Answers held against transformers, one prompt at a time")
        line = "{:<44} {:<8} {:>8} {:>10} {:>9}"
        heads = ("", "adapter", "prompts", "identical", "distinct")
        for row in (heads, *rows):
            terminalreporter.write_line(line.format(*row))
