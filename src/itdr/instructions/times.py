"""When examples took place, and a division of them by time.

An example counts for the moment of the newest interaction that it shows or asks for; a described
item (TUI) for that of its first interaction. Val and test begin where the wanted shares of the
users with at least five interactions have ended: examples are made of users' last steps, so their
shares come out near those asked for, and the moments are the same for every task of a dataset.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from itdr.errors import DataError, MissingFileError
from itdr.files.checksums import check_parquet
from itdr.vocabulary import Part

_NAMED = pa.schema([("row", pa.int64()), ("user_id", pa.string()), ("item_id", pa.string())])
_ACTIVE = 5  # interactions of the users whose ends the moments are taken from


def parts_by_time(
    examples: pa.Table, tables: Path, shares: tuple[float, float, float]
) -> tuple[list[Part], datetime]:
    """Return the part of each example (columns: RECORD), and when the test part begins.

    Raises:
        MissingFileError, DataError: a table is not there or damaged, the dataset has no times, or
            an interaction of an example has none.
    """
    rows = examples.select(["id", "user_id", "item_id", "targets", "history"]).to_pylist()
    newest = times_of(rows, tables)
    for row, time in zip(rows, newest, strict=True):
        if time is None:
            raise DataError(
                f"{tables}: an interaction of example {row['id']} has no time, "
                "so that it cannot be divided by time. Take split.by user or leave the dataset out."
            )
    val, test = _beginnings(tables, shares)
    parts = [Part.TRAIN if time < val else Part.VAL if time < test else Part.TEST
             for time in newest if time is not None]  # fmt: skip
    return parts, test


def times_of(examples: Sequence[Mapping[str, Any]], tables: Path) -> list[datetime | None]:
    """Return the moment of each example in UTC; None where one of its interactions has no time.

    examples: rows of RECORD. tables: the folder of the dataset's tables.

    Raises:
        MissingFileError, DataError: the table of the interactions is not there or damaged.
    """
    named = pa.Table.from_pylist(list(_named(examples)), schema=_NAMED)
    with _opened(tables) as connection:
        connection.register("named", named)
        found = connection.execute(
            """
            SELECT row, CASE WHEN bool_or(time IS NULL) THEN NULL ELSE max(time) END FROM (
                SELECT row, epoch_us(timestamp) AS time
                FROM named LEFT JOIN interactions USING (user_id, item_id)
                WHERE user_id IS NOT NULL
                UNION ALL
                SELECT row, min(epoch_us(timestamp))
                FROM named LEFT JOIN interactions USING (item_id)
                WHERE named.user_id IS NULL GROUP BY row
            ) GROUP BY row ORDER BY row
            """
        ).fetchall()
    return [_moment(time) for _, time in found]


def _named(examples: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the users and items of each example, `row` being its place."""
    for row, example in enumerate(examples):
        shown = [item["item_id"] for item in example["history"] or []]
        for item in [*shown, *(example["targets"] or [])] or [example["item_id"]]:
            yield {"row": row, "user_id": example["user_id"], "item_id": item}


def _beginnings(tables: Path, shares: tuple[float, float, float]) -> tuple[datetime, datetime]:
    with _opened(tables) as connection:
        (moments,) = connection.execute(
            """
            SELECT quantile_disc(ended, [$train, $both]) FROM (
                SELECT max(epoch_us(timestamp)) AS ended FROM interactions GROUP BY user_id
                HAVING count(*) >= $active)
            """,
            {"train": shares[0], "both": min(shares[0] + shares[1], 1.0), "active": _ACTIVE},
        ).fetchone() or (None,)
    val, test = map(_moment, moments or (None, None))
    if val is None or test is None:
        raise DataError(
            f"{tables}: the interactions have no times, so they cannot be divided by time. Take "
            "split.by user, or leave the dataset out."
        )
    return val, test


def _moment(microseconds: int | None) -> datetime | None:
    if microseconds is None:
        return None
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)


def _opened(tables: Path) -> duckdb.DuckDBPyConnection:
    path = tables / "interactions.parquet"
    if not path.is_file():
        raise MissingFileError(f"{path}: no such table. Run 'itdr normalise' first.")
    check_parquet(path)
    connection = duckdb.connect()
    connection.read_parquet(str(path)).create_view("interactions")
    return connection
