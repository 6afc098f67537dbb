"""From the module names of GLM's own code to those of transformers' GlmForCausalLM.

The makers of GLM-4 first published it with code of its own, whose attention has one fused
projection for queries, keys and values, in this order of rows; the architecture in transformers has
three. All other linear layers are the same matrices under other names, gate and up fused in both.

A LoRA update of a fused projection is B A. Its rows for the queries are those of B times A, so
three adapters with the same A and a part of B's rows each are exactly the same update.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from itdr.errors import ModelError

_PREFIX = "base_model.model."
_OWN = f"{_PREFIX}transformer."
_LAYER = re.compile(re.escape(_OWN) + r"encoder\.layers\.(\d+)\.([a-z_0-9.]+)\.(lora_[AB]\.weight)")
_FUSED = "self_attention.query_key_value"
_PROJECTIONS = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
_RENAMED = {
    "self_attention.dense": "self_attn.o_proj",
    "mlp.dense_h_to_4h": "mlp.gate_up_proj",
    "mlp.dense_4h_to_h": "mlp.down_proj",
}


def has_own_names(names: Iterable[str]) -> bool:
    """Say whether the tensors of an adapter have the names of GLM's own code."""
    return any(name.startswith(_OWN) for name in names)


def mapped(tensors: Mapping[str, Any], config: Any) -> dict[str, Any]:
    """Return name to tensor of an adapter, from the names of GLM's own code to transformers'.

    tensors: A of shape (rank, inputs) and B of shape (outputs, rank) of each layer. config: the
    base model's (transformers.GlmConfig).

    Raises:
        ModelError: the model is no GLM, or a tensor is none of these or has another shape.
    """
    if config.model_type != "glm":
        raise ModelError(
            f"its tensors are named for GLM-4, and the base model is a {config.model_type}"
        )
    size = config.head_dim
    rows = [
        size * heads for heads in (config.num_attention_heads, *[config.num_key_value_heads] * 2)
    ]
    found: dict[str, Any] = {}
    names: tuple[str, ...]
    for name, tensor in tensors.items():
        match = _LAYER.fullmatch(name)
        layer, module, matrix = match.groups() if match else ("", "", "")
        if module == _FUSED:
            parts = [tensor.clone() for _ in rows] if "A" in matrix else _split(name, tensor, rows)
            names = _PROJECTIONS
        elif module in _RENAMED:
            parts, names = [tensor], (_RENAMED[module],)
        else:
            raise ModelError(
                f"{name} fits nowhere; known are lora_A and lora_B of {_FUSED}, "
                f"{', '.join(_RENAMED)}"
            )
        for other, part in zip(names, parts, strict=True):
            found[f"{_PREFIX}model.layers.{layer}.{other}.{matrix}"] = part
    return found


def _split(name: str, tensor: Any, rows: list[int]) -> list[Any]:
    if tensor.shape[0] != sum(rows):
        raise ModelError(
            f"{name} has {tensor.shape[0]:,} rows, and the queries, keys and values of the base "
            f"model have {sum(rows):,}"
        )
    return [part.clone() for part in tensor.split(rows)]
