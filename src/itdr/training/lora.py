"""Fine-tuning a LoRA adapter."""

import logging
import os
import shutil
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
from transformers import TrainingArguments, set_seed

from itdr.errors import SettingsError
from itdr.files.atomic import writing
from itdr.files.checksums import sha256
from itdr.files.formats import read_parquet
from itdr.files.progress import progress
from itdr.files.resume import resume_state
from itdr.models.loading import load_model, load_tokenizer, weights_checksum
from itdr.models.prompt import PromptRenderer
from itdr.models.threads import side_by_side
from itdr.settings.model import REQUESTED, ModelSettings
from itdr.settings.training import TrainingSettings
from itdr.training.attention import can_share_prefixes, set_attention
from itdr.training.batches import Steps
from itdr.training.checkpoints import Seal, open_checkpoints, steps_done
from itdr.training.examples import COLUMNS, Tokenized, tokenize
from itdr.training.fused import fuse
from itdr.training.last_layer import narrow_last_layer
from itdr.training.packages import require_packages
from itdr.training.packing import steps
from itdr.training.processes import rank
from itdr.training.run import Run, write_run
from itdr.training.threads import rows_at_once
from itdr.training.trainer import ProgressCallback, StepTrainer

log = logging.getLogger("itdr")


def train(
    model: ModelSettings, mixture: Path, out: Path, settings: TrainingSettings, *, seed: int
) -> None:
    """Train an adapter of the base model on a mixture and write it to the folder `out`.

    The folder holds PEFT's adapter files, run.json (settings, data checksum, versions, losses),
    losses.csv (step, loss, learning_rate), losses.png and README.md, the model card. Until it is
    there, checkpoints lie beside it in a folder that ends with ".checkpoints"; started again,
    training goes on from the last of them.

    Raises:
        MissingFileError, DataError: the mixture is not there or not in the form of RECORD, or the
            checkpoints belong to another training.
        ModelError: the base model cannot be had.
        SettingsError: the settings ask for what is not here.
        BusyError: another process is training this adapter.
        DiskFullError: there is no room for a checkpoint or the adapter.
    """
    _require_processes(settings)
    require_packages(settings)
    checkpoints = out.with_name(out.name + ".checkpoints")
    with resume_state(checkpoints) if rank() == 0 else nullcontext(), writing(checkpoints):
        _train(model, mixture, out, settings, seed=seed, checkpoints=checkpoints)


def _train(
    model: ModelSettings,
    mixture: Path,
    out: Path,
    settings: TrainingSettings,
    *,
    seed: int,
    checkpoints: Path,
) -> None:
    table = read_parquet(mixture, COLUMNS)
    manifest = {
        "model": model.model_dump(mode="json", exclude=set(REQUESTED)),
        "weights_sha256": weights_checksum(model),
        "mixture_sha256": sha256(mixture),
        "settings": settings.model_dump(mode="json"),
        "seed": seed,
    }
    data = tokenize(table, PromptRenderer(load_tokenizer(model)), settings)
    plan = steps([len(example.ids) for example in data.examples], settings, seed)
    arguments = _arguments(model, checkpoints, settings, len(plan), seed)
    with arguments.main_process_first():
        resumed = open_checkpoints(checkpoints, manifest)
    set_seed(seed)
    base = load_model(model, four_bit=settings.four_bit, place=not settings.fsdp)
    attention = set_attention(base, settings.attention)
    # With dropout a prefix would have to be computed anew for each example.
    share = settings.share_prefixes and can_share_prefixes(attention) and not settings.lora_dropout
    rows = rows_at_once(settings, plan)
    passes = Steps(data.examples, plan, settings, share=share, rows=rows)
    trainer = StepTrainer(_adapted(base, model, settings), arguments, passes, attention)
    trainer.add_callback(Seal())
    done = steps_done(resumed)
    first = rank() == 0
    if first:
        _tell(data, settings, len(plan), done, attention)
    begin = time.monotonic()
    with progress("training", len(plan), "steps", done=done) if first else nullcontext() as bar:
        if bar:
            trainer.add_callback(ProgressCallback(bar, passes))
        with side_by_side(rows) as trainer.at_once:
            trainer.train(resume_from_checkpoint=str(resumed) if resumed else None)
    seconds = time.monotonic() - begin
    finished = checkpoints / "adapter"
    trainer.save_model(str(finished))  # every process takes part
    if first:
        tokens = sum(map(passes.tokens, range(done, len(plan))))
        write_run(out, finished, Run(manifest, data, passes, trainer.state, seconds, tokens))
        shutil.rmtree(checkpoints)


def _tell(
    data: Tokenized, settings: TrainingSettings, steps: int, done: int, attention: str
) -> None:
    for task, count in data.dropped.items():
        log.warning("%s: %d examples over %d tokens left out", task, count, settings.max_length)
    for task, count in data.cut.items():
        log.warning("%s: %d examples cut to %d tokens", task, count, settings.max_length)
    log.info("%d examples, %d steps, attention %s", len(data.examples), steps, attention)
    if done:
        log.info("going on after step %d", done)


def _require_processes(settings: TrainingSettings) -> None:
    there = int(os.environ.get("WORLD_SIZE", "1"))
    if there != settings.processes:
        raise SettingsError(
            f"training.processes is {settings.processes} and {there} were started. "
            "Let 'itdr train' start them, or give both the same number."
        )
    gpus = torch.cuda.device_count()
    if gpus and settings.processes > gpus:
        raise SettingsError(
            f"training.processes is {settings.processes} and there are {gpus} GPUs here."
        )


def _adapted(base: Any, model: ModelSettings, settings: TrainingSettings) -> Any:
    if settings.four_bit:
        base = prepare_model_for_kbit_training(
            base, use_gradient_checkpointing=settings.gradient_checkpointing
        )
    adapted = get_peft_model(
        base.train(),
        LoraConfig(
            task_type="CAUSAL_LM",
            r=settings.lora_rank,
            lora_alpha=settings.lora_alpha,
            lora_dropout=settings.lora_dropout,
            target_modules=model.lora_targets
            if isinstance(model.lora_targets, str)
            else list(model.lora_targets),
        ),
    )
    chosen = adapted.peft_config["default"]
    # A set's order, in the file, would be chance.
    if isinstance(chosen, LoraConfig) and isinstance(chosen.target_modules, set):
        chosen.target_modules = sorted(chosen.target_modules)
    if not settings.fsdp:  # which takes weights apart
        fuse(adapted)
        narrow_last_layer(adapted)
    if settings.gradient_checkpointing:
        adapted.enable_input_require_grads()
    return adapted


def _arguments(
    model: ModelSettings, checkpoints: Path, settings: TrainingSettings, steps: int, seed: int
) -> TrainingArguments:
    gpu = torch.cuda.is_available()
    return TrainingArguments(
        output_dir=str(checkpoints),
        per_device_train_batch_size=1,  # one step's passes (see Steps)
        num_train_epochs=1,  # the steps are those of all epochs
        train_sampling_strategy="sequential",
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.schedule,
        warmup_steps=round(settings.warmup_ratio * steps),
        bf16=gpu and model.dtype == "bfloat16",
        fp16=gpu and model.dtype == "float16",
        use_cpu=not gpu,
        activation_checkpointing=settings.gradient_checkpointing and not settings.fsdp,
        use_liger_kernel=settings.liger,
        liger_kernel_config={"cross_entropy": False, "fused_linear_cross_entropy": False},
        fsdp=settings.fsdp or None,  # type: ignore[arg-type]
        fsdp_config={"activation_checkpointing": settings.gradient_checkpointing},
        ddp_find_unused_parameters=False,
        save_strategy="steps",
        save_steps=settings.save_steps,
        save_total_limit=2,
        logging_steps=1,
        report_to=settings.track,
        disable_tqdm=True,
        log_level="error",
        remove_unused_columns=False,
        dataloader_pin_memory=gpu,
        seed=seed,
    )
