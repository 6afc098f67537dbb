"""The raw lines behind rows of the tables, found by reading the raw files again.

Tables do not hold line numbers: of 32 million rows they would be as large as the rows themselves,
and hardly any is ever asked for.
"""

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa

from itdr.datasets.adapters.columns import adapter_of
from itdr.datasets.readers.context import NormalisationContext, open_context
from itdr.files.atomic import writing
from itdr.settings.dataset import DatasetSettings

_KEYS = {
    "interactions": ("user_id", "item_id"),
    "items": ("item_id",),
    "users": ("user_id",),
    "reviews": ("item_id",),
}
"""What is looked for, and by which columns."""


@dataclass(frozen=True)
class RawRow:
    r"""A line of a raw file, and the row of a table that was made from it.

    Attributes:
        table: "interactions", "items" or "users"; "reviews" are the interactions with a review.
        key: the row's ids, those of a review being user and item.
        file: path of the raw file, an archive standing like a folder.
        line: number of the physical line, from 1, header included; of a Parquet file's row, from 1.
        raw: the line without its line end; bytes that are no text stand as \xNN.
        review: of a review, the user's words as the table has them.
    """

    table: str
    key: tuple[str, ...]
    file: str
    line: int
    raw: str
    review: str | None = None


def raw_rows(
    dataset: DatasetSettings,
    raw: Path,
    scratch: Path,
    wanted: dict[str, set[tuple[str, ...]]],
    *,
    memory_limit_mb: int,
    threads: int | None = None,
) -> list[RawRow]:
    """Return the raw lines of rows of a dataset's tables, by table, key, file and line.

    Where a line stands more than once, it is the first that the table was made from.

    Args:
        dataset: what its file in config/datasets/ says.
        raw: folder that holds its raw files.
        scratch: folder in which there is room for about the raw files unpacked, for a while.
        wanted: "interactions" to pairs of user and item, "items", "users" and "reviews" to ids.
        memory_limit_mb: memory to keep to, in MB.
        threads: threads to work with; None takes all processors.

    Raises:
        SettingsError, MissingFileError, DataError, DiskFullError: as normalise.
    """
    threads = threads or len(os.sched_getaffinity(0))
    adapter = adapter_of(dataset)
    with TemporaryDirectory(prefix=".trace-", dir=scratch) as name, writing(folder := Path(name)):
        with open_context(dataset.id, raw, folder, memory_limit_mb, threads) as context:
            adapter.load(context)
            found = [row for table, keys in wanted.items() if keys
                     for row in _places(context, table, keys)]  # fmt: skip
        texts = _texts(context, {(file, line) for _, _, file, line, _ in found}, threads)
    return [
        RawRow(table, key, str(context.accounts[file].source), line, texts[file, line], review)
        for table, key, file, line, review in found
    ]


def _places(
    context: NormalisationContext, table: str, keys: Iterable[tuple[str, ...]]
) -> list[tuple[str, tuple[str, ...], int, int, str | None]]:
    """Return table, key, number of the file, line and review of the wanted rows."""
    columns = _KEYS[table]
    view = "interactions" if table == "reviews" else table
    described = {row[0].lower() for row in context.query("SELECT view_name FROM duckdb_views()")}
    described |= {row[0].lower() for row in context.query("SELECT table_name FROM duckdb_tables()")}
    if view not in described:  # the source has no file of them
        return []
    names = {row[0].lower() for row in context.query(f"DESCRIBE {view}")}
    if table == "reviews" and "review" not in names:
        return []
    asked = pa.table(dict(zip(columns, map(list, zip(*sorted(keys), strict=True)), strict=True)))
    context.connection.register("asked", asked)
    shown = ("user_id", "item_id") if table == "reviews" else columns
    chosen = ", ".join(f"found.{name}::VARCHAR AS {name}" for name in shown)
    same = " AND ".join(f"found.{name}::VARCHAR = asked.{name}" for name in columns)
    review = "review" if table == "reviews" else "NULL"
    rows = context.query(
        f"""
        SELECT {chosen}, {review} AS review, file, line FROM {view} AS found
        JOIN asked ON {same} {"WHERE review IS NOT NULL" if table == "reviews" else ""}
        QUALIFY row_number() OVER (PARTITION BY {", ".join(f"found.{n}" for n in shown)}
            ORDER BY file, line) = 1
        ORDER BY ALL
        """
    )
    context.connection.unregister("asked")
    return [(table, tuple(key), file, line, text) for *key, text, file, line in rows]


def _texts(
    context: NormalisationContext, places: set[tuple[int, int]], threads: int
) -> dict[tuple[int, int], str]:
    """Return the raw text of lines, by the number of the file and the line."""
    lines: dict[int, list[int]] = defaultdict(list)
    for file, line in sorted(places):
        lines[file].append(line)
    texts: dict[tuple[int, int], Any] = {}
    for file, numbers in lines.items():
        account = context.accounts[file]
        for number, data in account.rows_at(account.source, np.array(numbers), threads):
            texts[file, number] = data.decode(account.encoding, "backslashreplace")
    return texts
