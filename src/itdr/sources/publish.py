"""Letting several files appear in a folder together, or not at all."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = ".unfinished-"


@contextmanager
def unfinished_folder(out: Path) -> Iterator[Path]:
    """Yield an empty hidden folder in `out` that is gone afterwards, whatever happens.

    What a killed run left behind is cleared away; the folder of a run that still lives is not.
    """
    out.mkdir(parents=True, exist_ok=True)
    for left in out.glob(f"{_PREFIX}*"):
        _remove_if_abandoned(left)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=out))
    lock = os.open(folder, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def publish(folder: Path, out: Path, names: list[str]) -> None:
    """Move the files from `folder` to `out`; the last name appears last and marks completeness.

    An older file of that last name goes first, so that old and new files never look like one set.
    """
    for name in names:
        _sync(folder / name)
    (out / names[-1]).unlink(missing_ok=True)
    for name in names:
        (folder / name).replace(out / name)
    _sync(out)


def _remove_if_abandoned(folder: Path) -> None:
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        pass
    finally:
        os.close(lock)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
