"""Writing a table in its order, one range of keys after the other, so that memory stays small.

The order is total, and row groups have a fixed number of rows, so the bytes of the file depend
neither on the number of threads nor on how the keys were divided into ranges.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from itdr.errors import DataError
from itdr.seals import parquet_writer
from itdr.sources.dividing import PART, divide
from itdr.sources.ordering import order_of
from itdr.sources.tables import with_statistics
from itdr.storage import writing

_ROWS_PER_GROUP = 1 << 20
_ROWS_PER_GROUP_OF_TEXT = 1 << 17
_ROWS_PER_RANGE = 1_500_000
_BYTES_PER_RANGE = 96 << 20
_SAMPLE = 20_000
_ROWS_AT_ONCE = 1 << 20
_BYTES_AT_ONCE = 24 << 20
_TEXT = {"title", "description", "review_title", "review"}
_VARIED = {*_TEXT, "timestamp", "plays"}

Repeat = Callable[[int, int], None]
"""Called with file and line of a row that repeats another."""


@dataclass(frozen=True)
class Layout:
    """How a table is ordered and which of its columns may not repeat.

    schema: columns of the file. Those that the view lacks are null ([] for lists).
    order: columns to sort by; the first divides the table into ranges.
    unique: columns that are unique together, or none; of repeated rows the first in the raw files
        is kept.
    """

    schema: pa.Schema
    order: tuple[str, ...]
    unique: tuple[str, ...]


def write_sorted(
    connection: duckdb.DuckDBPyConnection, view: str, layout: Layout, path: Path, repeat: Repeat
) -> int:
    """Write a view as Parquet and return its number of rows.

    view: has `file` and `line` beside columns of the schema; ids are text or whole numbers.
    repeat: called with file and line of each row left out because another one is the same.
    """
    rows = _View(connection, view, layout, repeat, path.with_suffix(".divided"))
    size = _ROWS_PER_GROUP_OF_TEXT if _TEXT & set(rows.columns) else _ROWS_PER_GROUP
    count = 0
    with (
        writing(path),
        parquet_writer(
            path,
            layout.schema,
            use_dictionary=_repetitive(layout.schema),
            write_statistics=with_statistics(layout.schema),
        ) as writer,
        ThreadPoolExecutor(1) as background,
    ):
        pending: Future[None] | None = None
        for groups in _row_groups(rows.parts(), size):
            if pending:
                pending.result()
            count += groups.num_rows
            pending = background.submit(
                lambda table: writer.write_table(
                    _shaped(table, layout.schema), row_group_size=size
                ),
                groups,
            )
        if pending:
            pending.result()
    return count


class _View:
    """A DuckDB view that is read in ranges of its first key."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        view: str,
        layout: Layout,
        repeat: Repeat,
        folder: Path,
    ) -> None:
        self.connection, self.view, self.repeat, self.folder = connection, view, repeat, folder
        # DESCRIBE spells a column as the raw file does, even where the view has another spelling.
        types = {row[0].lower(): row[1] for row in self._query(f"DESCRIBE {view}")}
        self.columns = [name for name in layout.schema.names if name in types]
        self.order = [name for name in layout.order if name in types]
        self.unique = list(layout.unique)
        self.types = types
        self._read = ", ".join([*self.columns, "file", "line"])
        first = self.order[0]
        # The SQL that orders by the first column; of two texts the shorter one comes first.
        self._key = [f"strlen({first})", first] if types[first] == "VARCHAR" else [first]

    def parts(self) -> Iterator[pa.Table]:
        """Yield the rows in order, those of one range of keys at a time."""
        size = self._bytes_per_row()
        marks = self._marks(size)
        if marks and not self._is_clustered():
            # To pick each range from all rows would read them as often as there are ranges.
            for path in self._divided(marks, size):
                yield self._sorted(pq.read_table(path))
                path.unlink()
            return
        for where, values in self._ranges(marks):
            sql = f"SELECT {self._read} FROM {self.view} WHERE {where}"
            yield self._sorted(self.connection.sql(sql, params=values or None).to_arrow_table())

    def _is_clustered(self) -> bool:
        """Say whether rows of about the same key stand together and can be told without reading."""
        if len(self._key) > 1:
            return False
        sample = self._sample([*self._key, "file", "line"])
        keys = [row[0] for row in sorted(sample, key=lambda row: row[1:])]
        falls = sum(after < before for before, after in pairwise(keys))
        return falls < len(keys) / 20

    def _divided(self, marks: list[tuple], size: float) -> list[Path]:
        """Return files with the rows of the ranges between the marks."""
        conditions: list[str] = []
        values: dict[str, Any] = {}
        for number, mark in enumerate(marks):
            places = [f"mark{number}_{i}" for i in range(len(mark))]
            conditions.append(f"({_compared(self._key, '>=', places)})::USMALLINT")
            values.update(zip(places, mark, strict=True))
        sql = f"SELECT {self._read}, {' + '.join(conditions)} AS {PART} FROM {self.view}"
        at_once = int(min(_ROWS_AT_ONCE, _BYTES_AT_ONCE // size))
        rows = self.connection.sql(sql, params=values).to_arrow_reader(at_once)
        return divide(rows, rows.schema, len(marks) + 1, self.folder)

    def _query(self, sql: str, values: Any = None) -> list[tuple]:
        return self.connection.execute(sql, values).fetchall()

    def _sample(self, columns: list[str]) -> list[tuple]:
        return self._query(
            f"SELECT {', '.join(columns)} FROM {self.view} "
            f"USING SAMPLE reservoir({_SAMPLE} ROWS) REPEATABLE (1)"
        )

    def _bytes_per_row(self) -> float:
        """Return about how many bytes a row takes."""
        texts = [name for name in self.columns if self.types[name] == "VARCHAR"]
        size = " + ".join([f"coalesce(strlen({name}), 0)" for name in texts] or ["0"])
        sample = self._sample([size])
        return sum(row[0] for row in sample) / max(len(sample), 1) + 64

    def _marks(self, size: float) -> list[tuple]:
        """Return keys that divide the rows into ranges of about the same size."""
        count = self._query(f"SELECT count(*) FROM {self.view}")[0][0]
        number = -(-count // int(min(_ROWS_PER_RANGE, _BYTES_PER_RANGE // size + 1))) or 1
        if number == 1:
            return []
        sample = sorted(self._sample(self._key))
        marks = [sample[len(sample) * i // number] for i in range(1, number)]
        return list(dict.fromkeys(marks))

    def _ranges(self, marks: list[tuple]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the conditions of the ranges between the marks."""
        for low, high in zip([None, *marks], [*marks, None], strict=True):
            conditions: list[str] = []
            values: dict[str, Any] = {}
            for name, sign, mark in (("low", ">=", low), ("high", "<", high)):
                if mark is not None:
                    places = [f"{name}{i}" for i in range(len(mark))]
                    conditions.append(_compared(self._key, sign, places))
                    values.update(zip(places, mark, strict=True))
            yield " AND ".join(conditions) or "TRUE", values

    def _sorted(self, table: pa.Table) -> pa.Table:
        """Return the rows of a range in order, without repeated ones."""
        rows, repeated = order_of(table, self.order, self.unique)
        others = table.select(["file", "line"]).take(pa.array(repeated))
        for file, line in zip(others["file"].to_pylist(), others["line"].to_pylist(), strict=True):
            self.repeat(file, line)
        # In one piece: Arrow takes rows from many pieces far more slowly.
        return table.select(self.columns).combine_chunks().take(pa.array(rows))


def _compared(key: list[str], sign: str, places: list[str]) -> str:
    """Return the SQL that compares one or two keys with values, the first key first.

    Rows of values are not compared as such: DuckDB joins two such comparisons to a BETWEEN, which
    it then refuses.
    """
    last = f"{key[-1]} {sign} ${places[-1]}"
    if len(key) == 1:
        return last
    return f"({key[0]} {sign[0]} ${places[0]} OR ({key[0]} = ${places[0]} AND {last}))"


def _row_groups(parts: Iterable[pa.Table], size: int) -> Iterator[pa.Table]:
    """Yield the same rows in tables of whole row groups; the last may end with a smaller one."""
    rest: pa.Table | None = None
    for part in parts:
        table = part if rest is None else pa.concat_tables([rest, part])
        whole = table.num_rows // size * size
        if whole:
            yield table.slice(0, whole)
        rest = table.slice(whole)
    if rest is not None and rest.num_rows:
        yield rest


def _shaped(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return the table with the columns and types of the schema, each in one piece."""
    columns = []
    for field in schema:
        if field.name in table.column_names:
            column = table.column(field.name).combine_chunks().cast(field.type)
        elif pa.types.is_list(field.type):
            column = pa.array([[]] * table.num_rows, field.type)
        else:
            column = pa.nulls(table.num_rows, field.type)
        if column.null_count and not field.nullable:
            raise DataError(f"the column {field.name!r} has empty cells, which it may not have")
        columns.append(column)
    return pa.table(columns, schema=schema)


def _repetitive(schema: pa.Schema) -> list[str]:
    """Return the Parquet columns whose values repeat, which a dictionary makes small."""
    names = []
    for field in schema:
        if pa.types.is_map(field.type):
            names += [f"{field.name}.key_value.key", f"{field.name}.key_value.value"]
        elif pa.types.is_list(field.type):
            names.append(f"{field.name}.list.element")
        elif field.name not in _VARIED:
            names.append(field.name)
    return names
