"""What a reader of outside bytes must do with any bytes, and how that is checked."""

import atexit
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from itdr.errors import ItdrError

LONGEST_S = 10
"""Seconds of this process for one input; all take far less than one."""


@dataclass(frozen=True)
class Reader:
    """A reader of outside bytes.

    seeds: returns valid inputs, to begin from.
    read: reads an input and checks what comes of it: it may raise ItdrError and nothing else.
    slow: whether an input takes more than some milliseconds.
    """

    seeds: Callable[[], list[bytes]]
    read: Callable[[bytes], None]
    slow: bool = False

    def check(self, data: bytes) -> bool:
        """Read an input; say whether it was taken (True) or refused by a message of ours (False).

        Raises:
            TimeoutError: it takes longer than LONGEST_S.
            Exception: whatever else the reader let through.
        """
        try:
            with _within(LONGEST_S):
                self.read(data)
        except ItdrError as error:
            assert str(error).strip(), "an error must say something"
            return False
        return True


@contextmanager
def _within(seconds: int) -> Iterator[None]:
    """Raise TimeoutError if the block computes for longer; waiting for others does not count."""

    def too_long(*_: object) -> None:
        raise TimeoutError(f"more than {seconds} s for one input")

    before = signal.signal(signal.SIGPROF, too_long)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@lru_cache(1)
def scratch() -> Path:
    """Return a folder that goes with the process."""
    folder = Path(tempfile.mkdtemp(prefix="itdr-bad-input-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def empty_folder(name: str) -> Path:
    """Return an empty folder in the scratch folder."""
    folder = scratch() / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def scratch_file(name: str, data: bytes) -> Path:
    """Return a file in the scratch folder that holds the data."""
    path = scratch() / name
    path.write_bytes(data)
    return path
