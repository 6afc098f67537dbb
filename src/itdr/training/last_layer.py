"""The last layer where an answer token follows, and nowhere else.

Every token's keys and values are needed there, but queries and all that comes behind them only
where logits are wanted, which is an eighth of the tokens where answers are short.
"""

import sys
from collections.abc import Callable
from typing import Any

import torch
from transformers.models.glm.modeling_glm import GlmDecoderLayer
from transformers.models.llama.modeling_llama import LlamaDecoderLayer
from transformers.models.qwen2.modeling_qwen2 import Qwen2DecoderLayer

from itdr.training.attention import ATTENTIONS, Layout

_KNOWN = (GlmDecoderLayer, LlamaDecoderLayer, Qwen2DecoderLayer)


def narrow_last_layer(model: Any) -> bool:
    """Let a model's last layer compute what answers need, if it is built as those known here.

    One that drops attention weights stays as it is. The others do so in a forward pass that is told
    `answer_places` and `answer_layout` (see batches.packed); their output is zero elsewhere.
    """
    layers = [layer for layer in model.modules() if type(layer) in _KNOWN]
    if not layers or layers[-1].self_attn.attention_dropout:
        return False
    layers[-1].forward = _forward(layers[-1], layers[-1].forward)
    return True


def _forward(layer: Any, plain: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    attention = layer.self_attn
    rotate = sys.modules[type(attention).__module__].apply_rotary_pos_emb

    def heads(x: torch.Tensor) -> torch.Tensor:
        return x.view(*x.shape[:-1], -1, attention.head_dim).transpose(1, 2)

    def forward(
        hidden_states: torch.Tensor,
        *arguments: Any,
        answer_places: torch.Tensor | None = None,
        answer_layout: Layout | None = None,
        **options: Any,
    ) -> torch.Tensor:
        if answer_places is None:
            return plain(hidden_states, *arguments, **options)
        cos, sin = options["position_embeddings"]
        x = layer.input_layernorm(hidden_states)
        key, value = heads(attention.k_proj(x)), heads(attention.v_proj(x))
        query = heads(attention.q_proj(x[:, answer_places]))
        # It rotates both queries and keys by the same angles; ours have different ones.
        _, key = rotate(key[:, :0], key, cos, sin)
        query, _ = rotate(query, query[:, :0], cos[:, answer_places], sin[:, answer_places])
        attend = ATTENTIONS[attention.config._attn_implementation]
        seen, _ = attend(
            attention, query, key, value, scaling=attention.scaling, layout=answer_layout
        )
        y = hidden_states[:, answer_places] + attention.o_proj(seen.flatten(2))
        y = y + layer.mlp(layer.post_attention_layernorm(y))
        return torch.zeros_like(hidden_states).index_copy(1, answer_places, y)

    return forward
