"""The kinds of cells that raw files hold, and what makes a cell wrong.

A field reads cells in two ways that must agree: `read` takes one cell and says what is wrong with
it; `convert` takes a whole column at once and gives up (None) unless every cell is fine.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from itdr.datasets.tables.schema import FIRST_YEAR, LAST_YEAR

_WHOLE = re.compile(r"-?[0-9]+")
_NUMBER = re.compile(r"-?([0-9]+\.?[0-9]*|\.[0-9]+)")
_DIGITS_OF_INT64 = 18


class BadCellError(Exception):
    """A cell is wrong; the message is the reason why its row is rejected."""


class NeedsTextError(Exception):
    """An id is right but cannot be held as a number without change, such as 007."""


@dataclass(frozen=True)
class Field:
    """A cell of text; blanks at its ends are dropped, and an empty one is null.

    name: column name. required: whether a row without it is rejected.
    """

    name: str
    required: bool = False
    type: ClassVar[pa.DataType] = pa.string()
    plain_number: ClassVar[bool] = False

    def read(self, cell: str) -> Any:
        """Return the value of one cell.

        Raises:
            BadCellError: with the reason.
        """
        cell = cell.strip(" \t")
        if cell:
            return self.value(cell)
        if self.required:
            raise BadCellError(f"{self.name} is missing")
        return None

    def value(self, cell: str) -> Any:
        """Return the value of a cell that is not empty."""
        return cell

    def convert(self, cells: pa.Array) -> pa.Array | None:
        """Return the values of a column of text, or None unless all are fine."""
        cells = pc.utf8_trim(cells, " \t")
        cells = pc.if_else(pc.equal(cells, ""), None, cells)
        return None if self.required and cells.null_count else self.values(cells)

    def values(self, cells: pa.Array) -> pa.Array | None:
        """Return the values of cells that are text or null, or None unless all are fine."""
        return cells

    def fine(self, column: pa.ChunkedArray) -> bool:
        """Say whether all values of a column that was read as `type` are allowed."""
        return not (self.required and column.null_count)


@dataclass(frozen=True)
class Identifier(Field):
    """The id of a user or an item."""

    required: bool = True


@dataclass(frozen=True)
class NumericIdentifier(Field):
    """An id of digits alone, held as a number while that keeps its text the same."""

    required: bool = True
    type: ClassVar[pa.DataType] = pa.int64()
    plain_number: ClassVar[bool] = True

    def value(self, cell: str) -> int:
        """Return the id as a number. Raises NeedsTextError for ids such as 007."""
        if not (cell.isascii() and cell.isdigit()):
            raise BadCellError(f"{self.name} is not a whole number")
        if len(cell) > _DIGITS_OF_INT64 or (cell[0] == "0" and len(cell) > 1):
            raise NeedsTextError
        return int(cell)

    def values(self, cells: pa.Array) -> pa.Array | None:
        """Return the ids as numbers."""
        return _cast_if_all_match(
            cells, rf"^(0|[1-9][0-9]{{0,{_DIGITS_OF_INT64 - 1}}})$", self.type
        )

    def as_text(self) -> "TextOfDigits":
        """Return the same field held as text."""
        return TextOfDigits(self.name, self.required)


@dataclass(frozen=True)
class TextOfDigits(Field):
    """An id of digits alone, held as text."""

    def value(self, cell: str) -> str:
        """Return the id as it is."""
        if not (cell.isascii() and cell.isdigit()):
            raise BadCellError(f"{self.name} is not a whole number")
        return cell

    def values(self, cells: pa.Array) -> pa.Array | None:
        """Return the ids as they are."""
        return _cast_if_all_match(cells, r"^[0-9]+$", self.type)


@dataclass(frozen=True)
class WholeNumber(Field):
    """A whole number from low to high."""

    low: int = 0
    high: int = 2**53
    type: ClassVar[pa.DataType] = pa.int64()
    plain_number: ClassVar[bool] = True

    def value(self, cell: str) -> int:
        """Return the number."""
        if not _WHOLE.fullmatch(cell):
            raise BadCellError(f"{self.name} is not a whole number")
        if len(cell) > _DIGITS_OF_INT64 or not self.low <= int(cell) <= self.high:
            raise BadCellError(f"{self.name} is outside {self.range()}")
        return int(cell)

    def range(self) -> str:
        """Return the allowed range in words."""
        return f"{self.low} to {self.high}"

    def values(self, cells: pa.Array) -> pa.Array | None:
        """Return the numbers."""
        numbers = _cast_if_all_match(cells, r"^-?[0-9]{1,17}$", self.type)
        return numbers if numbers is not None and self.fine(pa.chunked_array([numbers])) else None

    def fine(self, column: pa.ChunkedArray) -> bool:
        """Say whether all numbers lie in the range."""
        ends = pc.min_max(column).as_py()
        inside = ends["min"] is None or (self.low <= ends["min"] and ends["max"] <= self.high)
        return super().fine(column) and inside


def seconds(name: str) -> WholeNumber:
    """Return the field of a time in seconds since 1970 that lies in the allowed years."""
    return Seconds(
        name,
        required=True,
        low=int(datetime(FIRST_YEAR, 1, 1, tzinfo=UTC).timestamp()),
        high=int(datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC).timestamp()) - 1,
    )


@dataclass(frozen=True)
class Seconds(WholeNumber):
    """A time in seconds since 1970."""

    def range(self) -> str:
        """Return the allowed years in words."""
        return f"the years {FIRST_YEAR} to {LAST_YEAR}"


@dataclass(frozen=True)
class Number(Field):
    """A number low, low + step, ..., high (any number between them if step is 0)."""

    low: float = float("-inf")
    high: float = float("inf")
    step: float = 0.0
    type: ClassVar[pa.DataType] = pa.float64()
    plain_number: ClassVar[bool] = True

    def value(self, cell: str) -> float:
        """Return the number."""
        if not _NUMBER.fullmatch(cell):
            raise BadCellError(f"{self.name} is not a number")
        number = float(cell)
        wrong = self._wrong(number)
        if wrong:
            raise BadCellError(wrong)
        return number

    def values(self, cells: pa.Array) -> pa.Array | None:
        """Return the numbers."""
        numbers = _cast_if_all_match(cells, r"^-?([0-9]+\.?[0-9]*|\.[0-9]+)$", self.type)
        return numbers if numbers is not None and self.fine(pa.chunked_array([numbers])) else None

    def fine(self, column: pa.ChunkedArray) -> bool:
        """Say whether all numbers lie on the scale."""
        if not super().fine(column):
            return False
        if self.step:  # few values are allowed, so it is quicker to find those that occur
            numbers = pc.unique(column).drop_null().to_pylist()
        else:
            ends = pc.min_max(column).as_py()
            numbers = [end for end in ends.values() if end is not None]
        return all(self._wrong(number) is None for number in numbers)

    def _wrong(self, number: float) -> str | None:
        """Return what is wrong with a number, None if nothing is."""
        if not self.low <= number <= self.high:
            return f"{self.name} is outside {self.low:g} to {self.high:g}"
        if self.step and not ((number - self.low) / self.step).is_integer():
            return f"{self.name} is not in steps of {self.step:g}"
        return None


@dataclass(frozen=True)
class Code(Field):
    """A code that stands for a name; the value is the name."""

    names: Mapping[str, str] | None = None

    def value(self, cell: str) -> str:
        """Return the name of the code."""
        name = (self.names or {}).get(cell)
        if name is None:
            raise BadCellError(f"{self.name} is an unknown code")
        return name

    def values(self, cells: pa.Array) -> pa.Array | None:
        """Return the names of the codes."""
        names = self.names or {}
        position = pc.index_in(cells, pa.array(list(names), pa.string()), skip_nulls=True)
        if position.null_count != cells.null_count:
            return None
        return pa.array(list(names.values()), pa.string()).take(position)


def _cast_if_all_match(cells: pa.Array, pattern: str, kind: pa.DataType) -> pa.Array | None:
    """Return the cells as `kind`, or None unless all match the pattern or are null."""
    if pc.all(pc.match_substring_regex(cells, pattern)).as_py() is False:
        return None
    return cells.cast(kind)
