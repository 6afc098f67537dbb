"""How good an adapter is, while it is trained, on rows that it is not trained on.

All that decides when training stops and which checkpoint is the best stands in the Trainer's
history, which every checkpoint keeps; so a training that was stopped goes on as if it had not been.
"""

import logging
import math
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch
from accelerate.utils import gather_object
from transformers import TrainerCallback

from itdr.errors import DataError, SettingsError
from itdr.evaluation.one_value import goes_with, mean_value
from itdr.evaluation.predictions import cells_of, why_unscorable
from itdr.files.checksums import sha256
from itdr.instructions.asked import first_rows
from itdr.instructions.record import RECORD, reference_columns
from itdr.instructions.tasks import load_task
from itdr.models.loading import ADAPTER_WEIGHTS
from itdr.models.prompt import PromptRenderer
from itdr.settings.metric import lower_is_better
from itdr.settings.reading import MOST_ROWS
from itdr.settings.training import TrainingSettings, ValidationSettings
from itdr.training.batches import Steps, answer_loss
from itdr.training.checkpoints import check_checkpoint
from itdr.training.examples import COLUMNS, tokenize
from itdr.training.trainer import StepTrainer

log = logging.getLogger("itdr")

Row = dict[str, Any]
Answering = Callable[[list[Row]], Callable[[Any, Sequence[int]], list[Row]]]
"""From rows of RECORD to what answers some of them, by their places, with a model."""


@dataclass(frozen=True)
class HeldOut:
    """Rows to validate with.

    Attributes:
        parts: val.parquet files.
        folders: of configuration, with the files of the tasks.
        description: whether prompts hold the task description.
        answering: what answers them.
    """

    parts: tuple[Path, ...]
    folders: tuple[Path, ...]
    description: bool
    answering: Answering

    @property
    def manifest(self) -> dict[str, Any]:
        """What decides the values."""
        return {"sha256": [sha256(part) for part in self.parts], "description": self.description}

    def rows(self, settings: ValidationSettings) -> list[Row]:
        """Return the rows that are validated with.

        Raises:
            MissingFileError, DataError: a part is not there, not in the form of RECORD, or all are
                empty.
            SettingsError: no row's task goes with the metric.
        """
        rows = first_rows(self.parts, settings.rows or MOST_ROWS)
        cells = {(row["task"], row["dataset"]) for row in rows}
        if not rows:
            raise DataError(f"{self.parts[0]} and others: no row to validate with.")
        metric = settings.metric
        if metric != "loss":
            tasks = {task: load_task(task, self.folders) for task, _ in cells}
            cells = {cell for cell in cells if goes_with(metric, tasks[cell[0]], cell[1])}
            if not cells:
                raise SettingsError(
                    f"training.validation.metric is {metric!r}, which goes with the answers to "
                    f"none of {', '.join(sorted(tasks))}. Name another, or loss."
                )
            rows = [row for row in rows if (row["task"], row["dataset"]) in cells]
            for row in rows:
                if why := why_unscorable(reference_columns(row), tasks[row["task"]]):
                    raise DataError(f"example {row['id']!r} of the val part: {why}")
        return rows


class Validation(TrainerCallback):
    """Measures an adapter every few steps, keeps the best checkpoint, and stops in time.

    Attributes:
        rows: how many rows are validated with.
        seconds: how long measuring has taken since the last start.
    """

    def __init__(
        self,
        trainer: StepTrainer,
        held_out: HeldOut,
        renderer: PromptRenderer,
        settings: TrainingSettings,
    ) -> None:
        """Read the rows. Raises as HeldOut.rows does."""
        self.settings, self.seconds = settings.validation, 0.0
        self._trainer = trainer
        rows = held_out.rows(self.settings)
        self.rows = len(rows)
        if self.settings.metric == "loss":
            self._value = _loss(trainer, rows, held_out, renderer, settings)
        else:
            self._value = _metric(trainer, rows, held_out, self.settings.metric)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Measure where it is time to, note the value, and say what follows from it."""
        every, step = self.settings.every, state.global_step
        if not every or (step % every and step < state.max_steps):
            return
        begin = time.monotonic()
        model: Any = self._trainer.model
        model.eval()
        value = self._value()
        model.train()
        self.seconds += time.monotonic() - begin
        known = value if math.isfinite(value) else None
        state.log_history.append({"validation": known, "step": step})
        seen = values_in(state)
        best = best_of(seen, self.settings.metric)
        if state.is_world_process_zero:
            mark = " (best)" if best == step else ""
            log.info("step %d: %s %.4f%s", step, self.settings.metric, value, mark)
        if best == step:
            state.best_global_step, state.best_metric = step, known
            control.should_save = control.should_log = True
        elif is_enough(seen, self.settings):
            control.should_training_stop = control.should_log = True
            control.should_save = False  # started again from there, it would take one step more

    def take_best(self, state: Any, checkpoints: Path, finished: Path) -> None:
        """Put the best checkpoint's weights into the folder of the finished adapter.

        Raises:
            DataError: that checkpoint is damaged.
        """
        best = best_of(values_in(state), self.settings.metric)
        if best is None:
            log.warning("no validation had a value; the adapter is that of the last step")
            return
        checkpoint = checkpoints / f"checkpoint-{best}"
        check_checkpoint(checkpoint)
        shutil.copyfile(checkpoint / ADAPTER_WEIGHTS, finished / ADAPTER_WEIGHTS)


def values_in(state: Any) -> list[tuple[int, float | None]]:
    """Return the step and value of each validation; None where there was no finite value."""
    entries = [entry for entry in state.log_history if "validation" in entry]
    return [(entry["step"], entry["validation"]) for entry in entries]


def best_of(values: Sequence[tuple[int, float | None]], metric: str) -> int | None:
    """Return the first step with the best value; None where there is none."""
    sign = 1 if metric == "loss" or lower_is_better(metric) else -1
    known = [(sign * value, step) for step, value in values if value is not None]
    return min(known)[1] if known else None


def is_enough(values: Sequence[tuple[int, float | None]], settings: ValidationSettings) -> bool:
    """Say whether there has been no better value for as long as the settings wait for one."""
    best = best_of(values, settings.metric)
    since = sum(best is None or step > best for step, _ in values)
    return settings.patience is not None and since >= settings.patience


def _loss(
    trainer: StepTrainer,
    rows: list[Row],
    held_out: HeldOut,
    renderer: PromptRenderer,
    settings: TrainingSettings,
) -> Callable[[], float]:
    """Return what computes the loss as a step's is computed, over all rows at once."""
    table = pa.Table.from_pylist(rows, schema=RECORD).select(COLUMNS.names)
    if not held_out.description:
        place = table.column_names.index("instruction")
        table = table.set_column(place, "instruction", pa.array([""] * len(table)))
    examples = tokenize(table, renderer, settings).examples
    data = Steps(examples, [range(len(examples))], settings)
    accelerator = trainer.accelerator

    @torch.no_grad()
    def value() -> float:
        total = torch.zeros((), device=trainer.args.device)
        for one in trainer._prepare_inputs({"passes": data[accelerator.process_index]})["passes"]:
            total += answer_loss(trainer.model, one, trainer.attention)
        return float(accelerator.reduce(total, "sum"))

    return value


def _metric(
    trainer: StepTrainer, rows: list[Row], held_out: HeldOut, metric: str
) -> Callable[[], float]:
    """Return what computes a metric of the answers, each process giving a share of them."""
    answer = held_out.answering(rows)
    accelerator = trainer.accelerator
    share = range(accelerator.process_index, len(rows), accelerator.num_processes)

    def value() -> float:
        with _decoding(trainer) as model:
            mine = answer(model, share)
        given = gather_object(mine)
        return mean_value(cells_of(given, held_out.folders, "validation"), metric)

    return value


@contextmanager
def _decoding(trainer: StepTrainer) -> Iterator[Any]:
    """Yield the model with its adapter, and with attention that heeds masks."""
    model: Any = trainer.model
    base = model.get_base_model()
    base.set_attn_implementation("sdpa")
    try:
        yield base
    finally:
        base.set_attn_implementation(trainer.attention)
