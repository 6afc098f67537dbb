"""From the raw files of one dataset to its three tables, with every rejected row accounted for."""

import logging
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from itdr.datasets.adapters.adapter import Adapter
from itdr.datasets.adapters.columns import adapter_of
from itdr.datasets.download.manifest import check_folder, origin_of
from itdr.datasets.readers.context import LEAST_MB, NormalisationContext, open_context
from itdr.datasets.readers.rejections import totals, write_rejected
from itdr.datasets.tables import QUALITY
from itdr.datasets.tables.schema import check_table, schema_of, with_metadata
from itdr.datasets.tables.writing import Layout, write_sorted
from itdr.errors import DataError, SettingsError
from itdr.files.atomic import writing
from itdr.files.formats import write_checked_json
from itdr.files.publish import publish, sync, unfinished_folder
from itdr.settings.dataset import DatasetSettings

DEFAULT_MEMORY_LIMIT_MB = 1024

FILES = ("interactions.parquet", "items.parquet", "users.parquet", "rejected.parquet")

_log = logging.getLogger("itdr")


def normalise(
    dataset: DatasetSettings,
    raw: Path,
    out: Path,
    *,
    memory_limit_mb: int = DEFAULT_MEMORY_LIMIT_MB,
    threads: int | None = None,
) -> None:
    """Write {interactions,items,users}.parquet, rejected.parquet and quality.json into `out`.

    The tables are described in itdr.datasets.tables.schema and itdr.datasets.readers.rejections.
    The files appear together when all is done, quality.json last.

    Args:
        dataset: what its file in config/datasets/ says.
        raw: folder that holds its raw files at any depth.
        out: folder for the tables; made if it is not there.
        memory_limit_mb: memory that the whole process should keep to, in MiB; what does not fit
            is spilled to a hidden folder in `out`.
        threads: threads to work with; None takes all processors. The output does not depend on it.

    Raises:
        SettingsError: the dataset has no such reader, or the memory limit is too low.
        MissingFileError: a raw file is not there.
        DataError: a raw file is not what it should be, or no row of it can be used.
        BusyError: another process is writing these tables.
        DiskFullError: there is no room for them, or for what is spilled.
    """
    adapter = adapter_of(dataset)
    if memory_limit_mb < LEAST_MB:
        raise SettingsError(
            f"memory limit of {memory_limit_mb} MiB: too low; at least {LEAST_MB} is needed."
        )
    threads = threads or len(os.sched_getaffinity(0))
    check_folder(raw)
    with writing(out), unfinished_folder(out) as folder:
        with open_context(dataset.id, raw, folder, memory_limit_mb, threads) as context:
            adapter.load(context)
            rows = _write_tables(context, adapter)
        write_rejected(folder / "rejected.parquet", context.accounts, threads)
        quality = {"dataset": dataset.id, "data": origin_of(raw)}
        quality |= _quality(context, adapter, rows)
        write_checked_json(folder / QUALITY, quality)
        publish(folder, out, [*FILES, QUALITY])
    _log.info(
        "%s: %s rows read, %s kept, %s rejected",
        dataset.id,
        *(f"{quality[f'rows_{what}']:,}" for what in ("read", "kept", "rejected")),
    )


def _write_tables(context: NormalisationContext, adapter: Adapter) -> dict[str, int]:
    """Write and check the three tables; return their numbers of rows."""
    pair = ("user_id", "item_id") if adapter.unique_pairs else ()
    order = ("user_id", "position", "timestamp", "item_id")
    for name in ("user_id", "item_id"):
        context.query(f'CREATE TEMP TABLE "seen {name}" (id VARCHAR, rows BIGINT)')
    rows = {"interactions": _write_table(context, adapter, "interactions", order, pair)}
    if not rows["interactions"]:
        counts = totals(context.accounts)
        raise DataError(
            f"{context.raw}: no row of the {context.dataset} files is an interaction: "
            f"{counts['rows_read']} rows read, rejected: {counts['by_reason']}."
        )
    with ThreadPoolExecutor(1) as disk:
        # It takes the large table while the small ones are made.
        synced = disk.submit(sync, context.folder / "interactions.parquet")
        _complete(context)
        for table, key in (("items", "item_id"), ("users", "user_id")):
            rows[table] = _write_table(context, adapter, table, (key,), (key,))
        synced.result()
    return rows


def _write_table(
    context: NormalisationContext,
    adapter: Adapter,
    table: str,
    order: tuple[str, ...],
    unique: tuple[str, ...],
) -> int:
    path = context.folder / f"{table}.parquet"

    def repeat(files: np.ndarray, lines: np.ndarray) -> None:
        reason = f"repeats an earlier {' and '.join(unique)}"
        for file in np.unique(files).tolist():
            context.accounts[file].reject_all(lines[files == file], reason)

    def seen(ids: dict[str, pa.Table]) -> None:
        for name, found in ids.items() if table == "interactions" else ():
            context.connection.from_arrow(found).insert_into(f'"seen {name}"')

    schema = schema_of(table, adapter.attributes)
    layout = Layout(with_metadata(schema, context.dataset, adapter.scale), order, unique)
    rows = write_sorted(
        context.connection,
        table,
        layout,
        path,
        repeat,
        seen=seen,
        threads=context.threads,
    )
    check_table(path, schema, adapter.scale)
    return rows


def _complete(context: NormalisationContext) -> None:
    """Derive users and items where the source has no files of them, and note what does not fit."""
    views = {row[0] for row in context.query("SELECT view_name FROM duckdb_views()")}
    views |= {row[0] for row in context.query("SELECT table_name FROM duckdb_tables()")}
    for table, key in (("users", "user_id"), ("items", "item_id")):
        if table in views:
            _note_unknown(context, key, table)
            continue
        context.query(
            f"CREATE TABLE {table} AS SELECT DISTINCT id AS {key}, 0::USMALLINT AS file, "
            f'0::BIGINT AS line FROM "seen {key}"'
        )
        context.notes.append(
            f"{table}: the source has no file of {table}; derived from interactions"
        )


def _note_unknown(context: NormalisationContext, key: str, table: str) -> None:
    """Note how many ids occur in the interactions alone; their interactions are kept."""
    ((ids, rows),) = context.query(
        f"""
        SELECT count(DISTINCT id), coalesce(sum(rows), 0)::BIGINT
        FROM "seen {key}" ANTI JOIN (SELECT {key}::VARCHAR AS id FROM {table}) USING (id)
        """
    )
    if ids:
        context.notes.append(
            f"{table}: {ids} ids of {rows} interactions have no row; the interactions are kept"
        )


def _quality(
    context: NormalisationContext, adapter: Adapter, rows: dict[str, int]
) -> dict[str, Any]:
    return {
        **totals(context.accounts),
        "files": {account.name: account.summary() for account in context.accounts},
        "tables": rows,
        "rating_scale": asdict(adapter.scale) if adapter.scale else None,
        "notes": context.notes,
    }
