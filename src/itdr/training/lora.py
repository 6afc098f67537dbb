"""Fine-tuning a LoRA adapter."""

import logging
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch
from transformers import set_seed

from itdr.errors import SettingsError, TrainingError
from itdr.files.atomic import writing
from itdr.files.checksums import sha256
from itdr.files.formats import read_parquet
from itdr.files.progress import progress
from itdr.files.resume import resume_state
from itdr.instructions.protocol import read_protocol
from itdr.models.loading import load_model, load_tokenizer, weights_checksum
from itdr.models.prompt import PromptRenderer
from itdr.models.threads import side_by_side
from itdr.settings.model import REQUESTED, ModelSettings
from itdr.settings.training import TrainingSettings
from itdr.training.checkpoints import Seal, newest_whole, open_checkpoints, steps_done
from itdr.training.examples import COLUMNS, Tokenized, tokenize
from itdr.training.packages import require_packages
from itdr.training.packing import steps
from itdr.training.processes import rank
from itdr.training.run import Run, write_run
from itdr.training.setup import make_trainer, training_arguments
from itdr.training.start import described_start
from itdr.training.threads import rows_at_once
from itdr.training.trainer import NotFiniteError, ProgressCallback
from itdr.training.validation import HeldOut, Validation

log = logging.getLogger("itdr")


def train(
    model: ModelSettings,
    mixture: Path,
    out: Path,
    settings: TrainingSettings,
    *,
    seed: int,
    start: Path | None = None,
    held_out: HeldOut | None = None,
) -> None:
    """Train an adapter of the base model on a mixture and write it to the folder `out`.

    It is a new one, or goes on from the weights of the adapter in the folder `start`, with an
    optimiser that begins anew.

    The folder holds PEFT's adapter files, run.json (settings, data checksum, versions, losses),
    losses.csv (step, loss, learning_rate), losses.png and README.md, the model card. Until it is
    there, checkpoints lie beside it in a folder that ends with ".checkpoints"; started again,
    training goes on from the last of them.

    held_out: rows to validate with, where the settings ask for it. Then the adapter is that of the
    best value, and validation.csv (step, metric, value, best) and validation.png lie beside it.

    Raises:
        MissingFileError, DataError: the mixture is not there or not in the form of RECORD, or the
            checkpoints belong to another training.
        ModelError: the base model cannot be had.
        SettingsError: the settings ask for what is not here, or do not fit the adapter `start`.
        TrainingError: a loss is not finite, or a row does not fit the GPU.
        BusyError: another process is training this adapter.
        DiskFullError: there is no room for a checkpoint or the adapter.
    """
    if settings.validation.every and held_out is None:
        raise SettingsError(
            "training.validation.every is set, and there is nothing to validate with: give --val."
        )
    _require_processes(settings)
    require_packages(settings)
    # Rows of ever new lengths would leave memory in pieces. Read when CUDA is first used.
    os.environ.setdefault("PYTORCH_ALLOC_CONF", "expandable_segments:True")
    checkpoints = out.with_name(out.name + ".checkpoints")
    with resume_state(checkpoints) if rank() == 0 else nullcontext(), writing(checkpoints):
        _train(
            model,
            mixture,
            out,
            settings,
            seed=seed,
            start=start,
            held_out=held_out if settings.validation.every else None,
            checkpoints=checkpoints,
        )


def _train(
    model: ModelSettings,
    mixture: Path,
    out: Path,
    settings: TrainingSettings,
    *,
    seed: int,
    start: Path | None,
    held_out: HeldOut | None,
    checkpoints: Path,
) -> None:
    table = read_parquet(mixture, COLUMNS)
    manifest = {
        "model": model.model_dump(mode="json", exclude=set(REQUESTED)),
        "weights_sha256": weights_checksum(model),
        "mixture_sha256": sha256(mixture),
        "settings": settings.model_dump(mode="json"),
        "seed": seed,
        "start_from": described_start(start),
        "held_out": held_out.manifest if held_out else None,
    }
    renderer = PromptRenderer(load_tokenizer(model))
    data = tokenize(table, renderer, settings)
    plan = steps([len(example.ids) for example in data.examples], settings, seed)
    arguments = training_arguments(model, checkpoints, settings, len(plan), seed)
    with arguments.main_process_first():
        resumed = open_checkpoints(checkpoints, manifest)
    set_seed(seed)
    base = load_model(model, four_bit=settings.four_bit, place=not settings.fsdp)
    trainer = make_trainer(
        base,
        model,
        data.examples,
        plan,
        settings=settings,
        arguments=arguments,
        start=start,
    )
    rows, passes = rows_at_once(settings, plan), trainer.steps
    validation = Validation(trainer, held_out, renderer, settings) if held_out else None
    if validation:
        trainer.add_callback(validation)
    trainer.add_callback(Seal())
    done = steps_done(resumed)
    first = rank() == 0
    if first:
        _tell(data, settings, len(plan), done, trainer.attention)
    begin = time.monotonic()
    with progress("training", len(plan), "steps", done=done) if first else nullcontext() as bar:
        if bar:
            trainer.add_callback(ProgressCallback(bar, passes))
        with side_by_side(rows) as trainer.at_once, _explained(data, plan, checkpoints, settings):
            trainer.train(resume_from_checkpoint=str(resumed) if resumed else None)
    seconds = time.monotonic() - begin
    finished = checkpoints / "adapter"
    trainer.save_model(str(finished))  # every process takes part
    if first:
        if validation:
            seconds -= validation.seconds
            validation.take_best(trainer.state, checkpoints, finished)
        tokens = sum(map(passes.tokens, range(done, trainer.state.global_step)))
        validated, origin = validation.rows if validation else 0, read_protocol(mixture).data
        run = Run(manifest, data, passes, trainer.state, seconds, tokens, validated, origin)
        write_run(out, finished, run)
        shutil.rmtree(checkpoints)


def _tell(
    data: Tokenized, settings: TrainingSettings, steps: int, done: int, attention: str
) -> None:
    for task, count in data.dropped.items():
        log.warning("%s: %d examples over %d tokens left out", task, count, settings.max_length)
    for task, count in data.cut.items():
        log.warning("%s: %d examples cut to %d tokens", task, count, settings.max_length)
    log.info(
        "%s examples, %s steps, attention %s",
        f"{len(data.examples):,}", f"{steps:,}", attention,
    )  # fmt: skip
    if done:
        log.info("going on after step %s", f"{done:,}")


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


@contextmanager
def _explained(
    data: Tokenized, plan: list[list[int]], checkpoints: Path, settings: TrainingSettings
) -> Iterator[None]:
    """Say what a step that failed had to do with, and what is kept.

    Raises:
        TrainingError: a loss or gradient norm is not finite, or the GPU's memory does not suffice.
    """
    try:
        yield
    except NotFiniteError as error:
        kept = newest_whole(checkpoints)
        examples = ", ".join(data.names[i] for i in plan[error.step - 1])
        raise TrainingError(
            f"step {error.step} of {len(plan)}: the loss is {error.loss:g} and the norm of the "
            f"gradients {error.norm:g}, where finite numbers are needed. Its examples are "
            f"{examples}. {kept or 'No checkpoint'} is kept, and no later one. If the same "
            "happens again from there, lower training.learning_rate or look at these examples; "
            "if not, the hardware is to be suspected."
        ) from error
    except torch.OutOfMemoryError as error:
        raise TrainingError(
            f"the GPU has too little memory ({str(error).splitlines()[0]}). Lower "
            f"training.row_length ({settings.row_length}), set training.gradient_checkpointing to "
            "true or training.four_bit, or end what else uses this GPU."
        ) from error
