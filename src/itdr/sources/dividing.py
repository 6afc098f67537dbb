"""Dividing a stream of rows into files by ranges of a key, in one pass."""

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


def divide(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, key: str, marks: list[int], folder: Path
) -> list[Path]:
    """Write the rows into len(marks) + 1 Parquet files and return them.

    key: a column of whole numbers. File i has the rows with marks[i - 1] <= key < marks[i].
    """
    folder.mkdir()
    paths = [folder / f"{number}.parquet" for number in range(len(marks) + 1)]
    with ExitStack() as stack:
        writers = [
            stack.enter_context(
                pq.ParquetWriter(path, schema, compression="none", use_dictionary=False)
            )
            for path in paths
        ]
        for batch in batches:
            part = np.searchsorted(marks, batch.column(key).to_numpy(), side="right")
            rows = np.argsort(part.astype(np.uint16), kind="stable")
            ordered = batch.take(pa.array(rows))
            start = 0
            for writer, size in zip(writers, np.bincount(part, minlength=len(paths)), strict=True):
                if size:
                    writer.write_batch(ordered.slice(start, size))
                start += int(size)
    return paths
