"""Writing many lines at once by joining columns of text, as Arrow does without loops."""

from collections.abc import Iterator
from typing import Protocol, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from itdr.demo.world import World

_ROWS_AT_ONCE = 1 << 17

Part: TypeAlias = str | np.ndarray | pa.Array


class Writable(Protocol):
    """A file of bytes, plain or compressed."""

    def write(self, data: memoryview, /) -> int:
        """Write some bytes."""


def pieces(world: World, rows: pd.DataFrame | None = None) -> Iterator[pd.DataFrame]:
    """Yield the interactions of the world (or some of them) in pieces that memory can hold."""
    rows = world.interactions if rows is None else rows
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        yield rows.iloc[start : start + _ROWS_AT_ONCE]


def join(*parts: Part) -> pa.Array:
    """Return one text per row: the parts in a row; those that are one text stand in all of them."""
    columns = [part if isinstance(part, str) else as_text(part) for part in parts]
    return pc.binary_join_element_wise(*columns, "")


def write(file: Writable, *parts: Part) -> None:
    """Write the joined parts of each row as a line."""
    lines = join(*parts, "\n")
    if len(lines):
        _, offsets, data = lines.buffers()
        file.write(memoryview(data)[: int(np.frombuffer(offsets, np.int32)[len(lines)])])


def as_text(column: np.ndarray | pa.Array) -> pa.Array:
    """Return numbers as text; text as it is."""
    array = pa.array(column)
    return array if pa.types.is_string(array.type) else array.cast(pa.string())


def choice(
    options: list[str], chances: list[float], rng: np.random.Generator, count: int
) -> pa.Array:
    """Return `count` of the options, drawn with these chances."""
    drawn = rng.choice(len(options), count, p=chances)
    return pa.array(options, pa.string()).take(pa.array(drawn))
