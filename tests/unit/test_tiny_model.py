"""The tiny model: its command is deterministic, and the one that is shipped can copy."""

import json

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from itdr.settings.task import prompt_texts
from itdr.synthetic.words import ADJECTIVES, GENRES, NOUNS
from itdr.training.tiny_model import Phase, make_tiny_model
from tests.conftest import ROOT

SHIPPED = ROOT / "config" / "models" / "tiny"
FIRST_STEPS = (
    Phase("copy", {"copy": 1.0}, 4, 4, 64, (1e-3, 1e-3)),
    Phase("mixture", {"shuffle": 0.5, "diary": 0.5}, 4, 4, 96, (1e-3, 1e-4)),
)


@pytest.fixture(scope="module")
def texts():
    return prompt_texts(ROOT / "config" / "tasks", "movielens")


def test_the_same_seed_gives_the_same_weights(tmp_path, texts):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        make_tiny_model(tmp_path / name, texts, seed=seed, phases=FIRST_STEPS, trace_every=2)
    traces = [
        [
            phase["trace"]
            for phase in json.loads((tmp_path / n / "recipe.json").read_text())["phases"]
        ]
        for n in "abc"
    ]
    assert traces[0] == traces[1] != traces[2]
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in "abc"]
    assert weights[0] == weights[1] != weights[2]


def test_the_shipped_model_is_small_and_loads_without_remote_code():
    assert sum(file.stat().st_size for file in SHIPPED.iterdir()) < 8_000_000
    AutoModelForCausalLM.from_pretrained(SHIPPED, trust_remote_code=False)
    assert AutoTokenizer.from_pretrained(SHIPPED).chat_template


def test_every_word_of_the_world_is_one_token():
    tokenizer = AutoTokenizer.from_pretrained(SHIPPED)
    words = [word for group in (*ADJECTIVES, *NOUNS) for word in group] + list(GENRES)
    assert [word for word in words if len(tokenizer(f" {word}")["input_ids"]) > 1] == []


@torch.no_grad()
def test_the_shipped_model_copies_what_repeats():
    model, tokenizer = (
        kind.from_pretrained(SHIPPED) for kind in (AutoModelForCausalLM, AutoTokenizer)
    )
    rng = np.random.default_rng(3)
    once = torch.from_numpy(rng.integers(400, len(tokenizer) - 3, (16, 30)))
    guesses = model(torch.cat([once, once], dim=1)).logits[:, 30:-1].argmax(-1)
    assert (guesses == once[:, 1:]).float().mean() > 0.85
