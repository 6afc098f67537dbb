"""Kinds of cells beyond the common ones: unused, with words for "nothing", lists, milliseconds."""

import ast
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from itdr.datasets.readers.fields import BadCellError, Field, WholeNumber
from itdr.datasets.readers.text import plain_text
from itdr.datasets.tables.schema import FIRST_YEAR, LAST_YEAR


@dataclass(frozen=True)
class Unused(Field):
    """A cell that no table needs; it is not held."""

    type: ClassVar[pa.DataType] = pa.null()

    def value(self, cell: str) -> None:
        """Return nothing."""

    def values(self, cells: pa.Array) -> pa.Array:
        """Return nothing for each cell."""
        return pa.nulls(len(cells))


@dataclass(frozen=True)
class WholeNumberOrNothing(WholeNumber):
    """A whole number from low to high, or one of some words that mean no value."""

    nothing: tuple[str, ...] = ()
    plain_number: ClassVar[bool] = False

    def read(self, cell: str) -> int | None:
        """Return the number, None for a word that means no value."""
        return None if cell.strip(" \t") in self.nothing else super().read(cell)

    def convert(self, cells: pa.Array) -> pa.Array | None:
        """Return the numbers, null for words that mean no value."""
        absent = pc.is_in(pc.utf8_trim(cells, " \t"), pa.array(self.nothing, pa.string()))
        return super().convert(pc.if_else(absent, pa.scalar(None, pa.string()), cells))


_FIRST_SECOND = int(datetime(FIRST_YEAR, 1, 1, tzinfo=UTC).timestamp())
_LAST_SECOND = int(datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC).timestamp()) - 1


@dataclass(frozen=True)
class SecondsOrNothing(WholeNumberOrNothing):
    """A time in seconds since 1970 that lies in the allowed years, or a word for no time."""

    low: int = _FIRST_SECOND
    high: int = _LAST_SECOND

    def range(self) -> str:
        """Return the allowed years in words."""
        return f"the years {FIRST_YEAR} to {LAST_YEAR}"


@dataclass(frozen=True)
class Milliseconds(WholeNumber):
    """A time in milliseconds since 1970 that lies in the allowed years."""

    required: bool = True
    low: int = _FIRST_SECOND * 1000
    high: int = _LAST_SECOND * 1000 + 999

    def range(self) -> str:
        """Return the allowed years in words."""
        return f"the years {FIRST_YEAR} to {LAST_YEAR}"


_TEXT = r"""'(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+\""""
_TEXT_LITERAL = re.compile(_TEXT)
# Blanks are not tried twice (*+), or a cell of many would take for ever. The group is a plain one:
# some versions of Python 3.11 do not step back in a possessive one whose last turn fails.
_LIST_LITERAL = re.compile(rf"\[\s*+(?:(?:{_TEXT})\s*+(?:,\s*+(?:{_TEXT})\s*+)*(?:,\s*+)?)?\]")


@dataclass(frozen=True)
class PythonList(Field):
    """A list of texts as Python prints it, such as ['Ann Lee', "O'Hara"]; an empty cell is null.

    Its texts become plain; empty ones are left out.
    """

    type: ClassVar[pa.DataType] = pa.list_(pa.string())

    def value(self, cell: str) -> list[str]:
        """Return the texts."""
        if not _LIST_LITERAL.fullmatch(cell):
            raise BadCellError(f"{self.name} is not a Python list of texts")
        try:
            texts = [_content(literal) for literal in _TEXT_LITERAL.findall(cell)]
        except (SyntaxError, ValueError):
            raise BadCellError(f"{self.name} is not a Python list of texts") from None
        return [text for text in map(plain_text, texts) if text]

    def values(self, cells: pa.Array) -> pa.Array | None:
        """Return the lists; each different cell is taken apart once."""
        codes = cells.dictionary_encode()
        try:
            lists = [self.value(cell) for cell in codes.dictionary.to_pylist()]
        except BadCellError:
            return None
        return pa.array(lists, self.type).take(codes.indices)


@dataclass(frozen=True)
class TextList(Field):
    """A list of texts: a JSON list, or texts with a separator between them, or one text alone.

    Its texts become plain; empty ones are left out.
    """

    separator: str | None = None
    type: ClassVar[pa.DataType] = pa.list_(pa.string())

    def value(self, cell: str) -> list[str]:
        """Return the texts."""
        return [text for text in map(plain_text, self._parts(cell)) if text]

    def values(self, cells: pa.Array) -> pa.Array:
        """Return the lists; each different cell is taken apart once."""
        codes = cells.dictionary_encode()
        lists = [self.value(cell) for cell in codes.dictionary.to_pylist()]
        return pa.array(lists, self.type).take(codes.indices)

    def _parts(self, cell: str) -> list[str]:
        if cell.startswith("["):
            try:
                found = json.loads(cell)
            except (ValueError, RecursionError):
                pass
            else:
                return [_as_text(part) for part in found if part is not None]
        return cell.split(self.separator) if self.separator else [cell]


def _as_text(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    # Escapes may stand for half a character, which no text has.
    return text.encode("utf-8", "replace").decode()


def _content(literal: str) -> str:
    """Return the text that a string literal stands for."""
    if "\\" not in literal:
        return literal[1:-1]
    # Escapes may stand for half a character, which no text has.
    return str(ast.literal_eval(literal)).encode("utf-8", "replace").decode()
