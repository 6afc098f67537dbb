"""From an example of the authors' release to its record there."""

from itertools import islice
from pathlib import Path

from itdr.errors import DataError
from itdr.released.reader import ReleasedRow, read_released
from itdr.tracing.examples import Found
from itdr.tracing.raw_rows import RawRow
from itdr.tracing.trace import Source, Trace

NOTE = (
    "The number is that of the record in the file, from 1. The release names neither users nor "
    "items, so the raw lines behind it cannot be told."
)


def trace_released(found: Found, results: Path) -> Trace:
    """Return the record of the release that an example is.

    results: folder of the run, with release/.

    Raises:
        MissingFileError, DataError: the released file is not there, or not as it was imported.
    """
    example = found.example
    part, _, number = example["id"].rpartition("/")[2].rpartition("-")
    name = f"{example['domain']}.{part}.json" if example["domain"] else f"{part}.json"
    path = results / "release" / example["task"] / example["dataset"] / name
    row = next(islice(read_released(path), int(number) - 1, None), None)
    if not isinstance(row, ReleasedRow) or row.input != example["input"]:
        raise DataError(
            f"{path}: record {number} is not the example {example['id']!r}. The file was changed "
            "since it was imported; run 'itdr import-release' again."
        )
    record = RawRow("release", (example["id"],), str(path), row.number, row.input)
    return Trace(found, (Source("record", None, record),), NOTE)
