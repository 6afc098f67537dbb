"""Half-written files: hidden until they are whole, explained when the disk is full."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from itdr.errors import DiskFullError
from itdr.files.atomic import full_disk


def part_of(target: Path) -> Path:
    """Return the hidden file that `target` is written to until it is whole."""
    return target.with_name(f".{target.name}.part")


def finish(part: Path, target: Path) -> None:
    """Put the whole file `part` in the place of `target`."""
    for path in (part, target.parent):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    part.replace(target)


@contextmanager
def room_for(target: Path, more: int | None = None, kept: str = "") -> Iterator[None]:
    """Say clearly that the disk of `target` is full, before or while it is written.

    Args:
        target: the file to come.
        more: bytes still to be written, when known.
        kept: what becomes of the bytes written so far, as a sentence.

    Raises:
        DiskFullError: the disk, the quota or the largest file size allowed is exhausted.
    """
    free = shutil.disk_usage(target.parent).free
    if more is not None and more > free:
        raise DiskFullError(
            f"{target}: {more:,} more bytes are needed, {free:,} are free on its disk. "
            "Make room or choose another folder with --out, then run it again."
        )
    try:
        yield
    except OSError as error:
        why = full_disk(error)
        if why is None:
            raise
        raise DiskFullError(
            f"{target}: the disk is full or a quota is reached ({why}). "
            f"{kept}Make room or choose another folder with --out, then run it again."
        ) from error
