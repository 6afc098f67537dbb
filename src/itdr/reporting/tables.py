"""Reading CSV files of the project."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isinf, isnan
from pathlib import Path
from typing import Any

import pandas as pd

from itdr.errors import DataError, MissingFileError
from itdr.files.checksums import check_sidecar


@dataclass(frozen=True)
class Columns:
    """What the columns of a file hold that must be there.

    texts: words, never empty. numbers: finite, or empty. counts: whole numbers from 0 on. others:
    anything.
    """

    texts: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.texts, *self.numbers, *self.counts, *self.others)


def read_table(path: Path, columns: Columns, made_by: str) -> list[dict[str, Any]]:
    """Return the rows of a CSV file that must have some columns; an empty field is NaN.

    Raises:
        MissingFileError, DataError: it is not there, is no CSV, is damaged, lacks a column, or a
            field is not what its column holds.
    """
    if not path.is_file():
        raise MissingFileError(f"{path}: no such file. {made_by}")
    check_sidecar(path)
    try:
        frame = pd.read_csv(path, dtype=dict.fromkeys(columns.texts, str))
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as CSV ({error}). {made_by}") from error
    missing = [name for name in columns.names if name not in frame.columns]
    if missing:
        raise DataError(
            f"{path}: no column {missing[0]!r}; found {', '.join(map(str, frame.columns))[:500]}; "
            f"needed {', '.join(columns.names)}. {made_by}"
        )
    rows = [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]
    found = []
    for line, row in enumerate(rows, start=2):
        try:
            found.append(row | _typed(row, columns))
        except ValueError as error:
            raise DataError(f"{path}: line {line}: {error}. {made_by}") from error
    return found


def _typed(row: Mapping[str, Any], columns: Columns) -> dict[str, Any]:
    """Return the fields of known kinds. Raises ValueError with what one of them is not."""
    for name in columns.texts:
        if not isinstance(row[name], str):
            raise ValueError(f"the column {name!r} is empty")
    found: dict[str, Any] = {}
    for name in (*columns.numbers, *columns.counts):
        number = pd.to_numeric(row[name], errors="coerce")
        is_empty = isinstance(row[name], float) and isnan(row[name])
        is_wrong = isnan(number) and not is_empty
        if is_wrong or isinf(number):
            raise ValueError(f"the column {name!r} is {str(row[name])[:40]!r}; a number is needed")
        if name in columns.counts and (is_empty or number < 0 or number != int(number)):
            raise ValueError(f"the column {name!r} is {str(row[name])[:40]!r}; a count is needed")
        found[name] = int(number) if name in columns.counts else float(number)
    return found
