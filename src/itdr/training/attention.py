"""How attention is computed, and that examples of a packed row do not see each other.

transformers' own attention finds the borders of packed examples where position ids start anew (its
masking_utils.find_packed_sequence_indices), provided that there is neither an attention mask nor a
cache. What it builds from them is a mask over the whole row, whose cost grows with the square of
the row's length; the two functions here take the borders instead: one calls PyTorch's attention for
each example, the other its variable-length attention for all of them, which needs a GPU.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.nn.attention.bias import causal_lower_right
from torch.nn.attention.varlen import varlen_attn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

from itdr.errors import ModelError, SettingsError

PER_EXAMPLE = "itdr_per_example"
VARLEN = "itdr_varlen"
_NAMES = {"per-example": PER_EXAMPLE, "varlen": VARLEN}

Layout = dict[str, Any]
"""Which queries of a row see which keys; see row_layout."""


def set_attention(model: Any, wanted: str) -> str:
    """Let the model compute attention as the settings say; return the name that transformers has.

    Raises:
        SettingsError: what is wanted is not to be had here.
        ModelError: the model cannot do it.
    """
    hindrance = _varlen_hindrance(model)
    if wanted == "varlen" and hindrance:
        raise SettingsError(f"training.attention is varlen, but {hindrance}. Set auto.")
    if wanted == "auto":
        wanted = "per-example" if hindrance else "varlen"
    if wanted in _NAMES and "sliding_attention" in getattr(model.config, "layer_types", ()):
        wanted = "sdpa"  # such layers need a mask
    name = _NAMES.get(wanted, wanted)
    try:
        model.set_attn_implementation(name)
    except (ImportError, ValueError) as error:
        raise ModelError(
            f"{model.name_or_path}: attention {wanted!r} cannot be used ({error}). "
            "Set training.attention to sdpa."
        ) from error
    return name


def _varlen_hindrance(model: Any) -> str | None:
    """Return why variable-length attention cannot be used; its kernels are FlashAttention's."""
    config = model.config
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    if not torch.cuda.is_available():
        return "there is no GPU here"
    if torch.cuda.get_device_capability() < (8, 0):
        return "the GPU is older than NVIDIA's Ampere"
    if model.dtype not in (torch.bfloat16, torch.float16):
        return f"the model's weights are {str(model.dtype).removeprefix('torch.')}, not 16 bits"
    if size > 256 or size % 8:
        return f"the model's attention heads have a size of {size}, not a multiple of 8 up to 256"
    if getattr(config, "attention_dropout", 0):
        return "the model drops attention weights"
    return None


def knows_layouts(attention: str) -> bool:
    """Say whether the attention called `attention` takes a row_layout."""
    return attention in _NAMES.values()


def row_layout(queries: Sequence[int], keys: Sequence[np.ndarray], length: int) -> Layout:
    """Return which queries of a row of `length` tokens see which of its keys.

    queries: how many each example has, in order. keys: the places in the row of the keys that each
    example's last query sees; the query before it sees one less, and so on.

    Returns:
        query_lengths, key_lengths: per example. query_borders, key_borders: (examples + 1,), where
            each one begins and ends, for variable-length attention. key_places: (keys,), places of
            the keys of all examples; None where they are those of the row itself.
    """
    places = np.concatenate(keys)
    lengths = [len(one) for one in keys]
    same = len(places) == length and bool((places == np.arange(length)).all())
    return {
        "query_lengths": list(queries),
        "key_lengths": lengths,
        "query_borders": _borders(queries),
        "key_borders": _borders(lengths),
        "key_places": None if same else torch.from_numpy(places.astype(np.int64)),
    }


def _borders(lengths: Sequence[int]) -> torch.Tensor:
    return torch.from_numpy(np.cumsum([0, *lengths], dtype=np.int32))


def attend_per_example(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    *_: Any,
    scaling: float | None = None,
    dropout: float = 0.0,
    layout: Layout | None = None,
    **__: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention inside each example of a row, one call for each.

    query: (rows, heads, queries, head size); key, value: (rows, heads, length, head size), perhaps
    with fewer heads. layout: of the only row; without it each row is one example, padded on the
    right if at all, where causal attention needs no mask.

    Returns:
        (rows, queries, heads, head size), and no weights.
    """
    layout = layout or {"query_lengths": [query.shape[2]], "key_lengths": [key.shape[2]]}
    key, value = _chosen(key, layout, 2), _chosen(value, layout, 2)
    parts = []
    for q, k, v in zip(
        query.split(layout["query_lengths"], 2),
        key.split(layout["key_lengths"], 2),
        value.split(layout["key_lengths"], 2),
        strict=True,
    ):
        same = q.shape[2] == k.shape[2]
        mask = None if same else causal_lower_right(q.shape[2], k.shape[2])
        parts.append(
            scaled_dot_product_attention(
                q, k, v, attn_mask=mask, dropout_p=dropout, is_causal=same, scale=scaling,
                enable_gqa=True,
            )
        )  # fmt: skip
    joined = parts[0] if len(parts) == 1 else torch.cat(parts, 2)
    return joined.transpose(1, 2).contiguous(), None


def attend_varlen(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    *arguments: Any,
    scaling: float | None = None,
    layout: Layout | None = None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention inside each example of a row, one call for all; as attend_per_example."""
    if layout is None:
        return attend_per_example(module, query, key, value, scaling=scaling, **options)
    q, k, v = (states.squeeze(0).transpose(0, 1) for states in (query, key, value))
    found: Any = varlen_attn(
        q,
        _chosen(k, layout, 0),
        _chosen(v, layout, 0),
        layout["query_borders"],
        layout["key_borders"],
        max(layout["query_lengths"]),
        max(layout["key_lengths"]),
        scale=scaling,
        window_size=(-1, 0),  # causal, the last query beside the last key
        enable_gqa=q.shape[1] != k.shape[1],
    )
    return found.unsqueeze(0), None


def _chosen(states: torch.Tensor, layout: Layout, dimension: int) -> torch.Tensor:
    places = layout.get("key_places")
    return states if places is None else states.index_select(dimension, places)


ATTENTIONS = {PER_EXAMPLE: attend_per_example, VARLEN: attend_varlen}
for _name, _function in ATTENTIONS.items():
    AttentionInterface.register(_name, _function)
