"""The folder of unfinished training, and the note that says what it is training of.

The workflow does not know this folder: Snakemake would delete it when a job fails.
"""

from pathlib import Path
from typing import Any

from itdr.errors import DataError
from itdr.storage import read_json_object, write_json

_NOTE = "manifest.json"


def open_checkpoints(folder: Path, manifest: dict[str, Any]) -> Path | None:
    """Return the newest whole checkpoint in the folder, or None at a first start.

    Raises:
        DataError: the folder belongs to a training with other data, model or settings.
    """
    note = folder / _NOTE
    if not note.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_json(note, manifest)
        return None
    found, wanted = _flat(read_json_object(note)), _flat(manifest)
    for key in sorted({*found, *wanted}):
        if found.get(key) != wanted.get(key):
            raise DataError(
                f"{note}: {key!r} is {found.get(key)!r} in the training that was stopped and "
                f"{wanted.get(key)!r} now. Delete the folder {folder} to start anew, or put "
                f"{key!r} back to go on."
            )
    # The Trainer writes this file last, so a checkpoint that has it is whole.
    whole = [path.parent for path in folder.glob("checkpoint-*/trainer_state.json")]
    return max(whole, key=steps_done, default=None)


def steps_done(checkpoint: Path | None) -> int:
    """Return the optimiser steps that lie behind a checkpoint; 0 for None."""
    return int(checkpoint.name.rpartition("-")[2]) if checkpoint else 0


def _flat(manifest: dict[str, Any], above: str = "") -> dict[str, Any]:
    """Return the values of a nested mapping under keys such as "settings.epochs"."""
    flat: dict[str, Any] = {}
    for key, value in manifest.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{above}{key}.")
        else:
            flat[above + key] = value
    return flat
