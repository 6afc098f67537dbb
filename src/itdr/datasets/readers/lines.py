"""Reading a raw file as numbered physical lines, in blocks, plain, gzip or inside an archive."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from typing import IO

import numpy as np

from itdr.datasets.parallel import in_order
from itdr.datasets.readers.files import RawFile
from itdr.errors import DataError

BLOCK_BYTES = 4 << 20
_LF = ord("\n")
_AT_ONCE = 1 << 18  # bytes, which stay in the processor's cache
_BOM = b"\xef\xbb\xbf"
_SHORT_LINE = 4096

_LONGEST_LINE = 64 << 20
"""Bytes of a line; the longest known one, a Steam user with all games, has some megabytes."""


@dataclass(frozen=True)
class Block:
    """Some whole lines of a file.

    data: the bytes of the lines; each ends with a line feed, one that the file's last line lacks
        is added.
    first: number of the first line in the file, from 1.
    """

    data: bytes
    first: int

    @cached_property
    def count(self) -> int:
        """Number of lines."""
        return sum(int(np.count_nonzero(piece == _LF)) for _, piece in _pieces(self.data))

    @property
    def ends(self) -> np.ndarray:
        """Places of the line feeds in the data (int64)."""
        found = [start + np.flatnonzero(piece == _LF) for start, piece in _pieces(self.data)]
        return np.concatenate([np.empty(0, np.int64), *found])

    def lines(self) -> list[bytes]:
        """Return the lines without their line ends (LF or CRLF)."""
        return [line.removesuffix(b"\r") for line in self.data.split(b"\n")[:-1]]

    def split(self, parts: int) -> "list[Block]":
        """Return the same lines in at most `parts` blocks of about the same number of lines."""
        ends = self.ends + 1
        chosen = np.unique(np.linspace(0, len(ends), parts + 1).astype(int)[1:])
        blocks, start, line = [], 0, 0
        for upto in chosen[chosen > 0]:
            end = int(ends[upto - 1])
            blocks.append(Block(self.data[start:end], self.first + line))
            start, line = end, int(upto)
        return blocks


def _pieces(data: bytes) -> Iterator[tuple[int, np.ndarray]]:
    chars = np.frombuffer(data, np.uint8)
    return ((start, chars[start : start + _AT_ONCE]) for start in range(0, len(chars), _AT_ONCE))


def read_blocks(
    file: RawFile,
    read_bytes: Callable[[int], object] | None = None,
    size: int = BLOCK_BYTES,
) -> Iterator[Block]:
    """Yield the lines of a file in order; a byte order mark before the first one is left out.

    read_bytes: called with the number of bytes of the (compressed) file read since the last call.
    size: about how many bytes a block has.

    Raises:
        DataError: the file is cut off or not what its compression says, or a line has no end.
    """
    with file.opened() as (stream, raw):
        rest, line, position = b"", 1, raw.tell()
        while chunk := stream.read(_upto_line_end(raw, size) if stream is raw else size):
            if read_bytes:
                read_bytes(raw.tell() - position)
                position = raw.tell()
            if line == 1 and not rest:
                chunk = chunk.removeprefix(_BOM)
            end = chunk.rfind(b"\n") + 1
            if not end:
                rest += chunk
                if len(rest) > _LONGEST_LINE:
                    raise DataError(
                        f"{file}: line {line} is longer than {_LONGEST_LINE:,} bytes, so the file "
                        "is not the data. Fetch it again."
                    )
                continue
            whole = not rest and end == len(chunk)
            block = Block(chunk if whole else b"".join((rest, memoryview(chunk)[:end])), line)
            rest = chunk[end:]
            line += block.count
            yield block
        if rest:
            yield Block(rest + b"\n", line)


def _upto_line_end(file: IO[bytes], size: int) -> int:
    """Return how many bytes from here on are `size` and the rest of a line, if that is short.

    So a block of a plain file need not be put together from pieces, which would take longer than
    reading it.
    """
    start = file.tell()
    file.seek(start + size)
    rest = len(file.readline(_SHORT_LINE))
    file.seek(start)
    return size + rest


def lines_at(file: RawFile, numbers: np.ndarray, threads: int) -> Iterator[tuple[int, bytes]]:
    """Yield number and bytes, without line end, of the lines with these numbers (ascending)."""

    def found(block: Block) -> list[tuple[int, bytes]]:
        bounds = np.searchsorted(numbers, [block.first, block.first + block.count])
        wanted = numbers[slice(*bounds)] - block.first
        if not len(wanted):
            return []
        starts = np.concatenate([[0], block.ends + 1])
        places = (wanted.tolist(), starts[wanted].tolist(), starts[wanted + 1].tolist())
        return [
            (block.first + line, block.data[start : end - 1].removesuffix(b"\r"))
            for line, start, end in zip(*places, strict=True)
        ]

    blocks = takewhile(lambda block: block.first <= numbers[-1], read_blocks(file))
    for lines in in_order(found, blocks, threads):
        yield from lines
