"""The account of the rows of every raw file: how many were read, which were rejected and why."""

from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from itdr.datasets.readers.files import RawFile
from itdr.datasets.readers.lines import lines_at
from itdr.files.atomic import writing
from itdr.files.checksums import parquet_writer

REJECTED = pa.schema(
    [
        pa.field("file", pa.string(), nullable=False),
        pa.field("line", pa.int64(), nullable=False),
        pa.field("raw", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
    ]
)
"""The rows that were rejected, by file and line.

file: path below the raw folder. line: number of the physical line, from 1, header included; of a
row in a Parquet file, from 1.
raw: the line without its line end, as text; bytes that are no text stand as \\xNN.
reason: why.
"""

_ROWS_AT_ONCE = 10_000


@dataclass
class RejectionLog:
    """The rows of one raw file.

    lines: the numbers of the rejected lines by reason.
    rows_at: finds the raw text of rows by number.
    """

    source: RawFile
    name: str
    encoding: str
    rows_read: int = 0
    lines: dict[str, array] = field(default_factory=dict)
    rows_at: Callable[[RawFile, np.ndarray, int], Iterator[tuple[int, bytes]]] = lines_at

    def reject(self, line: int, reason: str) -> None:
        """Note that a line is rejected."""
        self.lines.setdefault(reason, array("q")).append(line)

    def reject_all(self, lines: np.ndarray, reason: str) -> None:
        """Note that lines (int64) are rejected."""
        self.lines.setdefault(reason, array("q")).frombytes(lines.tobytes())

    @property
    def rows_rejected(self) -> int:
        """Number of rejected rows."""
        return sum(map(len, self.lines.values()))

    def summary(self) -> dict[str, Any]:
        """Return the counts, as quality.json has them."""
        by_reason = {reason: len(lines) for reason, lines in sorted(self.lines.items())}
        return {
            "rows_read": self.rows_read,
            "rows_kept": self.rows_read - self.rows_rejected,
            "rows_rejected": self.rows_rejected,
            "by_reason": by_reason,
        }

    def rejected_rows(self, threads: int) -> Iterator[tuple[str, int, str, str]]:
        """Yield file, line, raw text and reason of the rejected rows, by line."""
        if not self.lines:
            return
        reasons = sorted(self.lines)
        numbers = np.concatenate([np.frombuffer(self.lines[r], np.int64) for r in reasons])
        codes = np.repeat(np.arange(len(reasons)), [len(self.lines[r]) for r in reasons])
        order = np.argsort(numbers, kind="stable")
        found = self.rows_at(self.source, numbers[order], threads)
        for code, (number, raw) in zip(codes[order], found, strict=True):
            yield self.name, number, raw.decode(self.encoding, "backslashreplace"), reasons[code]


def totals(accounts: list[RejectionLog]) -> dict[str, Any]:
    """Return the counts over all files."""
    by_reason: Counter[str] = Counter()
    for account in accounts:
        by_reason.update({reason: len(lines) for reason, lines in account.lines.items()})
    read, rejected = sum(a.rows_read for a in accounts), by_reason.total()
    return {
        "rows_read": read,
        "rows_kept": read - rejected,
        "rows_rejected": rejected,
        "by_reason": dict(sorted(by_reason.items())),
    }


def write_rejected(path: Path, accounts: list[RejectionLog], threads: int) -> None:
    """Write the rejected rows of all files, with their raw text read again from the files."""
    with writing(path), parquet_writer(path, REJECTED) as writer:
        for account in sorted(accounts, key=lambda account: account.name):
            rows: list[tuple[str, int, str, str]] = []
            for row in account.rejected_rows(threads):
                rows.append(row)
                if len(rows) == _ROWS_AT_ONCE:
                    writer.write_table(_table(rows))
                    rows.clear()
            if rows:
                writer.write_table(_table(rows))


def _table(rows: list[tuple[str, int, str, str]]) -> pa.Table:
    return pa.table([list(column) for column in zip(*rows, strict=True)], schema=REJECTED)
