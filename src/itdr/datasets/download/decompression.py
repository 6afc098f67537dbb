"""How much compressed files may grow, and what their readers raise when they are damaged.

Text packs to a tenth, seldom to a fiftieth. What grows further than 250-fold is no data but made to
fill a disk or a memory; small files may be as repetitive as they like.
"""

import errno
import gzip
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from itdr.errors import DataError

RATIO = 250
"""Most bytes that one compressed byte may stand for."""

ALWAYS_ALLOWED = 100 << 20
"""Bytes that any file may grow to, in whatever ratio."""

# The readers of the standard library let through what broken headers make of their arithmetic.
_DAMAGE = (
    ArithmeticError,
    EOFError,
    LookupError,
    RuntimeError,
    ValueError,
    gzip.BadGzipFile,
    lzma.LZMAError,
    struct.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)


def check_ratio(path: Path, name: str, size: int, packed: int) -> None:
    """Raise DataError if a member of `size` bytes, packed to `packed`, is too large to be true."""
    if size > most_bytes(packed):
        raise DataError(
            f"{path}: {name!r} would grow from {packed:,} to {size:,} bytes, more than "
            f"{RATIO}-fold. No real data do; get it from its publisher."
        )


def most_bytes(packed: int) -> int:
    """Return how many bytes may come of so many compressed ones."""
    return max(ALWAYS_ALLOWED, RATIO * packed)


class BoundedGzip(gzip.GzipFile):
    """The content of a gzip file, which ends with DataError where it grows beyond all proportion.

    path: the file on the disk. stream: it, or the member of it that is compressed. What may come is
    measured by the file as a whole, so that nothing is gained by compressing twice.
    """

    def __init__(self, path: Path, stream: IO[bytes]) -> None:
        super().__init__(fileobj=stream, mode="rb")
        self._path = path
        self._packed = path.stat().st_size
        self._most = most_bytes(self._packed)

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes, all that are left for -1."""
        room = self._most - self.tell() + 1
        data = super().read(room if size is None or size < 0 else min(size, room))
        self._check(self.tell())
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place, which reads all that lies before it."""
        if whence == 0:
            self._check(offset)
        return super().seek(offset, whence)

    def _check(self, place: int) -> None:
        if place > self._most:
            raise DataError(
                f"{self._path}: grows from {self._packed:,} to more than {self._most:,} bytes, "
                f"over {RATIO}-fold. No real data do; get it from its publisher."
            )


@contextmanager
def readable(what: object) -> Iterator[None]:
    """Say that a compressed file or an archive is damaged when its reader stumbles."""
    try:
        yield
    except (*_DAMAGE, OSError) as error:
        # A place before the file's beginning, which an archive may name, is EINVAL.
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise  # the disk's, not the file's
        reason = str(error) or type(error).__name__
        raise DataError(
            f"{what}: cut off, damaged or compressed in a way that is not read here ({reason}). "
            "Fetch it again, or unpack it by hand."
        ) from error
