"""From a base model and the examples of each step to a Trainer that is ready to start."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import TrainingArguments

from itdr.models.prompt import TokenizedExample
from itdr.settings.model import ModelSettings
from itdr.settings.training import TrainingSettings
from itdr.training.attention import knows_layouts, set_attention
from itdr.training.batches import Steps
from itdr.training.checkpointing import checkpointing
from itdr.training.compiling import compile_layers
from itdr.training.fused import fuse
from itdr.training.last_layer import narrow_last_layer
from itdr.training.start import start_from
from itdr.training.threads import rows_at_once
from itdr.training.trainer import StepTrainer


def make_trainer(
    base: Any,
    model: ModelSettings,
    examples: Sequence[TokenizedExample],
    plan: Sequence[Sequence[int]],
    *,
    settings: TrainingSettings,
    arguments: TrainingArguments,
    start: Path | None = None,
) -> StepTrainer:
    """Return a Trainer of a base model's adapter: a new one, or `start`, to be trained further.

    plan: which of the examples each step has. arguments: see training_arguments.

    Raises:
        SettingsError, ModelError: as for set_attention and start_from.
    """
    attention = set_attention(base, settings.attention)
    # With dropout a prefix would have to be computed anew for each example.
    share = settings.share_prefixes and knows_layouts(attention) and not settings.lora_dropout
    data = Steps(examples, plan, settings, share=share, rows=rows_at_once(settings, plan))
    adapted = adapt(base, model, settings, start)
    again = checkpointing(adapted, settings)
    return StepTrainer(adapted, arguments, data, attention, again)


def adapt(
    base: Any, model: ModelSettings, settings: TrainingSettings, start: Path | None = None
) -> Any:
    """Return the base model with an adapter, computed as fast as this package can.

    The adapter is new, or has the weights of the one in the folder `start`.

    The adapter's numbers have 32 bits whatever the model's, and nothing else is learnt.
    """
    targets = model.lora_targets
    adapted = get_peft_model(
        base.train(),
        LoraConfig(
            task_type="CAUSAL_LM",
            r=settings.lora_rank,
            lora_alpha=settings.lora_alpha,
            lora_dropout=settings.lora_dropout,
            target_modules=targets if isinstance(targets, str) else list(targets),
        ),
    )
    chosen = adapted.peft_config["default"]
    # A set's order, in the file, would be chance.
    if isinstance(chosen, LoraConfig) and isinstance(chosen.target_modules, set):
        chosen.target_modules = sorted(chosen.target_modules)
    if start:
        start_from(adapted, start, model)
    if not settings.fsdp:  # which takes weights apart
        fuse(adapted)
        narrow_last_layer(adapted)
    if settings.compile:
        compile_layers(adapted)
    return adapted


def training_arguments(
    model: ModelSettings, checkpoints: Path, settings: TrainingSettings, steps: int, seed: int
) -> TrainingArguments:
    """Return what transformers' Trainer must know; steps: of the optimiser, in all."""
    gpu = torch.cuda.is_available()
    return TrainingArguments(
        output_dir=str(checkpoints),
        per_device_train_batch_size=1,  # one step's passes (see Steps)
        num_train_epochs=1,  # the steps are those of all epochs
        train_sampling_strategy="sequential",
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.schedule,
        warmup_steps=round(settings.warmup_ratio * steps),
        # Weights in bfloat16 need no autocast; in float16 gradients would vanish without a scaler.
        bf16=gpu and model.dtype == "bfloat16" and settings.fsdp,
        fp16=gpu and model.dtype == "float16",
        use_cpu=not gpu,
        use_liger_kernel=settings.liger,
        liger_kernel_config={"cross_entropy": False, "fused_linear_cross_entropy": False},
        fsdp=settings.fsdp or None,  # type: ignore[arg-type]
        fsdp_config={"activation_checkpointing": settings.gradient_checkpointing is not False},
        ddp_find_unused_parameters=False,
        save_strategy="steps",
        save_steps=settings.save_steps,
        save_total_limit=2,
        logging_steps=settings.logging_steps,
        logging_nan_inf_filter=False,
        report_to=settings.track,
        disable_tqdm=True,
        log_level="error",
        remove_unused_columns=False,
        dataloader_pin_memory=gpu,
        accelerator_config={"non_blocking": gpu},
        seed=seed,
    )
