"""Our loop gives the tokens of transformers' own generate(), one prompt at a time."""

import pytest
import torch
from transformers import (
    Gemma2Config,
    Gemma2ForCausalLM,
    GenerationConfig,
    GlmConfig,
    GlmForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from itdr.inference.greedy import greedy
from itdr.inference.tokens import TokenPrompt

SHAPE = {
    "vocab_size": 60, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "pad_token_id": 0,
    "bos_token_id": None, "eos_token_id": None, "initializer_range": 0.3,
    "tie_word_embeddings": False,
}  # fmt: skip
ARCHITECTURES = {
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**SHAPE)),
    "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**SHAPE)),
    "glm": lambda: GlmForCausalLM(GlmConfig(**SHAPE)),
    "sliding window": lambda: MistralForCausalLM(MistralConfig(**SHAPE, sliding_window=6)),
    "every second window": lambda: Gemma2ForCausalLM(Gemma2Config(**SHAPE, sliding_window=6)),
}
ENDS = range(1, 9)


def prompts(shared=(), count=24):
    """Return prompts that begin alike, of 1 to 17 tokens beyond that."""
    torch.manual_seed(3)
    return [
        TokenPrompt(
            [*shared, *torch.randint(9, 60, (1 + i * 5 % 17,)).tolist()], (3, 12, 30)[i % 3]
        )
        for i in range(count)
    ]


def generated(model, prompt):
    settings = GenerationConfig(
        max_new_tokens=prompt.limit, do_sample=False, eos_token_id=list(ENDS), pad_token_id=0
    )
    output = model.generate(input_ids=torch.tensor([prompt.ids]), generation_config=settings)
    return output[0, len(prompt.ids) :].tolist()


@pytest.mark.parametrize("shared", [(), (30, 11, 50, 50, 12, 40, 9, 22)], ids=["varied", "alike"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_batch_gives_the_tokens_of_generating_one_by_one(architecture, shared):
    torch.manual_seed(0)
    model = ARCHITECTURES[architecture]().eval()
    expected = [generated(model, prompt) for prompt in prompts(shared)]
    assert greedy(model, prompts(shared), ENDS) == expected
    assert len(set(map(len, expected))) > 4  # some end early, some at their limits
    assert len(set(map(tuple, expected))) > 12


def test_no_prompt_is_computed_once_it_has_ended():
    torch.manual_seed(0)
    model = ARCHITECTURES["llama"]().eval()
    rows = []
    model.register_forward_pre_hook(
        lambda module, args, kwargs: rows.append(len(kwargs["input_ids"])), with_kwargs=True
    )
    found = greedy(model, prompts(count=16), ENDS)
    lengths = list(map(len, found))
    assert rows == [sum(length > step for length in lengths) for step in range(max(lengths))]


def test_a_prefix_that_all_prompts_share_is_computed_once():
    torch.manual_seed(0)
    model = ARCHITECTURES["llama"]().eval()
    sizes = []
    model.register_forward_pre_hook(
        lambda module, args, kwargs: sizes.append(tuple(kwargs["input_ids"].shape)),
        with_kwargs=True,
    )
    by_length = sorted(prompts((30, 11, 50)), key=lambda prompt: -len(prompt.ids))
    greedy(model, by_length, ENDS)
    assert sizes[:3] == [(1, 3), (16, 17), (8, 6)]
    assert all(length == 1 for _, length in sizes[3:])
    # A prompt that is nothing but the shared prefix keeps its last token.
    same = [TokenPrompt([30, 11, 50], 3), TokenPrompt([30, 11, 50], 2)]
    sizes.clear()
    greedy(model, same, ENDS)
    assert sizes[:2] == [(1, 2), (2, 1)]
