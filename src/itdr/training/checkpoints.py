"""Checkpoints of unfinished training, each with the checksums of its files written last."""

import logging
from pathlib import Path
from typing import Any

from accelerate import PartialState
from transformers import TrainerCallback

from itdr.errors import ItdrError
from itdr.files.checksums import check_files, sha256
from itdr.files.formats import read_json_object, write_checked_json
from itdr.files.resume import open_run_manifest

log = logging.getLogger("itdr")

_SUMS = "sha256.json"


class Seal(TrainerCallback):
    """Writes the checksums of a checkpoint's files into it, which makes it a whole one."""

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Seal the checkpoint of this step when all processes have written theirs."""
        PartialState().wait_for_everyone()
        if state.is_world_process_zero:
            folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            files = (path for path in sorted(folder.rglob("*")) if path.is_file())
            sums = {str(path.relative_to(folder)): sha256(path) for path in files}
            write_checked_json(folder / _SUMS, {"files": sums})


def open_checkpoints(folder: Path, manifest: dict[str, Any]) -> Path | None:
    """Return the newest whole checkpoint in the folder, or None at a first start.

    One that is damaged is named in the log, and the one before it is taken.

    Raises:
        DataError: the folder belongs to a training with other data, model or settings.
    """
    return newest_whole(folder) if open_run_manifest(folder, manifest) else None


def newest_whole(folder: Path) -> Path | None:
    """Return the newest checkpoint in a folder whose files are as they were written, or None."""
    for checkpoint in sorted(folder.glob("checkpoint-*"), key=steps_done, reverse=True):
        try:
            check_checkpoint(checkpoint)
            return checkpoint
        except (ItdrError, KeyError) as error:
            log.warning("%s is not used: %s", checkpoint, str(error).strip())
    return None


def check_checkpoint(checkpoint: Path) -> None:
    """Hold a checkpoint's files against their checksums.

    Raises:
        ItdrError: one is damaged or missing. KeyError: the file of checksums is another one.
    """
    check_files(checkpoint, read_json_object(checkpoint / _SUMS)["files"], "")


def steps_done(checkpoint: Path | None) -> int:
    """Return the optimiser steps that lie behind a checkpoint; 0 for None."""
    return int(checkpoint.name.rpartition("-")[2]) if checkpoint else 0
