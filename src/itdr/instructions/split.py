"""Dividing examples into train, val and test, so that no user is in two parts unless asked for."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from itdr.errors import DataError
from itdr.files.atomic import atomic_folder
from itdr.files.formats import read_parquet, write_parquet
from itdr.instructions.protocol import read_protocol
from itdr.instructions.record import DRAFT, RECORD
from itdr.instructions.times import parts_by_time
from itdr.settings.experiment import SplitSettings
from itdr.vocabulary import Part


def split(
    examples: Path, out: Path, settings: SplitSettings, seed: int, tables: Path | None = None
) -> dict[str, int]:
    """Write train.parquet, val.parquet and test.parquet into the folder `out`.

    By user, a user's part depends on the seed, the dataset and the user alone, so that it is the
    same for every task; examples without a user go by their item. By example, it depends on the
    seed and the id. By time, on when the newest interaction took place that an example shows or
    asks for; val and test begin at the same moments for every task of a dataset (see
    itdr.instructions.times). By position, the first examples of the file are for training, the last
    ones for testing. Each part is in random order, so that its first rows are a fair
    sample.

    tables: the folder of the dataset's tables, for a split by time.

    Returns:
        The number of examples in each part.

    Raises:
        MissingFileError, DataError: `examples` is not there or not in the form of RECORD, such as
            without the output that a teacher gives; by time, a table is not there, or an
            interaction of an example has no time.
    """
    table = read_parquet(examples, DRAFT)
    if missing := table["output"].null_count:
        raise DataError(
            f"{examples}: {missing} of {len(table)} examples have no output yet. Run 'itdr "
            "annotate' and split what it writes."
        )
    table = table.cast(RECORD)
    protocol = replace(read_protocol(examples), split=settings.by)
    if settings.by == "time":
        if tables is None:
            raise DataError("a split by time needs the dataset's tables: give --tables.")
        parts, test_begins = parts_by_time(table, tables, settings.shares)
        protocol = replace(protocol, test_begins=test_begins)
    elif settings.by == "position":
        parts = _parts_by_position(len(table), settings.shares)
    else:
        parts = _parts_by_chance(table, settings, seed)
    order = sorted(range(len(parts)), key=lambda row: _fraction(seed, table["id"][row].as_py()))
    table = table.replace_schema_metadata(protocol.attached(RECORD).metadata)
    counts = {}
    with atomic_folder(out, "split") as folder:
        for part in Part:
            rows = pa.array([row for row in order if parts[row] is part], pa.int64())
            write_parquet(folder / f"{part}.parquet", table.take(rows))
            counts[part.value] = len(rows)
    return counts


def _parts_by_position(count: int, shares: tuple[float, float, float]) -> list[Part]:
    train, val = round(count * shares[0]), round(count * (shares[0] + shares[1]))
    return [Part.TRAIN] * train + [Part.VAL] * (val - train) + [Part.TEST] * (count - val)


def _parts_by_chance(table: pa.Table, settings: SplitSettings, seed: int) -> list[Part]:
    columns = ("id", "dataset", "user_id", "item_id")
    return [
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


def _fraction(*words: object) -> float:
    """Return a number in [0, 1) that depends on the words alone."""
    digest = hashlib.md5(":".join(map(str, words)).encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:7], "big") / 2**56


def _part(fraction: float, shares: tuple[float, float, float]) -> Part:
    train, val, _ = shares
    if fraction < train:
        return Part.TRAIN
    return Part.VAL if fraction < train + val else Part.TEST


def training_users(dataset: str, settings: SplitSettings, seed: int) -> str:
    """Return the SQL condition on user_id (of DuckDB) that holds for users of the training part.

    It says what `split` does. Where users are not divided it holds for all of them.
    """
    if settings.by != "user":
        return "TRUE"
    digits = f"substr(md5('{int(seed)}:{dataset}:' || user_id), 1, 14)"
    return f"('0x' || {digits})::UBIGINT / 2.0 ** 56 < {settings.shares[0]}"
