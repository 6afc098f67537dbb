"""Reading a released file: a JSON array of {"instruction", "input", "output"}, or one per line.

That shape is what the authors describe and what the tool that they trained with reads; the files
themselves are larger than any that could be looked at here, so nothing else is taken for granted.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from itdr.errors import DataError

_FIELDS = ("instruction", "input", "output")
_SHOWN = 10_000


@dataclass(frozen=True)
class ReleasedRow:
    """One example of a file; `number` counts its rows from 1."""

    number: int
    instruction: str
    input: str
    output: str


@dataclass(frozen=True)
class Rejected:
    """A row that is no example.

    Attributes:
        number: counts the file's rows from 1.
        reason: a few words, the same for all rows with that fault.
        text: the row as it stands, cut after 10,000 characters.
    """

    number: int
    reason: str
    text: str


def read_released(path: Path) -> Iterator[ReleasedRow | Rejected]:
    """Yield every row of a released file, as an example or as what is wrong with it.

    Numbers count as the text that they are written as, so that an output of 4.0 stays "4.0".

    Raises:
        DataError: the file is neither a JSON array nor JSON lines.
    """
    # Bytes that are not UTF-8 spoil their own row alone.
    text = path.read_bytes().decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    if not text.strip():
        raise DataError(f"{path}: holds nothing; a JSON array of examples is needed.")
    if text.lstrip().startswith("["):
        for number, value in enumerate(_array(path, text), start=1):
            yield _row(number, value)
    else:
        yield from _lines(path, text)


def _array(path: Path, text: str) -> Any:
    try:
        return _parse(text)
    except ValueError as error:
        raise DataError(
            f"{path}: no whole JSON array ({error}). Is it cut off? Fetch it again."
        ) from error


def _lines(path: Path, text: str) -> Iterator[ReleasedRow | Rejected]:
    number = 0
    # Not splitlines(): texts may hold other line separators unescaped.
    for line in text.split("\n"):
        if not line.strip():
            continue
        number += 1
        try:
            value = _parse(line)
        except ValueError:
            if number == 1:
                raise DataError(
                    f"{path}: begins with {line[:40]!r}; a JSON array of examples, or one JSON "
                    "object per line, is needed."
                ) from None
            yield Rejected(number, "not JSON", _shown(line))
        else:
            yield _row(number, value)


def _row(number: int, value: Any) -> ReleasedRow | Rejected:
    reason = _fault(value)
    if reason:
        return Rejected(number, reason, _shown(json.dumps(value, ensure_ascii=False)))
    return ReleasedRow(number, *(value[name] for name in _FIELDS))


def _fault(value: Any) -> str | None:
    """Return what is wrong with a row, or None."""
    if not isinstance(value, dict):
        return "not an object"
    for name in _FIELDS:
        if name not in value:
            return f"no {name}"
        if not isinstance(value[name], str):
            return f"{name} is not a text"
        if any("\ud800" <= character <= "\udfff" for character in value[name]):
            return f"{name} is not UTF-8"
        if name != "instruction" and not value[name].strip():
            return f"{name} is empty"
    return None


def _parse(text: str) -> Any:
    """Return a JSON value with numbers as text. Raises ValueError."""
    try:
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _no_constant(name: str) -> None:
    """Leave NaN and Infinity to the check of their row."""


def _shown(text: str) -> str:
    return text[:_SHOWN].encode("utf-8", "replace").decode()
