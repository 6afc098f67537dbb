"""Reading CSV files of the project."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from itdr.errors import DataError, MissingFileError
from itdr.files.checksums import check_sidecar


def read_table(path: Path, columns: Sequence[str], made_by: str) -> list[dict[str, Any]]:
    """Return the rows of a CSV file that must have some columns; an empty field is NaN.

    Raises:
        MissingFileError, DataError: it is not there, is no CSV, is damaged or lacks a column.
    """
    if not path.is_file():
        raise MissingFileError(f"{path}: no such file. {made_by}")
    check_sidecar(path)
    try:
        frame = pd.read_csv(path)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as CSV ({error}). {made_by}") from error
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise DataError(
            f"{path}: no column {missing[0]!r}; found {', '.join(frame.columns)}; "
            f"needed {', '.join(columns)}. {made_by}"
        )
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]
