"""Dividing a stream of rows into files by their part, in one pass."""

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

PART = "part"
"""The column that says into which file a row goes."""


def divide(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, parts: int, folder: Path
) -> list[Path]:
    """Write the rows, without PART, into so many Parquet files and return them.

    batches: rows with the columns of schema, of which PART has whole numbers from 0 below parts.
    """
    folder.mkdir()
    paths = [folder / f"{number}.parquet" for number in range(parts)]
    kept = [name for name in schema.names if name != PART]
    shape = pa.schema([schema.field(name) for name in kept])
    with ExitStack() as stack:
        writers = [
            stack.enter_context(
                pq.ParquetWriter(
                    path, shape, compression="none", use_dictionary=False, write_statistics=False
                )
            )
            for path in paths
        ]
        for batch in batches:
            part = batch.column(PART).to_numpy()
            rows = np.argsort(part.astype(np.uint16), kind="stable")
            ordered = batch.select(kept).take(pa.array(rows))
            start = 0
            for writer, size in zip(writers, np.bincount(part, minlength=parts), strict=True):
                if size:
                    writer.write_batch(ordered.slice(start, size))
                start += int(size)
    return paths
