"""Gradient checkpointing of as many layers as the row at hand needs to fit the GPU."""

from typing import Any

import torch
from transformers.modeling_layers import GradientCheckpointingLayer

from itdr.models.training_memory import TrainingMemory, training_memory
from itdr.settings.training import TrainingSettings

_USABLE = 0.92
"""Share of the memory that rows of ever new lengths leave usable: the rest lies in pieces."""
_OPTIMISER = 12  # bytes of a learnt number beside itself: its gradient and AdamW's two moments


class Checkpointing:
    """Chooses before each pass how many layers compute their activations twice."""

    def __init__(
        self, model: Any, wanted: bool | str, memory: TrainingMemory | None, room: float
    ) -> None:
        """Prepare the layers of a model.

        wanted: TrainingSettings.gradient_checkpointing. memory, room: what auto reckons with, in
        bytes; memory is None where nothing has to fit.
        """
        self._wanted, self._memory, self._room = wanted, memory, room
        blocks = (m for m in model.modules() if isinstance(m, GradientCheckpointingLayer))
        self._layers = list(blocks)
        if wanted is True or memory:
            model.activation_checkpointing_enable()
        self.before(0, 0)

    def before(self, tokens: int, answers: int) -> int:
        """Set the layers for a pass over so many tokens; return how many are checkpointed."""
        count = len(self._layers) if self._wanted is True else 0
        if self._wanted == "auto" and self._memory:
            count = self._memory.layers_to_checkpoint(tokens, answers, self._room)
        for number, layer in enumerate(self._layers):
            layer.gradient_checkpointing = number < count
        return count


def checkpointing(model: Any, settings: TrainingSettings) -> Checkpointing:
    """Return how a model with its adapter is checkpointed on the GPU where it lies, if on one."""
    wanted = settings.gradient_checkpointing
    if settings.fsdp:  # which has a way of its own (see TrainingArguments)
        return Checkpointing(model, False, None, 0)
    if wanted != "auto" or model.device.type != "cuda":
        return Checkpointing(model, wanted, None, 0)
    free, _ = torch.cuda.mem_get_info()
    room = free + torch.cuda.memory_reserved()
    return Checkpointing(model, wanted, memory_of(model), _USABLE * room)


def memory_of(model: Any) -> TrainingMemory:
    """Return the memory that training a model with its adapter takes."""
    fixed = 0
    for weights in model.parameters():
        learnt = _OPTIMISER if weights.requires_grad else 0
        fixed += weights.numel() * (weights.element_size() + learnt)
    return training_memory(model.config, fixed, width=model.dtype.itemsize)
