"""How attention is computed, and that examples of a packed row do not see each other.

transformers' own attention finds the borders of packed examples where position ids start anew (its
masking_utils.find_packed_sequence_indices), provided that there is neither an attention mask nor a
cache. What it builds from them is a mask over the whole row, whose cost grows with the square of
the row's length; FlashAttention and the function below take the lengths instead.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import torch
from torch.nn.attention.bias import causal_lower_right
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

from itdr.errors import ModelError, SettingsError
from itdr.training.prefixes import Prefix

PER_EXAMPLE = "itdr_per_example"


def set_attention(model: Any, wanted: str) -> str:
    """Let the model compute attention as the settings say; return the name that transformers has.

    Raises:
        SettingsError: what is wanted is not to be had here.
        ModelError: the model cannot do it.
    """
    flash = find_spec("flash_attn") is not None and torch.cuda.is_available()
    if wanted == "auto":
        wanted = "flash_attention_2" if flash else "per-example"
    if wanted == "flash_attention_2" and not flash:
        raise SettingsError(
            "training.attention is flash_attention_2, which needs a GPU and the package "
            "flash-attn. Install it, or set auto."
        )
    if wanted == "per-example" and "sliding_attention" in getattr(model.config, "layer_types", ()):
        wanted = "sdpa"  # such layers need a mask
    name = PER_EXAMPLE if wanted == "per-example" else wanted
    try:
        model.set_attn_implementation(name)
    except (ImportError, ValueError) as error:
        raise ModelError(
            f"{model.name_or_path}: attention {wanted!r} cannot be used ({error}). "
            "Set training.attention to sdpa."
        ) from error
    return name


def can_share_prefixes(attention: str) -> bool:
    """Say whether the attention called `attention` finds prefixes that a row has once."""
    return attention == PER_EXAMPLE


def row_arguments(
    attention: str,
    lengths: list[int],
    device: torch.device,
    prefixes: Sequence[Prefix] | None = None,
    answers: tuple[torch.Tensor, list[int]] | None = None,
) -> dict[str, Any]:
    """Return what the attention called `attention` must know of a packed row.

    lengths: tokens of each example in the row, in order. prefixes: where the tokens before them
    are, if some are shared. answers: the places whose logits are wanted, if not all are, and how
    many of them each example has, the last ones before its end.
    """
    if attention == PER_EXAMPLE:
        given: dict[str, Any] = {"example_lengths": lengths, "example_prefixes": prefixes}
        if answers:
            given |= {"answer_places": answers[0], "answer_lengths": answers[1]}
        return given
    if attention != "flash_attention_2":
        return {}
    borders = torch.tensor([0, *lengths], dtype=torch.int32, device=device).cumsum(
        0, dtype=torch.int32
    )
    longest = max(lengths)
    return {
        "cu_seq_lens_q": borders,
        "cu_seq_lens_k": borders,
        "max_length_q": longest,
        "max_length_k": longest,
    }


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    *_: Any,
    scaling: float | None = None,
    dropout: float = 0.0,
    example_lengths: list[int] | None = None,
    example_prefixes: Sequence[Prefix] | None = None,
    answer_lengths: list[int] | None = None,
    **__: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention inside each example of a row.

    query: (rows, heads, length, head size); key, value: the same with perhaps fewer heads.
    example_lengths: tokens of each example of the only row; without it each row is one example,
    padded on the right if at all, where causal attention needs no mask.
    example_prefixes: where the tokens before those of each example are, if some are shared.
    answer_lengths: how many queries each example has where there are fewer than keys: those of
    the last tokens but one.

    Returns:
        (rows, queries, heads, head size), and no weights.
    """
    lengths = example_lengths or [key.shape[2]]
    fewer = answer_lengths if query.shape[2] < key.shape[2] else None
    keys, values = key.split(lengths, 2), value.split(lengths, 2)
    parts = []
    for number, q in enumerate(query.split(fewer or lengths, 2)):
        k, v = keys[number], values[number]
        if fewer:  # nothing looks at the last token
            k, v = k[:, :, :-1], v[:, :, :-1]
        if example_prefixes and (length := example_prefixes[number].length):
            owner = example_prefixes[number].owner
            k = torch.cat([keys[owner][:, :, :length], k], 2)
            v = torch.cat([values[owner][:, :, :length], v], 2)
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


AttentionInterface.register(PER_EXAMPLE, attend)
