"""Putting the training parts of many cells together."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from itdr.errors import DataError
from itdr.instructions.record import RECORD
from itdr.storage import read_parquet, write_parquet


def mix(parts: Sequence[Path], out: Path, seed: int) -> int:
    """Write the examples of all parts in one random order and return how many they are.

    The order depends on the seed and the ids alone.

    Raises:
        MissingFileError, DataError: a part is not there or not in the form of RECORD, or an id
            stands twice.
    """
    table = pa.concat_tables([read_parquet(part, RECORD) for part in parts])
    ids = table["id"].to_pylist()
    if len(set(ids)) < len(ids):
        twice = next(name for name in sorted(ids) if ids.count(name) > 1)
        raise DataError(
            f"{parts[0]} and others: the id {twice!r} stands twice; ids must be unique."
        )
    order = sorted(range(len(ids)), key=lambda row: _key(seed, ids[row]))
    write_parquet(out, table.take(pa.array(order, pa.int64())))
    return len(ids)


def _key(seed: int, name: str) -> bytes:
    return hashlib.md5(f"{seed}:mix:{name}".encode(), usedforsecurity=False).digest()
