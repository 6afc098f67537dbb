"""transformers' Trainer, with optimiser steps that have as many forward passes as they need.

On a GPU the processor hands out work and does not wait for it, so nothing in a step may ask for a
number that is still being computed. Losses and gradient norms therefore stay where they are until
the Trainer logs, before each checkpoint at the latest; then all are looked at together.
"""

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch.distributed.tensor import DTensor
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from itdr.files.progress import Progress
from itdr.training.batches import Steps, answer_loss
from itdr.training.checkpointing import Checkpointing
from itdr.training.threads import add_gradients


@dataclass
class NotFiniteError(Exception):
    """A step's loss (nats) or gradient norm is infinite or not a number.

    Attributes:
        step: its number, from 1.
    """

    step: int
    loss: float
    norm: float


class StepTrainer(Trainer):
    """A Trainer whose batches are the forward passes of one process in one step (see Steps).

    The history has an entry per step: loss, gradient norm and the learning rate that it had.
    """

    def __init__(
        self,
        model: Any,
        args: TrainingArguments,
        data: Steps,
        attention: str,
        checkpointing: Checkpointing,
    ) -> None:
        """attention: the name that transformers has for the model's."""
        super().__init__(model=model, args=args, train_dataset=data, data_collator=_only)
        self.steps, self.attention, self._checkpointing = data, attention, checkpointing
        self._learnt = [weight for weight in model.parameters() if weight.requires_grad]
        self._losses: list[torch.Tensor] = []
        self._norms: list[torch.Tensor] = []
        self._rates: list[float] = []
        self.at_once: Callable[..., Any] | None = None
        """A `map` that computes passes side by side (see side_by_side), if they are to be."""
        self.remove_callback(PrinterCallback)
        self.add_callback(_LookBeforeSaving())

    def training_step(
        self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None
    ) -> torch.Tensor:
        """Add the gradients of a step's passes up and return the step's loss.

        Processes average their gradients and reported losses, while ours have to be summed; hence
        the factor.
        """
        model.train()
        self._rates.append(self._get_learning_rate())
        passes = self._prepare_inputs(inputs)["passes"]
        if self.at_once:
            losses = [partial(answer_loss, model, one, self.attention) for one in passes]
            total = add_gradients(self._learnt, losses, self.at_once)
            self._losses.append(total)
            return total
        total = torch.zeros((), device=self.args.device)
        for number, one in enumerate(passes):
            last = number == len(passes) - 1
            self._checkpointing.before(one["input_ids"].numel(), one["wanted"].numel())
            with nullcontext() if last else self.accelerator.no_sync(model):
                loss = answer_loss(model, one, self.attention) * self.accelerator.num_processes
                self.accelerator.backward(loss)
            total += loss.detach()
        self._losses.append(total)
        return total

    def _clip_grad_norm(self, model: Any) -> Any:
        norm = super()._clip_grad_norm(model)
        self._norms.append(norm.full_tensor() if isinstance(norm, DTensor) else norm)
        return norm

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add the steps since the last call to the history and tell the callbacks.

        Raises:
            NotFiniteError: one of them has no finite loss or gradient norm.
        """
        if "loss" in logs:
            self.state.log_history += self._looked_at()
            self.control = self.callback_handler.on_log(self.args, self.state, self.control, logs)

    def _looked_at(self) -> list[dict[str, float]]:
        """Return the entries of the steps that are not in the history."""
        pairs = torch.stack([torch.stack(self._losses), torch.stack(self._norms)]).float()
        losses, norms = self.accelerator.reduce(pairs, "mean").tolist()
        first = self.state.global_step - len(losses) + 1
        scaled = self.accelerator.scaler is not None  # which leaves steps out whose norm is not
        entries = []
        for step, (loss, norm) in enumerate(zip(losses, norms, strict=True), first):
            if not (math.isfinite(loss) and (scaled or math.isfinite(norm))):
                raise NotFiniteError(step, loss, norm)
            rate = self._rates[step - first]
            entries.append({"loss": loss, "grad_norm": norm, "learning_rate": rate, "step": step})
        self._losses, self._norms, self._rates = [], [], []
        return entries

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        """Return 0: the operations are not counted."""
        return 0


class _LookBeforeSaving(TrainerCallback):
    """Has the losses looked at before a checkpoint is written, and at the end."""

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Ask for it; the Trainer logs before it saves."""
        control.should_log |= control.should_save or control.should_training_stop


class ProgressCallback(TrainerCallback):
    """Tells a progress bar what goes on."""

    def __init__(self, bar: Progress, data: Steps) -> None:
        """Keep the bar and what says how many tokens a step has."""
        self._bar, self._data = bar, data
        self._begin, self._tokens = time.monotonic(), 0

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Count a step."""
        self._tokens += self._data.tokens(state.global_step - 1)
        self._bar.update(1)

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Show the speed and the loss."""
        rate = self._tokens / (time.monotonic() - self._begin)
        loss = kwargs["logs"]["loss"]
        self._bar.set_postfix_str(f"{rate:,.0f} tokens/s, loss {loss:.4f}", False)


def _only(batch: list[Any]) -> dict[str, Any]:
    return {"passes": batch[0]}
