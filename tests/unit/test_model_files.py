"""What each model of the paper sees and learns: its own chat template's tokens, to the last one.

The templates are those of the models' tokenizers without their branches for tools, which no prompt
of ours takes. The tokenizers are made here, of each model's special tokens and single bytes.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from itdr.errors import ModelError
from itdr.models.loading import load_tokenizer
from itdr.models.prompt import PromptRenderer
from itdr.settings.model import load_model_settings
from tests.conftest import ROOT

QWEN = """\
{%- if messages[0]['role'] == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}
{%- else %}
    {{- '<|im_start|>system\\nSYSTEM<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) or (message.role == "assistant" and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""  # noqa: E501
LLAMA = """\
{{- bos_token }}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set date_string = "26 Jul 2024" %}
    {%- endif %}
{%- endif %}

{#- This block extracts the system message, so we can slot it into the right place. #}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}

{#- System message #}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{{- "Cutting Knowledge Date: December 2023\\n" }}
{{- "Today Date: " + date_string + "\\n\\n" }}
{{- system_message }}
{{- "<|eot_id|>" }}

{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""  # noqa: E501
GLM = (
    "[gMASK]<sop>{% for item in messages %}{% if item['content'] %}"
    "<|{{ item['role'] }}|>{{ item['metadata'] }}\n{{ item['content'] }}"
    "{% endif %}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


@dataclass(frozen=True)
class Family:
    special: tuple[str, ...]
    eos: str
    template: str | None  # of its tokenizer; where it has none its file has one
    prompt: str  # of the instruction "Do this." and the input "With that."
    answer: str  # the labels of the answer "4.5"
    bos: str | None = None


def qwen(system, eos):
    special = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
    prompt = (
        f"<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\nDo this.\n\nWith that."
        "<|im_end|>\n<|im_start|>assistant\n"
    )
    return Family(special, eos, QWEN.replace("SYSTEM", system), prompt, "4.5<|im_end|>")


def glm(template):
    return Family(
        ("<|endoftext|>", "[gMASK]", "<sop>", "<|system|>", "<|user|>", "<|assistant|>"),
        "<|endoftext|>",
        template,
        "[gMASK]<sop><|user|>\nDo this.\n\nWith that.<|assistant|>",
        "\n4.5<|endoftext|>",
    )


LLAMA_TOKENS = ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")
FAMILIES = {
    "qwen2.5-7b-instruct": qwen(
        "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.", "<|im_end|>"
    ),
    "qwen2.5-7b": qwen("You are a helpful assistant.", "<|endoftext|>"),
    "llama-3.2-3b": Family(
        (*LLAMA_TOKENS, "<|end_of_text|>"),
        "<|end_of_text|>",
        None,
        "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nDo this.\n\nWith that."
        "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
        "4.5<|eot_id|>",
        bos="<|begin_of_text|>",
    ),
    "llama-3.2-3b-instruct": Family(
        LLAMA_TOKENS,
        "<|eot_id|>",
        LLAMA,
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n"
        "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nDo this.\n\nWith that.<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n",
        "4.5<|eot_id|>",
        bos="<|begin_of_text|>",
    ),
    "glm-4-9b": glm(None),
    "glm-4-9b-chat": glm(GLM),
}


@pytest.fixture(params=FAMILIES)
def model(request, tmp_path):
    """Return a model's file with a tokenizer of ours in its place, and its family."""
    family = FAMILIES[request.param]
    save_tokenizer(family, tmp_path)
    settings = load_model_settings(ROOT / "config" / "models" / f"{request.param}.yaml")
    return settings.model_copy(update={"source": str(tmp_path)}), family


def save_tokenizer(family: Family, folder: Path) -> None:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    bytes_alone = Tokenizer(models.BPE({letter: i for i, letter in enumerate(alphabet)}, []))
    bytes_alone.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytes_alone.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(
        tokenizer_object=bytes_alone, eos_token=family.eos, bos_token=family.bos,
        additional_special_tokens=list(family.special), chat_template=family.template,
    ).save_pretrained(folder)  # fmt: skip


def test_prompt_and_labels_are_those_of_the_models_own_template(model):
    settings, family = model
    tokenizer = load_tokenizer(settings)
    example = PromptRenderer(tokenizer).example("Do this.", "With that.", "4.5")
    prompt, answer = example.ids[: example.prompt_length], example.ids[example.prompt_length :]
    assert tokenizer.decode(prompt) == family.prompt
    assert tokenizer.decode(answer) == family.answer
    assert sum(token in tokenizer.all_special_ids for token in answer) == 1, "ends once"
    user = {"role": "user", "content": "Do this.\n\nWith that."}
    values = {"return_dict": False, **settings.template_values}
    plain = PreTrainedTokenizerFast.from_pretrained(settings.source)
    plain.chat_template = family.template or settings.chat_template
    assert prompt == plain.apply_chat_template([user], add_generation_prompt=True, **values)
    both = plain.apply_chat_template([user, {"role": "assistant", "content": "4.5"}], **values)
    assert example.ids[: len(both)] == both[: len(example.ids)]


def test_the_file_names_one_version_of_the_weights(model):
    settings, _ = model
    if settings.model == "glm-4-9b":  # of which no public source named a commit
        assert settings.revision == "main"
    else:
        assert len(settings.revision) == 40 and int(settings.revision, 16)
    assert settings.gated == ("llama" in settings.model)


def test_an_end_of_turn_that_is_no_token_is_refused(model):
    settings, _ = model
    with pytest.raises(ModelError, match="'end_of_turn' is '<stop>', which is no token"):
        load_tokenizer(settings.model_copy(update={"end_of_turn": "<stop>"}))
