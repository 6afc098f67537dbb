"""Files of separated cells: whole blocks at once where all is well, line by line where it is not.

Every block is first tried with Arrow's CSV reader. If anything in it is not as it should be, the
block is cut into smaller ones, down to a few lines that are read one by one, which tells the broken
lines and their reasons. So a broken line costs little, and good lines never depend on their
neighbours. Both ways of reading give the same values: the quick one only takes blocks in which
there is nothing that two readers could take differently.
"""

import csv
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.csv

from itdr.datasets.readers.fields import BadCellError, Field, NeedsTextError, NumericIdentifier
from itdr.datasets.readers.files import RawFile
from itdr.datasets.readers.lines import BLOCK_BYTES, Block, read_blocks

_PARTS = 8
_FEW_LINES = 256
_UNIT_SEPARATOR = b"\x1f"
_LF, _QUOTE = ord("\n"), ord('"')

csv.field_size_limit(1 << 30)


@dataclass(frozen=True)
class Parsed:
    """What one block holds.

    batches: the good rows, columns as the fields, then `line` (int64).
    rejected: number and reason of the other lines.
    """

    batches: list[pa.RecordBatch]
    rejected: list[tuple[int, str]]


@dataclass(frozen=True)
class Delimited:
    """The form of a file of separated cells, one row a line.

    fields: the columns in file order.
    separator: between cells; several characters are allowed where nothing is quoted.
    quoted: cells may stand in double quotes, with quotes inside doubled.
    header: the first line names the columns.
    encoding: "utf-8" or "latin-1".
    """

    fields: tuple[Field, ...]
    separator: str = ","
    quoted: bool = True
    header: bool = True
    encoding: str = "utf-8"
    block_bytes: ClassVar[int] = BLOCK_BYTES

    @property
    def schema(self) -> pa.Schema:
        """The columns of the good rows, then `line`."""
        columns = [
            pa.field(f.name, f.type, nullable=not (f.required and f.plain_number))
            for f in self.fields
        ]
        return pa.schema([*columns, pa.field("line", pa.int64(), nullable=False)])

    @property
    def plain_numbers(self) -> bool:
        """Whether all cells are digits and dots alone."""
        return all(field.plain_number for field in self.fields)

    def with_text_ids(self) -> "Delimited":
        """Return the same form with ids held as text."""
        fields = tuple(f.as_text() if isinstance(f, NumericIdentifier) else f for f in self.fields)
        return replace(self, fields=fields)

    def header_error(self, line: bytes) -> str | None:
        """Return what is wrong with the header line, None if nothing is."""
        found = self._split(line.decode(self.encoding, "replace")) or []
        names = [field.name for field in self.fields]
        if [cell.strip() for cell in found] == names:
            return None
        return f"the first line is {line[:200]!r}; needed are the columns {', '.join(names)}"

    def names_in(self, file: RawFile) -> list[str]:
        """Return the names in the first line of a file, [] where it is empty or no such line."""
        block = next(read_blocks(file), None)
        line = block.lines()[0].decode(self.encoding, "replace") if block else ""
        return [cell.strip() for cell in self._split(line) or []] if line else []

    def parse(self, block: Block) -> Parsed:
        """Read a block.

        Raises:
            NeedsTextError: an id cannot be held as a number.
        """
        batches = self._parse_all(block)
        if batches is not None:
            return Parsed(batches, [])
        if block.count <= _FEW_LINES:
            return self._parse_each(block)
        parts = [self.parse(part) for part in block.split(_PARTS)]
        return Parsed(
            [batch for part in parts for batch in part.batches],
            [reject for part in parts for reject in part.rejected],
        )

    def _parse_all(self, block: Block) -> list[pa.RecordBatch] | None:
        """Return all lines of a block as rows, or None unless every one is fine."""
        data = block.data
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n")
        separator = self.separator.encode()
        if len(separator) > 1:
            if _UNIT_SEPARATOR in data:
                return None
            data, separator = data.replace(separator, _UNIT_SEPARATOR), _UNIT_SEPARATOR
        numeric = self.plain_numbers
        safe = _only_plain_numbers if numeric else self._unambiguous
        if not safe(data, separator):
            return None
        if self.encoding == "latin-1" and not data.isascii():
            data = data.decode("latin-1").encode()
        types = [field.type if numeric else pa.string() for field in self.fields]
        try:
            table = self._read_csv(data, separator.decode(), types)
        except pa.ArrowInvalid:
            return None
        if table.num_rows != block.count:
            return None
        columns = self._checked(table) if numeric else self._converted(table)
        if columns is None:
            return None
        columns.append(pa.array(np.arange(block.first, block.first + table.num_rows)))
        return pa.table(columns, schema=self.schema).to_batches()

    def _unambiguous(self, data: bytes, separator: bytes) -> bool:
        if b"\r" in data or b"\0" in data:
            return False
        return not self.quoted or _well_quoted(data, separator)

    def _read_csv(self, data: bytes, separator: str, types: list[pa.DataType]) -> pa.Table:
        names = [field.name for field in self.fields]
        return pyarrow.csv.read_csv(
            pa.BufferReader(data),
            read_options=pyarrow.csv.ReadOptions(
                use_threads=False, block_size=len(data) + 1, column_names=names
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=separator,
                quote_char='"' if self.quoted else False,
                ignore_empty_lines=False,
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict(zip(names, types, strict=True)),
                null_values=[""],
                strings_can_be_null=False,
            ),
        )

    def _checked(self, table: pa.Table) -> list[Any] | None:
        for field, column in zip(self.fields, table.columns, strict=True):
            if not field.fine(column):
                return None
        return list(table.columns)

    def _converted(self, table: pa.Table) -> list[Any] | None:
        columns: list[Any] = []
        for field, column in zip(self.fields, table.columns, strict=True):
            cells = column.combine_chunks()
            values = field.convert(cells.chunk(0) if isinstance(cells, pa.ChunkedArray) else cells)
            if values is None:
                return None
            columns.append(values)
        return columns

    def _parse_each(self, block: Block) -> Parsed:
        """Read a block line by line."""
        rows: list[tuple[Any, ...]] = []
        rejected: list[tuple[int, str]] = []
        for number, line in enumerate(block.lines(), block.first):
            try:
                rows.append((*self._read_line(line), number))
            except BadCellError as error:
                rejected.append((number, str(error)))
        columns = [list(column) for column in zip(*rows, strict=True)]
        if not rows:
            return Parsed([], rejected)
        return Parsed(pa.table(columns, schema=self.schema).to_batches(), rejected)

    def _read_line(self, line: bytes) -> list[Any]:
        if not line:
            raise BadCellError("empty line")
        try:
            text = line.decode(self.encoding)
        except UnicodeDecodeError:
            raise BadCellError(f"not {self.encoding.upper()} text") from None
        cells = self._split(text)
        if cells is None:
            raise BadCellError("quotes do not match")
        if len(cells) != len(self.fields):
            raise BadCellError(f"{len(cells)} fields instead of {len(self.fields)}")
        # Every cell is read before an id that needs text may interrupt: the reason of a wrong row
        # must not depend on how ids are held.
        values: list[Any] = []
        needs_text = False
        for field, cell in zip(self.fields, cells, strict=True):
            try:
                values.append(field.read(cell))
            except NeedsTextError:
                needs_text = True
        if needs_text:
            raise NeedsTextError
        return values

    def _split(self, line: str) -> list[str] | None:
        """Return the cells of a line, or None if its quotes do not match."""
        if not self.quoted or '"' not in line:
            return line.split(self.separator)
        try:
            return next(csv.reader([line], delimiter=self.separator, strict=True))
        except csv.Error:
            return None


def _only_plain_numbers(data: bytes, separator: bytes) -> bool:
    """Say whether the cells are digits and dots alone, with no leading zero before a digit."""
    if data.translate(None, b"0123456789.\n" + separator):
        return False
    text = np.frombuffer(data, np.uint8)
    mark = separator[0]
    if text[0] == ord("0") and len(text) > 1 and text[1] >= ord("0"):
        return False
    for start in range(0, len(text), 1 << 18):  # pieces that stay in the processor's cache
        piece = text[start : start + (1 << 18) + 2]
        zero = piece[1:-1] == ord("0")
        zero &= piece[2:] >= ord("0")
        zero &= (piece[:-2] == mark) | (piece[:-2] == _LF)
        if zero.any():
            return False
    return True


def _well_quoted(data: bytes, separator: bytes) -> bool:
    """Say whether every quote opens a cell, closes one, or is one of a doubled pair inside it."""
    if b'"' not in data:
        return True
    text = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(text == _QUOTE)
    if len(quotes) % 2:
        return False
    opening, closing = quotes[::2], quotes[1::2]
    # A line feed between an opening and its closing quote would be part of the cell.
    feeds = np.flatnonzero(text == _LF)
    if (np.searchsorted(feeds, opening) != np.searchsorted(feeds, closing)).any():
        return False
    edges = (separator[0], _LF)
    before = text[np.maximum(opening - 1, 0)]
    starts_cell = (opening == 0) | np.isin(before, edges)
    starts_cell[1:] |= opening[1:] == closing[:-1] + 1
    after = text[closing + 1]  # there is always one: the block ends with a line feed
    ends_cell = np.isin(after, edges)
    ends_cell[:-1] |= opening[1:] == closing[:-1] + 1
    return bool(starts_cell.all() and ends_cell.all())
