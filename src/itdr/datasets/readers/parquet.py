"""Parquet files from elsewhere: columns as text, row by row accounted for like lines of text."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from itdr.datasets.readers.delimited import Parsed
from itdr.datasets.readers.files import RawFile
from itdr.datasets.readers.mapped import Mapped
from itdr.errors import DataError

_ROWS_AT_ONCE = 1 << 16
_EXACT = 2.0**53


@dataclass(frozen=True)
class RowBlock:
    """Some rows of a file; `first` is the number of the first, from 1."""

    rows: pa.RecordBatch
    first: int

    @property
    def count(self) -> int:
        """Number of rows."""
        return self.rows.num_rows


@dataclass(frozen=True)
class ParquetRows:
    """The columns of a Parquet file as text; lists are JSON, and times are in UTC."""

    names: tuple[str, ...]
    header: ClassVar[bool] = False
    encoding: ClassVar[str] = "utf-8"
    block_bytes: ClassVar[int] = 0

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns of the good rows, then `line`."""
        return pa.schema([*((name, pa.string()) for name in self.names), ("line", pa.int64())])

    def parse(self, block: RowBlock) -> Parsed:
        """Read a block."""
        numbers = np.arange(block.first, block.first + block.count)
        wrong = np.zeros(block.count, bool)
        columns = []
        for name in self.names:
            column, bad = _as_text(block.rows.column(name))
            columns.append(column)
            wrong |= bad
        rows = pa.record_batch([*columns, pa.array(numbers)], schema=self.schema)
        if not wrong.any():
            return Parsed([rows], [])
        rejected = [(int(number), "not UTF-8 text") for number in numbers[wrong]]
        return Parsed([rows.filter(pa.array(~wrong))], rejected)


class MappedParquet(Mapped):
    """The form of a Parquet file, which is read by its rows and not by its lines."""

    def batches(self, file: RawFile, read_bytes: Callable[[int], object]) -> Iterator[RowBlock]:
        """Yield the rows in order. Raises DataError if the file is damaged."""
        first, size = 1, file.path.stat().st_size
        with opened_parquet(file) as found:
            total = found.metadata.num_rows
            for rows in found.iter_batches(_ROWS_AT_ONCE, columns=list(self.rows.names)):
                yield RowBlock(rows, first)
                first += rows.num_rows
                read_bytes(size * rows.num_rows // max(total, 1))

    def rows_at(self, file: RawFile, numbers: np.ndarray, threads: int) -> Iterator[tuple]:
        """Yield number and text (JSON, as bytes) of the rows with these numbers (ascending)."""
        first = 1
        with opened_parquet(file) as found:
            for rows in found.iter_batches(_ROWS_AT_ONCE):
                within = (numbers >= first) & (numbers < first + rows.num_rows)
                for number in numbers[within].tolist():
                    yield number, _shown(rows, number - first)
                first += rows.num_rows


@contextmanager
def opened_parquet(file: RawFile) -> Iterator[pq.ParquetFile]:
    """Yield a Parquet file.

    Raises:
        DataError: it is no Parquet file, or turns out to be damaged.
    """
    try:
        with pq.ParquetFile(file.path) as found:
            yield found
    except PermissionError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:  # names may be no UTF-8
        raise DataError(f"{file}: not a whole Parquet file ({error}). Get it again.") from error


def _as_text(column: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """Return a column as text, and which of its rows (bool) are no text."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    if pa.types.is_floating(kind):
        column = _written_out(column.cast(pa.float64()))
    elif pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("us"), safe=False).cast(pa.string())
    elif pa.types.is_nested(kind):
        return _each_as_text(column)
    try:
        text = column.cast(pa.string())
        # Arrow takes the bytes of texts on trust, and Python stumbles over them later.
        text.validate(full=True)
    except pa.ArrowInvalid:
        return _each_as_text(column.cast(pa.binary()))
    return text, np.zeros(len(text), bool)


def _written_out(numbers: pa.Array) -> pa.Array:
    """Return numbers without exponents, whole ones without a point; NaN is no value."""
    numbers = pc.if_else(pc.is_nan(numbers), pa.scalar(None, pa.float64()), numbers)
    is_whole = pc.and_(pc.equal(numbers, pc.floor(numbers)), pc.less(pc.abs(numbers), _EXACT))
    if pc.all(is_whole).as_py() is not False:
        return numbers.cast(pa.int64()).cast(pa.string())
    codes = numbers.dictionary_encode()
    texts = [np.format_float_positional(n, trim="-") for n in codes.dictionary.to_pylist()]
    return pa.array(texts, pa.string()).take(codes.indices)


def _each_as_text(column: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """Return as _as_text a column of lists and the like, or one with texts that are none."""
    found: list[str | None] = []
    wrong = np.zeros(len(column), bool)
    for place in range(len(column)):
        try:
            value = column[place].as_py()
            text = value.decode() if isinstance(value, bytes) else value
            is_plain = text is None or isinstance(text, str)
            found.append(text if is_plain else _json(text))
        except (UnicodeDecodeError, ValueError, TypeError):
            found.append(None)
            wrong[place] = True
    return pa.array(found, pa.string()), wrong


def _shown(rows: pa.RecordBatch, place: int) -> bytes:
    """Return a row as JSON."""
    values: dict[str, Any] = {}
    for name, column in zip(rows.schema.names, rows.columns, strict=True):
        try:
            values[name] = column[place].as_py()
        except (UnicodeDecodeError, ValueError, OverflowError):
            values[name] = "?"
    return _json(values).encode("utf-8", "backslashreplace")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
