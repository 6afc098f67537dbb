"""Folders of unfinished work, and the note in each that says what it is work on.

The workflow does not know these folders: Snakemake would delete them when a job fails.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from itdr.errors import DataError
from itdr.files.formats import read_json_object, write_checked_json
from itdr.files.locks import directory_lock

_NOTE = "manifest.json"


@contextmanager
def resume_state(folder: Path) -> Iterator[None]:
    """Keep other processes out of the folder, which is gone afterwards if nothing is in it.

    Raises:
        BusyError: another process is at the same work.
    """
    try:
        with directory_lock(folder):
            yield
    finally:
        with suppress(OSError):  # there is something in it
            folder.rmdir()


def open_run_manifest(folder: Path, manifest: dict[str, Any]) -> bool:
    """Say whether the folder holds work that was stopped; begin it with the note if it does not.

    manifest: all that decides the result, as JSON values.

    Raises:
        DataError: the folder belongs to other work; the first field that differs is named.
    """
    note = folder / _NOTE
    if not note.exists():
        write_checked_json(note, manifest)
        return False
    found, wanted = _flat(read_json_object(note)), _flat(manifest)
    for key in sorted({*found, *wanted}):
        if found.get(key) != wanted.get(key):
            raise DataError(
                f"{note}: {key!r} is {found.get(key)!r} in the work that was stopped and "
                f"{wanted.get(key)!r} now. Delete the folder {folder} to start anew, or put "
                f"{key!r} back to go on."
            )
    return True


def drop_run_manifest(folder: Path) -> None:
    """Let the folder hold nobody to its note any more."""
    (folder / _NOTE).unlink(missing_ok=True)


def _flat(manifest: dict[str, Any], above: str = "") -> dict[str, Any]:
    """Return the values of a nested mapping under keys such as "settings.epochs"."""
    flat: dict[str, Any] = {}
    for key, value in manifest.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{above}{key}.")
        else:
            flat[above + key] = value
    return flat
