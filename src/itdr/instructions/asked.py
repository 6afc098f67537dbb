"""The test rows that are answered."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from itdr.files.formats import read_parquet
from itdr.instructions.protocol import read_protocol
from itdr.instructions.record import RECORD


def first_rows(
    parts: Sequence[Path], rows_per_cell: int, sees: str = "the input"
) -> list[dict[str, Any]]:
    """Return the first rows of each part, in the random order that split gave it.

    Beside the columns of RECORD they have `protocol`, with what the method sees that answers them.
    """
    return [
        row | {"protocol": str(read_protocol(path).seeing(sees))}
        for path in parts
        for row in read_parquet(path, RECORD).slice(0, rows_per_cell).to_pylist()
    ]
