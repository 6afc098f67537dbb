"""The folder of unfinished training, and the note that says what it is training of.

The workflow does not know this folder: Snakemake would delete it when a job fails.
"""

from pathlib import Path
from typing import Any

from itdr.errors import DataError
from itdr.storage import read_json, write_json

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
    found = read_json(note)
    for key in sorted({*found, *manifest}):
        if found.get(key) != manifest.get(key):
            raise DataError(
                f"{note}: {key!r} is {found.get(key)!r} in the training that was stopped and "
                f"{manifest.get(key)!r} now. Delete the folder {folder} to start anew, or put "
                f"{key!r} back to go on."
            )
    # The Trainer writes this file last, so a checkpoint that has it is whole.
    whole = [path.parent for path in folder.glob("checkpoint-*/trainer_state.json")]
    return max(whole, key=lambda path: int(path.name.rpartition("-")[2]), default=None)
