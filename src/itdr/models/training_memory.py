"""GPU memory that LoRA training of a decoder-only transformer takes, reckoned from its shapes.

Counted is what autograd keeps for the backward pass of a layer as training/ computes it, in bytes
per token. With hidden size h, widths q of all query heads and k of all key heads, and feed-forward
size f, numbers in 16 bits take 2 bytes and norms keep their input in 32 bits:

    both norms 8h, inputs of the adapters of attention and feed-forward 4h, rotated queries and the
    attention's output 4q, rotated keys and values 4k, gate, its activation, up and their product 8f

A layer that is checkpointed keeps its input alone, 2h, and takes the whole sum for a moment when
its turn comes in the backward pass. What is never kept, such as a layer's gradients, is at most as
much as one layer keeps.
"""

from dataclasses import dataclass
from typing import Any

_PER_LOGIT = 14  # bytes: 16 and 32 bits, the logarithm of the softmax, and the gradients of two
_BESIDE = 1_500_000_000  # bytes: CUDA itself and the libraries' work spaces


@dataclass(frozen=True)
class TrainingMemory:
    """What a training holds on its GPU, in bytes.

    Attributes:
        fixed: weights, adapter, its gradients and the optimiser's state.
        layers: how many the model has.
        layer: kept of a layer for each token; checkpointed: the same of one that is checkpointed.
        answer: for each answer token, whose logits are computed.
    """

    fixed: int
    layers: int
    layer: int
    checkpointed: int
    answer: int

    def needed(self, tokens: int, answers: int, checkpointed: int) -> int:
        """Return the bytes of a pass over so many tokens with so many layers checkpointed."""
        kept = self.layer * (self.layers - checkpointed + 1) + self.checkpointed * checkpointed
        return _BESIDE + self.fixed + tokens * kept + answers * self.answer

    def layers_to_checkpoint(self, tokens: int, answers: int, room: float) -> int:
        """Return the fewest layers that must be checkpointed for a pass to fit into `room` bytes.

        If all do not suffice, it is all: what is reckoned here is not exact.
        """
        for count in range(self.layers):
            if self.needed(tokens, answers, count) <= room:
                return count
        return self.layers


def training_memory(config: Any, fixed: int, *, width: int = 2) -> TrainingMemory:
    """Return the memory of training a model.

    config: transformers', with hidden_size, intermediate_size, num_hidden_layers, vocab_size and
    the numbers of heads. fixed: see TrainingMemory. width: bytes of an activation.
    """
    h, f = config.hidden_size, config.intermediate_size
    head = getattr(config, "head_dim", None) or h // config.num_attention_heads
    queries = head * config.num_attention_heads
    keys = head * (getattr(config, "num_key_value_heads", None) or config.num_attention_heads)
    norms = 8 * h  # in 32 bits whatever the width
    return TrainingMemory(
        fixed=fixed,
        layers=config.num_hidden_layers,
        layer=norms + width * (2 * h + 2 * queries + 2 * keys + 4 * f),
        checkpointed=width * h,
        answer=_PER_LOGIT * config.vocab_size,
    )
