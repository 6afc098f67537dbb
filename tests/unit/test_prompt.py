"""The prompt of training is the prompt of inference, and both are the tokenizer's own template."""

import pytest
from transformers import AutoTokenizer

from itdr.errors import ModelError
from itdr.models.prompt import PromptRenderer


@pytest.fixture
def tokenizer(random_model):
    return AutoTokenizer.from_pretrained(random_model)


def test_a_prompt_is_what_the_tokenizers_template_writes(tokenizer):
    ids = PromptRenderer(tokenizer).prompt("Do this.", "With that.")
    assert tokenizer.decode(ids) == (
        "<|im_start|>user\nDo this.\n\nWith that.<|im_end|>\n<|im_start|>assistant\n"
    )


def test_training_begins_with_the_very_prompt_of_inference(tokenizer):
    renderer = PromptRenderer(tokenizer)
    for text in ("x", "A — ü ♥ 中", "1. a\n2. b", " lead", ""):
        example = renderer.example("Do this.", text, "Answer (1990)")
        prompt = renderer.prompt("Do this.", text)
        assert example.ids[: example.prompt_length] == prompt


def test_an_example_ends_with_the_end_of_the_turn(tokenizer):
    example = PromptRenderer(tokenizer).example("Do.", "x", "4.5")
    answer = example.ids[example.prompt_length :]
    assert tokenizer.decode(answer) == "4.5<|im_end|>"


def test_an_empty_instruction_leaves_the_input_alone(tokenizer):
    ids = PromptRenderer(tokenizer).prompt("", "x")
    assert tokenizer.decode(ids).startswith("<|im_start|>user\nx<|im_end|>")


def test_a_template_without_an_end_of_turn_gets_one(tokenizer):
    tokenizer.chat_template = (
        "{% for m in messages %}[{{ m['role'] }}]{{ m['content'] }}{% endfor %}"
        "{% if add_generation_prompt %}[assistant]{% endif %}"
    )
    example = PromptRenderer(tokenizer).example("Do.", "x", "4.5")
    assert tokenizer.decode(example.ids[example.prompt_length :]) == "4.5<|im_end|>"


def test_a_template_that_changes_the_prompt_when_an_answer_follows_is_refused(tokenizer):
    tokenizer.chat_template = (
        "{{ messages | length }}{% for m in messages %}{{ m['content'] }}{% endfor %}"
    )
    with pytest.raises(ModelError, match="writes another prompt when an answer follows"):
        PromptRenderer(tokenizer).example("Do.", "x", "4.5")
