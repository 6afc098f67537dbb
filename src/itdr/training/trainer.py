"""transformers' Trainer, with optimiser steps that have as many forward passes as they need."""

import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any

import torch
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from itdr.files.progress import Progress
from itdr.training.batches import Steps, answer_loss
from itdr.training.threads import add_gradients


class StepTrainer(Trainer):
    """A Trainer whose batches are the forward passes of one process in one step (see Steps)."""

    def __init__(self, model: Any, args: TrainingArguments, data: Steps, attention: str) -> None:
        """Keep the name that transformers has for the model's attention."""
        super().__init__(model=model, args=args, train_dataset=data, data_collator=_only)
        self._attention = attention
        self._learnt = [weight for weight in model.parameters() if weight.requires_grad]
        self.at_once: Callable[..., Any] | None = None
        """A `map` that computes passes side by side (see side_by_side), if they are to be."""
        self.remove_callback(PrinterCallback)

    def training_step(
        self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None
    ) -> torch.Tensor:
        """Add the gradients of a step's passes up and return the step's loss.

        Processes average their gradients and reported losses, while ours have to be summed; hence
        the factor.
        """
        model.train()
        passes = self._prepare_inputs(inputs)["passes"]
        if self.at_once:
            losses = [partial(answer_loss, model, one, self._attention) for one in passes]
            return add_gradients(self._learnt, losses, self.at_once)
        total = torch.zeros((), device=self.args.device)
        for number, one in enumerate(passes):
            last = number == len(passes) - 1
            with nullcontext() if last else self.accelerator.no_sync(model):
                loss = answer_loss(model, one, self._attention) * self.accelerator.num_processes
                self.accelerator.backward(loss)
            total += loss.detach()
        return total

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        """Return 0: the operations are not counted."""
        return 0


class ProgressCallback(TrainerCallback):
    """Tells a progress bar what goes on."""

    def __init__(self, bar: Progress, data: Steps) -> None:
        """Keep the bar and what says how many tokens a step has."""
        self._bar, self._data = bar, data
        self._begin, self._tokens = time.monotonic(), 0

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Count a step."""
        logs = kwargs["logs"]
        if "loss" in logs:
            self._tokens += self._data.tokens(state.global_step - 1)
            rate = self._tokens / (time.monotonic() - self._begin)
            self._bar.set_postfix_str(f"{rate:,.0f} tokens/s, loss {logs['loss']:.4f}", False)
            self._bar.update(1)


def _only(batch: list[Any]) -> dict[str, Any]:
    return {"passes": batch[0]}
