"""Fine-tuning a LoRA adapter."""

import logging
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import (
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)

from itdr.instructions.record import RECORD
from itdr.models.loading import load_model, load_tokenizer
from itdr.models.prompt import PromptRenderer
from itdr.progress import Progress, progress
from itdr.provenance import provenance
from itdr.settings.experiment import TrainingSettings
from itdr.settings.model import ModelSettings
from itdr.storage import atomic_folder, read_parquet, sha256, write_json, write_text
from itdr.training.checkpoints import open_checkpoints
from itdr.training.examples import OrderedExamples, Tokenized, collate, order, tokenize

log = logging.getLogger("itdr")


def train(
    model: ModelSettings, mixture: Path, out: Path, settings: TrainingSettings, *, seed: int
) -> None:
    """Train an adapter of the base model on a mixture and write it to the folder `out`.

    The folder holds PEFT's adapter files, run.json (settings, data checksum, versions, losses) and
    losses.csv (step, loss, learning_rate). Until it is there, checkpoints lie beside it in a folder
    that ends with ".checkpoints"; started again, training goes on from the last of them.

    Raises:
        MissingFileError, DataError: the mixture is not there or not in the form of RECORD, or the
            checkpoints belong to another training.
        ModelError: the base model cannot be had.
    """
    manifest = {
        "model": model.model_dump(mode="json"),
        "mixture_sha256": sha256(mixture) if mixture.is_file() else None,
        "settings": settings.model_dump(mode="json"),
        "seed": seed,
    }
    table = read_parquet(mixture, RECORD)
    tokenizer = load_tokenizer(model)
    data = tokenize(table, PromptRenderer(tokenizer), settings)
    for task, count in data.too_long.items():
        log.warning("%s: %d examples over %d tokens left out", task, count, settings.max_length)
    checkpoints = out.with_name(out.name + ".checkpoints")
    resumed = open_checkpoints(checkpoints, manifest)
    set_seed(seed)
    rows = order([len(example.ids) for example in data.examples], settings, seed)
    steps = -(-len(rows) // settings.batch_size)
    trainer = Trainer(
        model=_adapted(model, settings),
        args=_arguments(model, checkpoints, settings, steps, seed),
        train_dataset=OrderedExamples(data.examples, rows),
        data_collator=partial(collate, pad_id=tokenizer.pad_token_id),
        compute_loss_func=partial(mean_over_examples, batch_size=settings.batch_size)
        if settings.loss_over == "examples"
        else None,
    )
    trainer.remove_callback(PrinterCallback)
    with progress("training", steps, "steps") as counter:
        trainer.add_callback(_Counter(counter))
        trainer.train(resume_from_checkpoint=str(resumed) if resumed else None)
    _write_adapter(trainer, out, manifest | _summary(data, trainer))
    shutil.rmtree(checkpoints)


def mean_over_examples(
    outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None, *, batch_size: int
) -> torch.Tensor:
    """Return the mean over examples of each one's mean loss per answer token, in nats.

    labels: (rows, length), -100 where there is no loss. batch_size: examples per optimiser step,
    over which the sum of its forward passes is the mean.
    """
    logits = outputs.logits[:, :-1].float()
    wanted = labels[:, 1:].to(logits.device)
    losses = torch.nn.functional.cross_entropy(
        logits.transpose(1, 2), wanted, ignore_index=-100, reduction="none"
    )
    counts = (wanted != -100).sum(dim=1).clamp(min=1)
    return (losses.sum(dim=1) / counts).sum() / batch_size


class _Counter(TrainerCallback):
    def __init__(self, counter: Progress) -> None:
        self._counter = counter

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self._counter.update(1)


def _adapted(model: ModelSettings, settings: TrainingSettings) -> Any:
    adapted = get_peft_model(
        load_model(model).train(),
        LoraConfig(
            task_type="CAUSAL_LM",
            r=settings.lora_rank,
            lora_alpha=settings.lora_alpha,
            lora_dropout=settings.lora_dropout,
            target_modules="all-linear",
        ),
    )
    if settings.gradient_checkpointing:
        adapted.enable_input_require_grads()
    return adapted


def _arguments(
    model: ModelSettings, checkpoints: Path, settings: TrainingSettings, steps: int, seed: int
) -> TrainingArguments:
    return TrainingArguments(
        output_dir=str(checkpoints),
        per_device_train_batch_size=settings.micro_batch_size,
        gradient_accumulation_steps=settings.batch_size // settings.micro_batch_size,
        num_train_epochs=1,  # the rows hold all epochs
        train_sampling_strategy="sequential",
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.schedule,
        warmup_steps=round(settings.warmup_ratio * steps),
        bf16=torch.cuda.is_available() and model.dtype == "bfloat16",
        activation_checkpointing=settings.gradient_checkpointing,
        save_strategy="steps",
        save_steps=settings.save_steps,
        save_total_limit=2,
        logging_steps=1,
        report_to="none",
        disable_tqdm=True,
        log_level="error",
        remove_unused_columns=False,
        dataloader_pin_memory=torch.cuda.is_available(),
        seed=seed,
    )


def _summary(data: Tokenized, trainer: Trainer) -> dict[str, Any]:
    losses = [entry for entry in trainer.state.log_history if "loss" in entry]
    return {
        "examples": len(data.examples),
        "too_long": data.too_long,
        "tokens": sum(len(example.ids) for example in data.examples),
        "steps": trainer.state.global_step,
        "first_loss": losses[0]["loss"] if losses else None,
        "final_loss": losses[-1]["loss"] if losses else None,
        "provenance": provenance(("torch", "transformers", "peft", "accelerate")),
    }


def _write_adapter(trainer: Trainer, out: Path, run: dict[str, Any]) -> None:
    rows = ["step,loss,learning_rate"]
    for entry in trainer.state.log_history:
        if "loss" in entry:
            rows.append(f"{entry['step']},{entry['loss']:.6f},{entry['learning_rate']:.3e}")
    with atomic_folder(out) as folder:
        trainer.save_model(str(folder))
        write_text(folder / "losses.csv", "\n".join(rows) + "\n")
        write_json(folder / "run.json", run)
