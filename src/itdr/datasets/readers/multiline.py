"""CSV files in which a quoted cell may go over several lines.

A row is accounted for as one, under the number of its first line; the line ends inside its cells
become blanks. Where quotes do not match, only the lines that hold them are lost: a line with an odd
number of quotes begins a row that ends with the next such line, but only if the lines between them
are few and what comes out has the right number of cells. If not, the line stands by itself, and is
rejected as any line with a broken quote.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from itdr.datasets.readers.delimited import Delimited, Parsed
from itdr.datasets.readers.lines import Block

_MOST_LINES = 1_000
"""Lines that one row may go over; the longest synopsis of an anime has some dozens."""

_LF, _CR, _QUOTE, _BLANK = b"\n"[0], b"\r"[0], b'"'[0], b" "[0]


@dataclass(frozen=True)
class Rows(Block):
    """Whole rows, each in one line; `numbers` has the number of each row's first physical line."""

    numbers: np.ndarray


@dataclass(frozen=True)
class MultilineCsv(Delimited):
    """The form of such a file."""

    def records(self, blocks: Iterator[Block]) -> Iterator[Block]:
        """Yield the same lines in blocks that hold whole rows, each of them in one line."""
        rest: Block | None = None
        for block in blocks:
            lines = Block(rest.data + block.data, rest.first) if rest else block
            rows, rest = self._joined(lines, last=False)
            if rows.data:
                yield rows
        if rest:
            yield self._joined(rest, last=True)[0]

    def parse(self, block: Block) -> Parsed:
        """Read a block. Raises NeedsTextError if an id cannot be held as a number."""
        if not isinstance(block, Rows):
            return super().parse(block)
        parsed = super().parse(Block(block.data, 0))
        batches = []
        for batch in parsed.batches:
            lines = block.numbers[batch.column("line").to_numpy()]
            batches.append(
                batch.set_column(len(self.fields), batch.schema.field("line"), pa.array(lines))
            )
        return Parsed(batches, [(int(block.numbers[row]), why) for row, why in parsed.rejected])

    def _joined(self, block: Block, last: bool) -> tuple[Block, Block | None]:
        """Return the rows of a block, and the lines at its end whose row may not be whole yet."""
        text = np.frombuffer(block.data, np.uint8)
        ends = np.flatnonzero(text == _LF)
        quotes_before = np.searchsorted(np.flatnonzero(text == _QUOTE), ends)
        odd = np.flatnonzero(np.diff(quotes_before, prepend=0) % 2)
        spans, unfinished = self._spans(block.data, ends, odd, last)
        whole = len(ends) if unfinished is None else unfinished
        size = int(ends[whole - 1]) + 1 if whole else 0
        rest = Block(block.data[size:], block.first + whole) if whole < len(ends) else None
        if not spans:
            return Block(block.data[:size], block.first), rest
        inner = np.concatenate([np.arange(first, end) for first, end in spans])
        data = text[:size].copy()
        data[ends[inner]] = _BLANK
        before = ends[inner] - 1
        data[before[data[before] == _CR]] = _BLANK
        starts = np.setdiff1d(np.arange(whole), inner + 1)
        return Rows(data.tobytes(), block.first, block.first + starts), rest

    def _spans(
        self, data: bytes, ends: np.ndarray, odd: np.ndarray, last: bool
    ) -> tuple[list[tuple[int, int]], int | None]:
        """Return first and last line of the rows of several lines, and where an open row begins.

        odd: the lines with an odd number of quotes. last: whether no more lines follow.
        """
        spans: list[tuple[int, int]] = []
        place = 0
        while place < len(odd):
            first = int(odd[place])
            end = int(odd[place + 1]) if place + 1 < len(odd) else None
            if end is None and not last and len(ends) - first <= _MOST_LINES:
                return spans, first
            if end is not None and end - first < _MOST_LINES:
                start = int(ends[first - 1]) + 1 if first else 0
                if self._is_row(data[start : int(ends[end])]):
                    spans.append((first, end))
                    place += 1
            place += 1
        return spans, None

    def _is_row(self, lines: bytes) -> bool:
        text = lines.decode(self.encoding, "replace").replace("\r", "").replace("\n", " ")
        cells = self._split(text)
        return cells is not None and len(cells) == len(self.fields)
