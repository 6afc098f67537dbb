"""The tiny model: what is shipped is what its command makes, and it can do what it was made for."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from itdr.demo import tiny_model
from itdr.demo.tiny_model import PHASES, Phase, Shape, make_tiny_model, measure_model
from itdr.demo.tiny_tokenizer import make_tokenizer
from itdr.demo.words import ADJECTIVES, GENRES, NOUNS
from tests.conftest import ROOT

SHIPPED = ROOT / "config" / "models" / "tiny"
FIRST_STEPS = (
    Phase("copy", {"copy": 1.0}, 4, 4, 64, (1e-3, 1e-3)),
    Phase("mixture", {"marked": 0.5, "diary": 0.5}, 4, 4, 96, (1e-3, 1e-4)),
)


@pytest.fixture(scope="module")
def recipe():
    return json.loads((SHIPPED / "recipe.json").read_text())


@pytest.fixture(scope="module")
def shipped():
    return tuple(kind.from_pretrained(SHIPPED) for kind in (AutoModelForCausalLM, AutoTokenizer))


def test_the_same_seed_gives_the_same_weights(tmp_path, recipe):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        make_tiny_model(
            tmp_path / name, recipe["prompt_texts"], seed=seed, phases=FIRST_STEPS, trace_every=2
        )
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


def test_the_recipe_of_the_shipped_model_is_the_one_of_the_command(recipe):
    assert recipe["shape"] == asdict(Shape())
    settings = [{name: phase[name] for name in asdict(PHASES[0])} for phase in recipe["phases"]]
    assert settings == json.loads(json.dumps([asdict(phase) for phase in PHASES]))


def test_the_command_makes_the_tokenizer_that_is_shipped(tmp_path, recipe):
    make_tokenizer(recipe["prompt_texts"]).save_pretrained(tmp_path)
    for file in ("tokenizer.json", "chat_template.jinja"):
        assert (tmp_path / file).read_bytes() == (SHIPPED / file).read_bytes()


def test_the_command_still_begins_as_it_did_for_the_shipped_model(recipe):
    first = recipe["phases"][0]
    # The rate of the first phase is constant, so fewer steps are the same steps.
    phase = replace(PHASES[0], steps=first["trace_every"])
    model, tokenizer, generator = tiny_model.untrained(recipe["prompt_texts"], recipe["seed"])
    again = tiny_model.train(model, tokenizer, phase, generator, first["trace_every"])
    assert again["trace"][0] == pytest.approx(first["trace"][0], abs=0.02)


def test_the_shipped_model_has_the_measures_of_its_recipe(recipe, shipped):
    measures = measure_model(*shipped, np.random.default_rng([recipe["seed"], 1]))
    assert measures == pytest.approx(recipe["measures"], abs=0.01)


def test_the_shipped_model_can_do_what_it_was_made_for(recipe):
    measures = recipe["measures"]
    assert measures["copy_accuracy"] > 0.95
    assert measures["marked_accuracy"] > 0.85
    assert measures["group_accuracy"] > 0.8
    assert measures["choice_accuracy"] > 0.8


def test_the_shipped_model_is_small_and_loads_without_remote_code():
    assert sum(file.stat().st_size for file in SHIPPED.iterdir()) < 8_000_000
    AutoModelForCausalLM.from_pretrained(SHIPPED, trust_remote_code=False)
    assert AutoTokenizer.from_pretrained(SHIPPED).chat_template


def test_every_word_of_the_world_is_one_token(shipped):
    words = [word for group in (*ADJECTIVES, *NOUNS) for word in group] + list(GENRES)
    assert [word for word in words if len(shipped[1](f" {word}")["input_ids"]) > 1] == []


@torch.no_grad()
def test_the_shipped_model_copies_what_repeats(shipped):
    model, tokenizer = shipped
    rng = np.random.default_rng(3)
    once = torch.from_numpy(rng.integers(400, len(tokenizer) - 3, (16, 30)))
    guesses = model(torch.cat([once, once], dim=1)).logits[:, 30:-1].argmax(-1)
    assert (guesses == once[:, 1:]).float().mean() > 0.85
