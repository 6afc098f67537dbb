"""Files with one JSON object a line: blocks of lines read by DuckDB, each line a cell of its own.

A line that is no JSON, no object, or has a wrong value is rejected with the reason; its neighbours
are not touched. Lines are parsed once: only a block in which something is broken is read again.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from queue import Empty, SimpleQueue
from typing import Any, ClassVar

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from itdr.datasets.readers.delimited import Parsed
from itdr.datasets.readers.files import RawFile
from itdr.datasets.readers.lines import Block, read_blocks
from itdr.datasets.readers.text import texts
from itdr.datasets.tables.schema import FIRST_YEAR, LAST_YEAR

# To open a database takes far longer than to read a block.
_databases: SimpleQueue[duckdb.DuckDBPyConnection] = SimpleQueue()


@dataclass(frozen=True)
class Key:
    """A key of the objects, and the column that it becomes.

    name: the key, which is also the column's name.
    type: of the column.
    form: what DuckDB's from_json reads the value as.
    sql: the column's value; {} stands for what was read. Null where the value makes no sense.
    checks: conditions on the column's value, as SQL in which {} stands for it, and the reasons to
        reject a row for which they do not hold. A condition that is null holds.
    clean: what is done to the column in the end, such as taking markup out of text.
    """

    name: str
    type: pa.DataType
    form: Any = "VARCHAR"
    sql: str = "{}"
    checks: tuple[tuple[str, str], ...] = ()
    clean: Callable[[pa.Array], pa.Array] | None = None


def required(key: Key, reason: str | None = None) -> Key:
    """Return the same key, but a row without a value for it is rejected."""
    check = ("{} IS NOT NULL", reason or f"{key.name} is missing")
    return Key(key.name, key.type, key.form, key.sql, (check, *key.checks), key.clean)


def identifier(name: str) -> Key:
    """Return the key of an id: text that is kept as it is and may not be empty."""
    # Blanks come first of all that can be printed, so that most ids need not be trimmed.
    sql = "CASE WHEN {} > '!' THEN {} WHEN trim({}) <> '' THEN {} END"
    # What was an object, a list or a truth value is read as its JSON, which is no id.
    is_text = "left({}, 1) NOT IN (chr(123), '[') AND {} NOT IN ('true', 'false')"
    return required(Key(name, pa.string(), sql=sql, checks=((is_text, f"{name} is not a text"),)))


def text_key(name: str) -> Key:
    """Return the key of a text that becomes plain text: no markup, no blanks at its ends."""
    return Key(name, pa.string(), clean=texts)


def text_list(name: str) -> Key:
    """Return the key of a list of texts; null where there is none."""
    return Key(name, pa.list_(pa.string()), form=["VARCHAR"])


def mapping(name: str) -> Key:
    """Return the key of an object with its values as text; null where there is none."""
    return Key(name, pa.map_(pa.string(), pa.string()), form="MAP(VARCHAR, VARCHAR)")


def rating(name: str, low: float, high: float) -> Key:
    """Return the key of a rating in whole steps from low to high."""
    inside = f"{{}} BETWEEN {low} AND {high}"
    checks = (
        (f"coalesce({inside}, TRUE)", f"{name} is outside {low:g} to {high:g}"),
        (f"NOT ({inside}) OR {{}} = floor({{}})", f"{name} is not in steps of 1"),
    )
    key = Key(name, pa.float64(), sql="TRY_CAST({} AS DOUBLE)", checks=checks)
    return required(key, f"{name} is missing or not a number")


def milliseconds(name: str) -> Key:
    """Return the key of a time in milliseconds since 1970, in the allowed years."""
    first, end = (f"epoch_ms(make_date({y}, 1, 1))" for y in (FIRST_YEAR, LAST_YEAR + 1))
    # 1.52309e+12 has lost its seconds, so it is no time; nor is 1_528, which DuckDB takes for 1528.
    whole = "CASE WHEN regexp_full_match({}, '-?[0-9]+') THEN TRY_CAST({} AS BIGINT) END"
    inside = f"{{}} >= {first} AND {{}} < {end}"
    outside = f"{name} in milliseconds is outside the years {FIRST_YEAR} to {LAST_YEAR}"
    key = Key(name, pa.int64(), sql=whole, checks=((inside, outside),))
    return required(key, f"{name} is missing or not a whole number")


def date_time(name: str) -> Key:
    """Return the key of a date such as 2018-07-07 or 2018-07-07 22:09:11 (UTC), of sane years."""
    first, end = (f"TIMESTAMP '{year}-01-01'" for year in (FIRST_YEAR, LAST_YEAR + 1))
    inside = f"{{}} >= {first} AND {{}} < {end}"
    checks = ((inside, f"{name} is outside the years {FIRST_YEAR} to {LAST_YEAR}"),)
    key = Key(name, pa.timestamp("us"), sql="TRY_CAST({} AS TIMESTAMP)", checks=checks)
    return required(key, f"{name} is missing or not a date")


@dataclass(frozen=True)
class JsonLines:
    """The form of a file of JSON lines; other keys than those named are left out.

    Of a key that an object repeats, the first counts. What stands behind `keys` is never read, so
    keys that no table needs cost little.
    """

    keys: tuple[Key, ...]
    header: bool = False
    encoding: str = "utf-8"
    # To plan a query takes as long as to read a megabyte or two.
    block_bytes: ClassVar[int] = 12 << 20
    what: ClassVar[tuple[str, str]] = ("not JSON", "not a JSON object")

    @property
    def schema(self) -> pa.Schema:
        """The columns of the good rows, then `line`."""
        return pa.schema([*((key.name, key.type) for key in self.keys), ("line", pa.int64())])

    def with_text_ids(self) -> "JsonLines":
        """Return the same form: ids are always text."""
        return self

    def header_error(self, line: bytes) -> str | None:
        """Return None: there is no header."""
        return None

    def parse(self, block: Block) -> Parsed:
        """Read a block."""
        lines, rejected = self.objects(block)
        table, query, reasons = self._fine(lines, rejected, block), self._query, self._reasons
        try:
            rows = run(query, table)
        except duckdb.Error:  # a line is no JSON, which fails the whole query
            lines, rejected = self.objects(block, every_line=True)
            table, query, reasons = (
                self._fine(lines, rejected, block),
                *map(_guarded, (query, reasons)),
            )
            rows = run(query, table)
        fine, numbers = rows.column("fine"), table.column("line")
        if not pc.all(fine).as_py():
            bad = run(reasons, table.filter(pc.invert(fine)))
            rejected |= zip(bad["line"].to_pylist(), bad["wrong"].to_pylist(), strict=True)
            rows, numbers = rows.filter(fine), numbers.filter(fine)
        columns = []
        for key in self.keys:
            column = rows.column(key.name).combine_chunks().cast(key.type)
            columns.append(key.clean(column) if key.clean else column)
        table = pa.table([*columns, numbers], schema=self.schema)
        return Parsed(table.to_batches(), sorted(rejected.items()))

    def objects(self, block: Block, every_line: bool = False) -> tuple[pa.Array, dict[int, str]]:
        """Return the lines of a block as JSON, and the reasons for those that cannot be that.

        every_line: whether a look at each single line is worth its time, as some are broken.
        """
        return lines_of_text(block)

    def _fine(self, lines: pa.Array, rejected: dict[int, str], block: Block) -> pa.Table:
        """Return `object` and `line` of those lines that are not rejected."""
        numbers = np.arange(block.first, block.first + len(lines))
        table = pa.table({"object": lines, "line": numbers})
        if rejected:
            table = table.filter(pa.array(np.isin(numbers, list(rejected), invert=True)))
        return table

    @cached_property
    def _query(self) -> str:
        """The SQL that reads lines, and fails if one of them is no JSON.

        It gives the columns and `fine`: whether all checks hold.
        """
        fine = " AND ".join(condition for condition, _ in self._checks) or "TRUE"
        return f"SELECT *, {fine} AS fine FROM (SELECT {self._values} FROM ({self._read('')}))"

    @cached_property
    def _reasons(self) -> str:
        """The SQL that says of lines that are not fine what is wrong: `line` and `wrong`."""
        shape_checks = [
            ("trim(object, ' \t\r\n') <> ''", "empty line"),
            ("json_valid(object)", self.what[0]),
            ("json_type(object) = 'OBJECT'", self.what[1]),
        ]
        cases = " ".join(
            f"WHEN NOT {condition} THEN '{reason}'"
            for condition, reason in [*shape_checks, *self._checks]
        )
        return (
            f"SELECT line, CASE {cases} END AS wrong "
            f"FROM (SELECT {self._values}, line, object FROM ({self._read(', line, object')}))"
        )

    @property
    def _values(self) -> str:
        return ", ".join(f'{_of(key, key.sql)} AS "{key.name}"' for key in self.keys)

    @property
    def _checks(self) -> list[tuple[str, str]]:
        """Conditions that are never null, and reasons."""
        return [
            (f"coalesce({_of(key, sql)}, TRUE)", reason)
            for key in self.keys
            for sql, reason in key.checks
        ]

    def _read(self, others: str) -> str:
        """Return the SQL that reads the keys, and gives the other columns as well."""
        if any(key.form != "VARCHAR" for key in self.keys):
            shape = json.dumps({key.name: key.form for key in self.keys}).replace("'", "''")
            return f"SELECT unnest(from_json({_OBJECT}, '{shape}')){others} FROM lines"
        # Of texts alone it is quicker to make a list.
        places = ", ".join(f"'$.\"{key.name}\"'" for key in self.keys)
        names = ", ".join(f'found[{i}] AS "{key.name}"' for i, key in enumerate(self.keys, 1))
        return (
            f"SELECT {names}{others} FROM "
            f"(SELECT json_extract_string({_OBJECT}, [{places}]) AS found{others} FROM lines)"
        )


_OBJECT = "object::VARCHAR"


def _guarded(query: str) -> str:
    """Return the same SQL for lines of which some may be no JSON."""
    return query.replace(_OBJECT, "CASE WHEN json_valid(object) THEN object END")


def _of(key: Key, sql: str) -> str:
    return sql.replace("{}", f'"{key.name}"')


def keys_in(file: RawFile) -> list[str]:
    """Return the keys of the objects at the beginning of a file, each once."""
    block = next(read_blocks(file), None)
    found: dict[str, None] = {}
    for line in block.lines() if block else ():
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            found |= dict.fromkeys(value)
    return list(found)


def run(query: str, lines: pa.Table) -> pa.Table:
    """Return what a query of the table `lines` gives. May be called from several threads."""
    try:
        connection = _databases.get_nowait()
    except Empty:
        connection = duckdb.connect(config={"threads": 1})
        connection.execute("SET enable_progress_bar = false")
    connection.register("lines", lines)
    try:
        return connection.sql(query).to_arrow_table()
    finally:
        connection.unregister("lines")
        _databases.put(connection)


def valid_json(lines: pa.Array) -> np.ndarray:
    """Return for each text whether it is JSON (bool); a null is not."""
    table = pa.table({"object": lines, "line": np.arange(len(lines))})
    query = "SELECT coalesce(json_valid(object), FALSE) AS fine, line FROM lines ORDER BY line"
    return run(query, table).column("fine").to_numpy()


def lines_of_text(block: Block) -> tuple[pa.Array, dict[int, str]]:
    """Return the lines of a block as an array of text, and by line number why one is no text.

    A line keeps its line end. The texts are the bytes of the block themselves, not copies.
    """
    data, first = block.data, block.first
    offsets = np.concatenate([[0], block.ends + 1]).astype(np.int64)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    lines = pa.Array.from_buffers(pa.large_string(), len(offsets) - 1, buffers)
    if data.isascii() or _is_utf8(data):
        return lines, {}
    wrong = [not _is_utf8(data[start:end]) for start, end in pairwise(offsets)]
    rejected = {first + int(place): "not UTF-8 text" for place in np.flatnonzero(wrong)}
    return pc.if_else(pa.array(wrong), pa.scalar(None, pa.large_string()), lines), rejected


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
