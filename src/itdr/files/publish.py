"""Letting several files appear in a folder together, or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from itdr.files.locks import directory_lock

_UNFINISHED = ".unfinished"


@contextmanager
def unfinished_folder(out: Path) -> Iterator[Path]:
    """Yield an empty hidden folder in `out` that is gone afterwards, whatever happens.

    What a killed run left behind is cleared away.

    Raises:
        BusyError: another process is writing to `out`.
    """
    folder = out / _UNFINISHED
    with directory_lock(out):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def publish(folder: Path, out: Path, names: list[str]) -> None:
    """Move the files from `folder` to `out`; the last name appears last and marks completeness.

    An older file of that last name goes first, so that old and new files never look like one set.
    """
    for name in names:
        sync(folder / name)
    (out / names[-1]).unlink(missing_ok=True)
    for name in names:
        (folder / name).replace(out / name)
    sync(out)


def sync(path: Path) -> None:
    """Wait until a file or a folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
