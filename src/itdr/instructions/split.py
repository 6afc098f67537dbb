"""Dividing examples into train, val and test, so that no user is in two parts unless asked for."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from itdr.errors import DataError
from itdr.files.atomic import atomic_folder
from itdr.files.formats import read_parquet, write_parquet
from itdr.instructions.record import DRAFT, RECORD
from itdr.settings.experiment import SplitSettings
from itdr.vocabulary import Part


def split(examples: Path, out: Path, settings: SplitSettings, seed: int) -> dict[str, int]:
    """Write train.parquet, val.parquet and test.parquet into the folder `out`.

    By user, a user's part depends on the seed, the dataset and the user alone, so that it is the
    same for every task; examples without a user go by their item. By example, it depends on the
    seed and the id. Each part is in random order, so that its first rows are a fair sample.

    Returns:
        The number of examples in each part.

    Raises:
        MissingFileError, DataError: `examples` is not there or not in the form of RECORD, such as
            without the output that a teacher gives.
    """
    table = read_parquet(examples, DRAFT)
    if missing := table["output"].null_count:
        raise DataError(
            f"{examples}: {missing} of {len(table)} examples have no output yet. Run 'itdr "
            "annotate' and split what it writes."
        )
    table = table.cast(RECORD)
    columns = ("id", "dataset", "user_id", "item_id")
    parts = [
        _part(
            _fraction(seed, "part", name)
            if settings.by == "example"
            else _fraction(seed, dataset, user or item),
            settings.shares,
        )
        for name, dataset, user, item in zip(
            *(table[column].to_pylist() for column in columns), strict=True
        )
    ]
    order = sorted(range(len(parts)), key=lambda row: _fraction(seed, table["id"][row].as_py()))
    counts = {}
    with atomic_folder(out, "split") as folder:
        for part in Part:
            rows = pa.array([row for row in order if parts[row] is part], pa.int64())
            write_parquet(folder / f"{part}.parquet", table.take(rows))
            counts[part.value] = len(rows)
    return counts


def training_users(dataset: str, settings: SplitSettings, seed: int) -> str:
    """Return the SQL condition on user_id (of DuckDB) that holds for users of the training part.

    It says what `split` does. Where users are not divided it holds for all of them.
    """
    if settings.by != "user":
        return "TRUE"
    digits = f"substr(md5('{int(seed)}:{dataset}:' || user_id), 1, 14)"
    return f"('0x' || {digits})::UBIGINT / 2.0 ** 56 < {settings.shares[0]}"


def first_rows(parts: Sequence[Path], rows_per_cell: int) -> list[dict[str, Any]]:
    """Return the first rows of each part, in the random order that split gave it."""
    return [
        row
        for path in parts
        for row in read_parquet(path, RECORD).slice(0, rows_per_cell).to_pylist()
    ]


def _fraction(*words: object) -> float:
    """Return a number in [0, 1) that depends on the words alone."""
    digest = hashlib.md5(":".join(map(str, words)).encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:7], "big") / 2**56


def _part(fraction: float, shares: tuple[float, float, float]) -> Part:
    train, val, _ = shares
    if fraction < train:
        return Part.TRAIN
    return Part.VAL if fraction < train + val else Part.TEST
