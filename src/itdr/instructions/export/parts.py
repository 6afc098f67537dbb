"""Reading parts for an export."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from itdr.errors import DataError
from itdr.files.checksums import require_different
from itdr.files.formats import read_parquet
from itdr.instructions.record import RECORD
from itdr.vocabulary import Part


def by_part(files: Sequence[Path]) -> dict[Part, list[Path]]:
    """Return the files of each part that has some, train first.

    Raises:
        DataError: a file is not called train, val or test, or is there twice.
    """
    require_different(files)
    found: dict[Part, list[Path]] = defaultdict(list)
    for path in files:
        if path.stem not in list(Part):
            raise DataError(
                f"{path}: a part must be called {', '.join(Part)}, with .parquet; so are the files "
                "of 'itdr split' and 'itdr mix'."
            )
        found[Part(path.stem)].append(path)
    return {part: found[part] for part in Part if part in found}


def tables(files: Sequence[Path]) -> Iterator[pa.Table]:
    """Yield the examples (columns: RECORD) of one file after the other."""
    for path in files:
        yield read_parquet(path, RECORD)
