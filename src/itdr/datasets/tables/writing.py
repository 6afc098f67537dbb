"""Writing a table in its order, one range of keys after the other, so that memory stays small.

The order is total, and row groups have a fixed number of rows, so the bytes of the file depend
neither on the number of threads nor on how the keys were divided into ranges.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from itdr.datasets.parallel import in_order
from itdr.datasets.tables.ids import encoded, ids_of
from itdr.datasets.tables.ordering import order_of
from itdr.datasets.tables.partition import PART, divide, taken
from itdr.datasets.tables.schema import with_statistics
from itdr.errors import DataError
from itdr.files.atomic import writing
from itdr.files.checksums import parquet_writer

_ROWS_PER_GROUP = 1 << 20
_ROWS_PER_GROUP_OF_TEXT = 1 << 17
_ROWS_PER_RANGE = 600_000
_BYTES_PER_RANGE = 48 << 20
_SAMPLE = 20_000
_FIRST_LINES = 2_000
_ROWS_AT_ONCE = 1 << 20
_BYTES_AT_ONCE = 24 << 20
_TEXT = {"title", "description", "review_title", "review"}
_IDS = {"user_id", "item_id"}
_VARIED = {*_TEXT, "timestamp", "plays"}

Repeat = Callable[[np.ndarray, np.ndarray], None]
"""Called with files and lines of rows that repeat others."""

Seen = Callable[[dict[str, pa.Table]], None]
"""Called with the ids of some rows."""


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
    connection: duckdb.DuckDBPyConnection,
    view: str,
    layout: Layout,
    path: Path,
    repeat: Repeat,
    *,
    seen: Seen,
    threads: int,
) -> int:
    """Write a view as Parquet and return its number of rows.

    view: has `file` and `line` beside columns of the schema; ids are text or whole numbers.
    repeat: called with files and lines of the rows left out because others are the same.
    seen: called with the ids of each row group and in how many of its rows they stand: for each of
        the columns user_id and item_id a table of `id` and `rows`.
    threads: number of ranges that are sorted at the same time.
    """
    rows = _View(connection, view, layout, repeat, path.with_suffix(".divided"))
    size = _ROWS_PER_GROUP_OF_TEXT if _TEXT & set(rows.columns) else _ROWS_PER_GROUP
    count = 0
    with (
        writing(path),
        parquet_writer(
            path,
            _stored(layout.schema),
            use_dictionary=_repetitive(layout.schema),
            write_statistics=with_statistics(layout.schema),
            # It would say of ids that they have a dictionary, and readers would keep it.
            store_schema=False,
        ) as writer,
        ThreadPoolExecutor(1) as background,
    ):
        pending: deque[Future[dict[str, pa.Table]]] = deque()
        for group in _row_groups(rows.parts(threads), size):
            count += group.num_rows
            pending.append(background.submit(_write_group, writer, _shaped(group, layout.schema)))
            if len(pending) > 1:
                seen(pending.popleft().result())
        while pending:
            seen(pending.popleft().result())
        writer.add_key_value_metadata(layout.schema.metadata or {})
    return count


def _write_group(writer: pq.ParquetWriter, table: pa.Table) -> dict[str, pa.Table]:
    """Write a row group and return its ids."""
    writer.write_table(table, row_group_size=table.num_rows)
    ids = {}
    for name in _IDS & set(table.column_names):
        column = table.column(name).chunk(0)
        rows = np.bincount(column.indices.to_numpy(), minlength=len(column.dictionary))
        ids[name] = pa.table({"id": column.dictionary, "rows": rows})
    return ids


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
        self._read = ", ".join([*(f'"{name}"' for name in self.columns), "file", "line"])
        first = self.order[0]
        # The SQL that orders by the first column; of two texts the shorter one comes first.
        self._key = [f"strlen({first})", first] if types[first] == "VARCHAR" else [first]

    def parts(self, threads: int) -> Iterator[pa.Table]:
        """Yield the rows in order, those of one range of keys at a time."""
        size = self._bytes_per_row()
        marks = self._marks(size)
        jobs: Iterator[Callable[[], pa.Table]]
        if marks and not self._is_clustered():
            # To pick each range from all rows would read them as often as there are ranges.
            jobs = (partial(taken, path) for path in self._divided(marks, size, threads))
        else:
            jobs = (partial(self._read_range, *limits) for limits in self._ranges(marks))
        for table, repeated in in_order(self._sorted, jobs, threads):
            self.repeat(repeated["file"].to_numpy(), repeated["line"].to_numpy())
            yield table

    def _read_range(self, where: str, values: dict[str, Any]) -> pa.Table:
        sql = f"SELECT {self._read} FROM {self.view} WHERE {where}"
        # A cursor of its own for each query, because they run at the same time.
        with self.connection.cursor() as cursor:
            return cursor.sql(sql, params=values or None).to_arrow_table()

    def _is_clustered(self) -> bool:
        """Say whether rows of about the same key stand together and can be told without reading."""
        if len(self._key) > 1:
            return False
        keys = [row[0] for row in sorted(self._sample, key=lambda row: row[1:])]
        falls = sum(after < before for before, after in pairwise(keys))
        return falls < len(keys) / 20

    def _divided(self, marks: list[tuple], size: float, threads: int) -> list[Path]:
        """Return files with the rows of the ranges between the marks."""
        values = {f"mark{n}_{i}": v for n, mark in enumerate(marks) for i, v in enumerate(mark)}
        part = self._part_between(0, len(marks))
        sql = f"SELECT {self._read}, ({part})::USMALLINT AS {PART} FROM {self.view}"
        at_once = int(min(_ROWS_AT_ONCE, _BYTES_AT_ONCE // size))
        rows = self.connection.sql(sql, params=values).to_arrow_reader(at_once)
        return divide(rows, rows.schema, len(marks) + 1, self.folder, threads)

    def _part_between(self, low: int, high: int) -> str:
        """Return the SQL of a row's part, from low to high, found by halving."""
        if low == high:
            return str(low)
        middle = (low + high) // 2
        places = [f"mark{middle}_{i}" for i in range(len(self._key))]
        return (
            f"CASE WHEN {_compared(self._key, '>=', places)} "
            f"THEN {self._part_between(middle + 1, high)} "
            f"ELSE {self._part_between(low, middle)} END"
        )

    def _query(self, sql: str, values: Any = None) -> list[tuple]:
        return self.connection.execute(sql, values).fetchall()

    @cached_property
    def _rows(self) -> int:
        return int(self._query(f"SELECT count(*) FROM {self.view}")[0][0])

    @cached_property
    def _sample(self) -> list[tuple]:
        """Keys, `file` and `line` of some rows."""
        step = self._rows // _SAMPLE + 1
        columns = ", ".join([*self._key, "file", "line"])
        return self._query(f"SELECT {columns} FROM {self.view} WHERE hash(line) % {step} = 0")

    def _bytes_per_row(self) -> float:
        """Return about how many bytes a row takes, going by the first lines of every file."""
        texts = [name for name in self.columns if self.types[name] == "VARCHAR"]
        size = " + ".join([f'coalesce(strlen("{name}"), 0)' for name in texts] or ["0"])
        sql = f"SELECT avg({size}) FROM {self.view} WHERE line <= {_FIRST_LINES}"
        ((mean,),) = self._query(sql)
        return (mean or 0) + 64

    def _marks(self, size: float) -> list[tuple]:
        """Return keys that divide the rows into ranges of about the same size."""
        number = -(-self._rows // int(min(_ROWS_PER_RANGE, _BYTES_PER_RANGE // size + 1))) or 1
        if number == 1:
            return []
        keys = sorted(row[:-2] for row in self._sample)
        marks = [keys[len(keys) * i // number] for i in range(1, number)]
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

    def _sorted(self, read: Callable[[], pa.Table]) -> tuple[pa.Table, pa.Table]:
        """Return the rows of a range in order, without repeated ones, and the places of these."""
        # In one piece: Arrow takes rows from many pieces far more slowly.
        table = read().combine_chunks()
        for name in _IDS & set(self.columns):
            place = table.schema.get_field_index(name)
            table = table.set_column(place, name, encoded(table.column(name)))
        rows, repeated = order_of(table, self.order, self.unique)
        others = table.select(["file", "line"]).take(pa.array(repeated))
        return pc.take(table.select(self.columns), pa.array(rows), boundscheck=False), others


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
    """Yield the same rows in row groups of this size; the last may be smaller."""
    rest: pa.Table | None = None
    for part in parts:
        table = part if rest is None else pa.concat_tables([rest, part])
        whole = table.num_rows // size * size
        yield from (table.slice(start, size) for start in range(0, whole, size))
        rest = table.slice(whole)
    if rest is not None and rest.num_rows:
        yield rest


def _shaped(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return the table with the columns and types of the schema, each in one piece."""
    columns = []
    for field in schema:
        if field.name in table.column_names:
            column = table.column(field.name)
            if column.null_count and not field.nullable:
                raise DataError(f"the column {field.name!r} has empty cells, which it may not have")
            is_id = field.name in _IDS
            column = ids_of(column) if is_id else column.combine_chunks().cast(field.type)
        elif pa.types.is_list(field.type):
            column = pa.array([[]] * table.num_rows, field.type)
        else:
            column = pa.nulls(table.num_rows, field.type)
        columns.append(column)
    return pa.table(columns, schema=_stored(schema))


def _stored(schema: pa.Schema) -> pa.Schema:
    """Return the schema as Parquet files hold it: ids as places in a dictionary."""
    for name in _IDS & set(schema.names):
        place = schema.get_field_index(name)
        field = schema.field(place).with_type(pa.dictionary(pa.int32(), pa.string()))
        schema = schema.set(place, field)
    return schema


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
