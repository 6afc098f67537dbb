"""The tiny model, two adapters, varied prompts, and the table of who answers alike."""

import random
from pathlib import Path

import pytest
import yaml

from itdr.inference.engine import Prompt
from itdr.inference.tokens import Tokens
from itdr.models.loading import load_adapted, load_tokenizer
from itdr.settings.experiment import InferenceSettings
from itdr.settings.model import ModelSettings
from tests.conftest import ROOT
from tests.models import make_random_adapter
from tests.vllm.server import serving

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
    folder = tmp_path_factory.mktemp("adapters")
    return {
        name: make_random_adapter(TINY, folder / name, rank)
        for name, rank in {"first": 8, "second": 24}.items()
    }


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
    with serving(TINY.source, adapters, tmp_path_factory.mktemp("server") / "log") as address:
        yield address


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
