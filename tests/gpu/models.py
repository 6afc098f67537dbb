"""Models of the paper's architectures with random weights, and examples for them."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import torch

from itdr.models.prompt import TokenizedExample

_QWEN = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_LLAMA = (
    "<|begin_of_text|>{% for m in messages %}<|start_header_id|>{{ m['role'] }}<|end_header_id|>"
    "\n\n{{ m['content'] }}<|eot_id|>{% endfor %}{% if add_generation_prompt %}<|start_header_id|>"
    "assistant<|end_header_id|>\n\n{% endif %}"
)
_GLM = (
    "[gMASK]<sop>{% for m in messages %}<|{{ m['role'] }}|>\n{{ m['content'] }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
# Shapes as in the config.json of each, a small one of like proportions, and the chat template with
# its special tokens, of which the first ends a turn.
_MODELS: dict[str, dict[str, Any]] = {
    "qwen2.5-7b": {
        "type": "qwen2",
        "true": {"hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28,
                 "num_attention_heads": 28, "num_key_value_heads": 4, "vocab_size": 152064,
                 "rope_parameters": {"rope_type": "default", "rope_theta": 1e6}},
        "small": {"hidden_size": 224, "intermediate_size": 1184, "num_attention_heads": 7,
                  "num_key_value_heads": 1},
        "template": _QWEN,
        "special": ["<|im_end|>", "<|im_start|>"],
    },
    "llama-3.2-3b": {
        "type": "llama",
        "true": {"hidden_size": 3072, "intermediate_size": 8192, "num_hidden_layers": 28,
                 "num_attention_heads": 24, "num_key_value_heads": 8, "head_dim": 128,
                 "vocab_size": 128256, "tie_word_embeddings": True, "rms_norm_eps": 1e-5,
                 "rope_parameters": {"rope_type": "llama3", "rope_theta": 5e5, "factor": 32.0,
                                     "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                                     "original_max_position_embeddings": 8192}},
        "small": {"hidden_size": 192, "intermediate_size": 512, "num_attention_heads": 6,
                  "num_key_value_heads": 2, "head_dim": 32},
        "template": _LLAMA,
        "special": ["<|eot_id|>", "<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>"],
    },
    "glm-4-9b": {
        "type": "glm",
        "true": {"hidden_size": 4096, "intermediate_size": 13696, "num_hidden_layers": 40,
                 "num_attention_heads": 32, "num_key_value_heads": 2, "head_dim": 128,
                 "vocab_size": 151552},
        "small": {"hidden_size": 256, "intermediate_size": 856, "num_attention_heads": 8,
                  "num_key_value_heads": 1, "head_dim": 32},
        "template": _GLM,
        "special": ["<|endoftext|>", "[gMASK]", "<sop>", "<|user|>", "<|assistant|>"],
    },
}  # fmt: skip
NAMES = tuple(_MODELS)


def config(name: str, device: str, layers: int | None = None, **changes: Any) -> Any:
    """Return the configuration of a model: as wide as in truth on a GPU, small on a CPU."""
    from transformers import AutoConfig

    model = _MODELS[name]
    shape = model["true"] | {"max_position_embeddings": 32768, "pad_token_id": None,
                             "bos_token_id": None, "eos_token_id": 0}  # fmt: skip
    if device == "cpu":
        # With weights as small as those of wide models no token is much likelier than others.
        shape |= model["small"] | {"vocab_size": 512, "initializer_range": 0.12}
    if layers:
        shape["num_hidden_layers"] = layers
    return AutoConfig.for_model(model["type"], **shape | changes)


def make(
    name: str, device: str, dtype: torch.dtype, layers: int | None = None, **changes: Any
) -> Any:
    """Return the model with random weights, which are numbers in bfloat16 whatever the type."""
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    with torch.device(device):
        model = AutoModelForCausalLM.from_config(config(name, device, layers), dtype=torch.bfloat16)
    return model.to(dtype)


def write(folder: Path, name: str, device: str, layers: int) -> Path:
    """Write the model with a byte-level tokenizer; return the file that describes it."""
    file = write_described(folder, name, device, layers)
    dtype = torch.float32 if device == "cpu" else torch.bfloat16
    # A random model whose outputs are its inputs says its last token again, come what may.
    model = make(name, device, dtype, layers, tie_word_embeddings=False)
    model.save_pretrained(folder / name)
    return file


def write_described(folder: Path, name: str, device: str, layers: int | None) -> Path:
    """Write all but the weights."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    model = _MODELS[name]
    words = [*model["special"], *sorted(pre_tokenizers.ByteLevel.alphabet())]
    bytes_only = Tokenizer(models.BPE({word: i for i, word in enumerate(words)}, []))
    bytes_only.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytes_only.decoder = decoders.ByteLevel()
    bytes_only.add_special_tokens(model["special"])
    tokenizer = PreTrainedTokenizerFast(  # without a token to pad with, like Llama's
        tokenizer_object=bytes_only, eos_token=model["special"][0]
    )
    tokenizer.chat_template = model["template"]
    weights = folder / name
    tokenizer.save_pretrained(weights)
    config(name, device, layers).save_pretrained(weights)
    file = folder / f"{name}.yaml"
    settings = {"model": name, "title": name, "source": str(weights), "memory_mb": 8000,
                "dtype": "float32" if device == "cpu" else "bfloat16"}  # fmt: skip
    if device == "cuda":
        settings |= {"training_gpus": 1, "inference_gpus": 1}
    file.write_text(json.dumps(settings))
    return file


def step(device: str, *, alike: bool = True, seed: int = 0, count: int = 8) -> list[Any]:
    """Return the examples of an optimiser step, of lengths as the paper's on a GPU.

    alike: they begin with a chat template's head, and those of a task with its description.
    """
    chance = random.Random(seed)
    most, scale = 512, (1 if device != "cpu" else 4)
    head = [chance.randrange(most) for _ in range(24)]
    tasks = [[chance.randrange(most) for _ in range(100 // scale)] for _ in range(3)]
    examples = []
    for number in range(count):
        start = [*head, *tasks[number % 3]] if alike else []
        own, answer = chance.randrange(60, 800) // scale, chance.randrange(2, 130) // scale + 1
        ids = [*start, *(chance.randrange(most) for _ in range(own + answer))]
        examples.append(TokenizedExample(np.array(ids, np.int32), len(ids) - answer))
    return examples
