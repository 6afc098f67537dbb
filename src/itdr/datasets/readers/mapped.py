"""Columns of any file, read as text, made the columns that a mapping asks for.

So the same cell means the same in CSV, JSON lines and Parquet, and a wrong one has the same reason.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from itdr.datasets.readers.delimited import Parsed
from itdr.datasets.readers.fields import BadCellError, Field
from itdr.datasets.readers.lines import Block
from itdr.datasets.readers.multiline import MultilineCsv

_PARTS = 8
_FEW_ROWS = 256


@dataclass(frozen=True)
class Target:
    """A column that is wanted.

    name: its name. field: how its cells are read; the field's name is the file's column.
    missing: words that mean no value.
    """

    name: str
    field: Field
    missing: tuple[str, ...] = ()

    def read(self, cell: str | None) -> Any:
        """Return the value of one cell. Raises BadCellError."""
        absent = cell is None or cell.strip(" \t") in self.missing
        return self.field.read("" if absent else cell)  # type: ignore[arg-type]

    def convert(self, cells: pa.Array) -> pa.Array | None:
        """Return the values of a column, or None unless all are fine."""
        if self.missing:
            words = pa.array(self.missing, pa.string())
            absent = pc.is_in(pc.utf8_trim(cells, " \t"), words)
            cells = pc.if_else(absent, pa.scalar(None, pa.string()), cells)
        return self.field.convert(cells)


@dataclass(frozen=True)
class Mapped:
    """A form whose columns of text become the targets.

    rows: the form of the file; it gives the columns that the targets' fields name, and `line`.
    """

    rows: Any
    targets: tuple[Target, ...]

    @property
    def header(self) -> bool:
        """Whether the first line is a header."""
        return self.rows.header

    @property
    def encoding(self) -> str:
        """Encoding of the text."""
        return self.rows.encoding

    @property
    def block_bytes(self) -> int:
        """About how many bytes are read at once."""
        return self.rows.block_bytes

    @cached_property
    def schema(self) -> pa.Schema:
        """The targets, then `line`."""
        columns = [pa.field(target.name, target.field.type) for target in self.targets]
        return pa.schema([*columns, pa.field("line", pa.int64(), nullable=False)])

    def header_error(self, line: bytes) -> str | None:
        """Return None: the form was made from the header."""
        return None

    def with_text_ids(self) -> "Mapped":
        """Return the same form: ids are always text."""
        return self

    def records(self, blocks: Iterator[Block]) -> Iterator[Block]:
        """Yield the same lines in blocks that hold whole rows, each of them in one line."""
        return self.rows.records(blocks) if isinstance(self.rows, MultilineCsv) else blocks

    def parse(self, block: Block) -> Parsed:
        """Read a block."""
        parsed = self.rows.parse(block)
        batches: list[pa.RecordBatch] = []
        rejected = list(parsed.rejected)
        for batch in parsed.batches:
            self._convert(batch, batches, rejected)
        return Parsed(batches, sorted(rejected))

    def _convert(
        self, rows: pa.RecordBatch, batches: list[pa.RecordBatch], rejected: list[tuple[int, str]]
    ) -> None:
        """Add what becomes of rows of text, all at once or, where some are wrong, in parts."""
        columns = [target.convert(rows.column(target.field.name)) for target in self.targets]
        if all(column is not None for column in columns):
            batches.append(pa.record_batch([*columns, rows.column("line")], schema=self.schema))
        elif rows.num_rows <= _FEW_ROWS:
            self._convert_each(rows, batches, rejected)
        else:
            ends = np.linspace(0, rows.num_rows, _PARTS + 1).astype(int).tolist()
            for start, end in pairwise(ends):
                self._convert(rows.slice(start, end - start), batches, rejected)

    def _convert_each(
        self, rows: pa.RecordBatch, batches: list[pa.RecordBatch], rejected: list[tuple[int, str]]
    ) -> None:
        columns = [rows.column(target.field.name).to_pylist() for target in self.targets]
        fine = []
        for number, *cells in zip(rows.column("line").to_pylist(), *columns, strict=True):
            try:
                values = [t.read(cell) for t, cell in zip(self.targets, cells, strict=True)]
            except BadCellError as error:
                rejected.append((number, str(error)))
            else:
                fine.append((*values, number))
        if fine:
            arrays = [
                pa.array(values, field.type)
                for values, field in zip(zip(*fine, strict=True), self.schema, strict=True)
            ]
            batches.append(pa.record_batch(arrays, schema=self.schema))
