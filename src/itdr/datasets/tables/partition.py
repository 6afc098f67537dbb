"""Dividing a stream of rows into files by their part, in one pass.

The files are streams of Arrow: they are read once, soon, and so need no coding.
"""

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa

from itdr.datasets.parallel import in_order

PART = "part"
"""The column that says into which file a row goes."""


def divide(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, parts: int, folder: Path, threads: int
) -> list[Path]:
    """Write the rows, without PART, into so many files and return them; `taken` reads one.

    batches: rows with the columns of schema, of which PART has whole numbers from 0 below parts.
    """
    folder.mkdir()
    paths = [folder / f"{number}.arrow" for number in range(parts)]
    kept = [name for name in schema.names if name != PART]
    shape = pa.schema([schema.field(name) for name in kept])

    def by_part(batch: pa.RecordBatch) -> tuple[pa.RecordBatch, np.ndarray]:
        part = batch.column(PART).to_numpy()
        rows = np.argsort(part.astype(np.uint16), kind="stable")
        return batch.select(kept).take(pa.array(rows)), np.bincount(part, minlength=parts)

    with ExitStack() as stack:
        writers = [
            stack.enter_context(
                pa.ipc.new_stream(stack.enter_context(pa.OSFile(str(path), "wb")), shape)
            )
            for path in paths
        ]
        for ordered, sizes in in_order(by_part, batches, threads):
            start = 0
            for writer, size in zip(writers, sizes.tolist(), strict=True):
                if size:
                    writer.write_batch(ordered.slice(start, size))
                start += size
    return paths


def taken(path: Path) -> pa.Table:
    """Return the rows in a file, which is deleted."""
    with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as rows:
        table = rows.read_all()
    path.unlink()
    return table
