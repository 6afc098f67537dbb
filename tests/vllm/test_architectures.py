"""Tiny models with random weights of the base models' architectures, in vLLM and transformers."""

import random

import pytest

from itdr.inference.engine import Prompt
from itdr.inference.transformers_engine import TransformersEngine
from itdr.inference.vllm_engine import VllmEngine
from tests.models import make_random_adapter, make_random_model
from tests.vllm.conftest import SETTINGS, Answers, model_at

SHAPE = {"hidden_size": 128, "num_attention_heads": 4, "num_key_value_heads": 2,
         "initializer_range": 0.1, "tie_word_embeddings": False}  # fmt: skip
SHAPES = {
    "llama": SHAPE | {"head_dim": 32},
    "glm": SHAPE | {"head_dim": 32, "attention_bias": True, "partial_rotary_factor": 0.5},
}
"""As in the configurations of Llama 3.2 and GLM-4-9B, but for the widths."""


@pytest.mark.parametrize("architecture", SHAPES)
def test_an_architecture_with_and_without_an_adapter(architecture, alike, tmp_path):
    folder = make_random_model(tmp_path / architecture, architecture, **SHAPES[architecture])
    model = model_at(folder)
    adapter = make_random_adapter(model, tmp_path / "adapter", 8)
    chance = random.Random(1)
    words = ["Heat", "Alien", "Fargo", "Brazil", "The", "Thing", "Rating", "from", "1", "to", "5"]
    prompts = [Prompt(str(n), "Choose.", " ".join(chance.choices(words, k=n)), 24)
               for n in range(30)]  # fmt: skip
    one_by_one = TransformersEngine(model, SETTINGS.model_copy(update={"batch_size": 1}))
    # First, because vLLM changes what transformers does with GLM in the same process.
    expected = [Answers(one_by_one, prompts, chosen) for chosen in (None, adapter)]
    assert expected[0].tokens != expected[1].tokens, "the adapter changes what is said"
    engine = VllmEngine(model, SETTINGS, [adapter])
    for name, chosen, by_transformers in zip(
        (None, "random"), (None, adapter), expected, strict=True
    ):
        assert len({str(tokens) for tokens in by_transformers.tokens.values()}) > 20
        found = Answers(engine, prompts, chosen)
        alike(f"vLLM, {architecture} with random weights", name, found.tokens,
              by_transformers.tokens)  # fmt: skip
