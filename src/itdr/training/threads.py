"""A step's forward and backward passes side by side on a CPU's threads.

A small model's products are too small to be divided among threads, which would wait for each
other several hundred times a step. Rows wait for each other once, at its end.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from itdr.settings.training import TrainingSettings

_EXAMPLES = 4
"""Fewer in a row would share less, and rows of unlike length would leave threads idle."""


def rows_at_once(settings: TrainingSettings, plan: Sequence[Sequence[int]]) -> int:
    """Return how many of a step's rows are computed at once.

    That is one on a GPU, or where several processes share a step, or where dropout draws random
    numbers in the order of the rows.

    plan: the examples of each step.
    """
    if torch.cuda.is_available() or settings.processes > 1 or settings.lora_dropout:
        return 1
    return max(1, min(torch.get_num_threads(), max(map(len, plan)) // _EXAMPLES))


def add_gradients(
    parameters: Sequence[torch.nn.Parameter],
    losses: Sequence[Callable[[], torch.Tensor]],
    at_once: Callable[..., Any],
) -> torch.Tensor:
    """Set the gradients of parameters to those of a sum of losses, and return the sum.

    Each loss is computed, forward and backward, where `at_once` puts it; what comes out is added in
    the order given, so that chance has no part in it.
    """

    def one(loss: Callable[[], torch.Tensor]) -> tuple[torch.Tensor, ...]:
        found = loss()
        return found.detach(), *torch.autograd.grad(found, parameters, materialize_grads=True)

    total, *gradients = (sum(parts) for parts in zip(*at_once(one, losses), strict=True))
    for parameter, gradient in zip(parameters, gradients, strict=True):
        # PyTorch's fused Adam for CPUs takes it that both lie in memory alike.
        parameter.grad = gradient.contiguous()
    return total
