"""Folders of unfinished work, and the note in each that says what it is work on.

The workflow does not know these folders: Snakemake would delete them when a job fails.
"""

from pathlib import Path
from typing import Any

from itdr.errors import DataError
from itdr.storage import read_json_object, write_json

_NOTE = "manifest.json"


def claim(folder: Path, manifest: dict[str, Any]) -> bool:
    """Say whether the folder holds work that was stopped; begin it with the note if it does not.

    manifest: all that decides the result, as JSON values.

    Raises:
        DataError: the folder belongs to other work; the first field that differs is named.
    """
    note = folder / _NOTE
    if not note.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_json(note, manifest)
        return False
    found = read_json_object(note)
    for key in sorted({*found, *manifest}):
        if found.get(key) != manifest.get(key):
            raise DataError(
                f"{note}: {key!r} is {found.get(key)!r} in the work that was stopped and "
                f"{manifest.get(key)!r} now. Delete the folder {folder} to start anew, or put "
                f"{key!r} back to go on."
            )
    return True
