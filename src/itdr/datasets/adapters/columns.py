"""Datasets of one's own: a mapping of columns, as a dataset's file has it, in place of an adapter.

A file is read once, whichever tables come from it. Where the items or users stand in the file of
the interactions, the first row of each tells what is known of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import cast

import pyarrow as pa

from itdr.datasets.adapters.adapter import Adapter
from itdr.datasets.readers.cells import TextList, Unused
from itdr.datasets.readers.context import Format, NormalisationContext
from itdr.datasets.readers.delimited import Delimited
from itdr.datasets.readers.fields import Code, Field, Identifier, Number
from itdr.datasets.readers.files import RawFile, refuse_stand_in
from itdr.datasets.readers.json_lines import JsonLines, Key, keys_in
from itdr.datasets.readers.mapped import Mapped, Target
from itdr.datasets.readers.multiline import MultilineCsv
from itdr.datasets.readers.parquet import MappedParquet, ParquetRows, opened_parquet
from itdr.datasets.readers.text import Text
from itdr.datasets.readers.times import IsoTime, PatternTime, TimeNumber
from itdr.datasets.tables.schema import Scale
from itdr.errors import MissingFileError, SettingsError, nearest
from itdr.registry import READERS
from itdr.settings.columns import (
    FORMATS,
    Column,
    ColumnsSettings,
    ListColumn,
    RatingColumn,
    TableColumns,
    TextColumn,
    TimeColumn,
    format_of,
    matching,
)
from itdr.settings.dataset import DatasetSettings

_IDS = ("user_id", "item_id")
_PROSE = ("title", "description", "review_title", "review")

_MOST = {
    "position": 2.0**31 - 1,
    "plays": 2.0**53,
    "year": 9999.0,
    "age": 150.0,
    "birth_year": 2100.0,
}
"""Highest whole number of a column; the lowest is 0."""

_MOST_DOLLARS = 1e9

_TYPES = {"position": "INTEGER", "plays": "BIGINT", "year": "INTEGER", "age": "INTEGER",
          "birth_year": "INTEGER"}  # fmt: skip

_PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6}


@dataclass(frozen=True)
class _Wanted:
    """A column of a table: its place in the mapping, what it is read as, and its SQL."""

    key: str
    column: Column
    field: Field
    sql: str = "{}"


def adapter_of(dataset: DatasetSettings) -> Adapter:
    """Return what reads a dataset: the adapter that its file names, or one made of its columns.

    Raises:
        SettingsError: there is no reader of that name.
    """
    if dataset.columns is None:
        return cast(Adapter, READERS.find(dataset.reader or "", f"{dataset.id}: "))
    columns = dataset.columns
    rating = columns.interactions.rating
    scale = Scale(rating.low, rating.high, rating.step) if rating else None
    attributes = tuple(columns.users.attributes) if columns.users else ()
    return Adapter(partial(_load, columns=columns), scale, attributes=attributes)


def _load(context: NormalisationContext, columns: ColumnsSettings) -> None:
    for number, pattern in enumerate(columns.patterns):
        tables = {name: t for name, t in columns.tables.items() if t.file == pattern}
        targets = [
            Target(f"{name}.{wanted.key}", wanted.field, (*table.missing, *wanted.column.missing))
            for name, table in tables.items()
            for wanted in _wanted(table)
        ]
        staged = f"staged_{number}"
        files = _found(context, pattern)
        table = next(iter(tables.values()))
        forms = [(file, _form(file, table, tuple(targets))) for file in files]
        context.load_files(forms, staged)
        for name, table in tables.items():
            _make_view(context, staged, name, table, is_shared=len(tables) > 1)


def _found(context: NormalisationContext, pattern: str) -> list[RawFile]:
    """Return the files that a pattern means."""
    try:
        files = [RawFile(path) for path in matching(context.raw, pattern)]
    except (ValueError, NotImplementedError) as error:
        raise SettingsError(f"{context.dataset}: the file {pattern!r}: {error}.") from error
    if not files:
        there = sorted(path.name for path in context.raw.glob("*") if path.name[0] not in "._")
        raise MissingFileError(
            f"{context.raw}: no {pattern} (or {pattern}.gz), which {context.dataset} needs."
            f"{nearest(pattern, there)} Here are {', '.join(there[:20]) or 'no files'}."
        )
    for file in files:
        refuse_stand_in(file, context.dataset)
    return files


def _wanted(table: TableColumns) -> Iterator[_Wanted]:
    """Yield the columns of a table that the mapping names."""
    for key in type(table).model_fields:
        value = getattr(table, key)
        if key in TableColumns.model_fields or value is None:
            continue
        if key == "attributes":
            for name, column in value.items():
                yield _Wanted(f"attributes.{name}", column, _text(column, Field))
        else:
            yield _column(key, value)


def _column(key: str, column: Column) -> _Wanted:
    name, sql = column.column, "{}"
    field: Field
    if isinstance(column, TimeColumn):
        field, sql = _time(column)
    elif isinstance(column, RatingColumn):
        field = Number(name, low=column.low, high=column.high, step=column.step)
    elif isinstance(column, ListColumn):
        field, sql = TextList(name, separator=column.separator), "coalesce({}, [])"
    elif isinstance(column, TextColumn):
        field = _text(column, Text if key in _PROSE else Field)
    elif key in _IDS:
        field = Identifier(name)
    elif key in _MOST:
        field = Number(name, low=0.0, high=_MOST[key], step=1.0)
        sql = f"{{}}::{_TYPES[key]}"
    else:
        field = Number(name, low=0.0, high=_MOST_DOLLARS)
    return _Wanted(key, column, field, sql)


def _text(column: TextColumn, kind: type[Field]) -> Field:
    if column.values:
        return Code(column.column, names=column.values)
    return kind(column.column)


def _time(column: TimeColumn) -> tuple[Field, str]:
    name, unit = column.column, column.unit
    if unit in _PER_SECOND:
        factor = 1e6 / _PER_SECOND[unit]
        sql = f"make_timestamp(round({{}} * {factor:.0f})::BIGINT)"
        return TimeNumber(name, per_second=_PER_SECOND[unit]), sql
    return IsoTime(name) if unit == "iso" else PatternTime(name, pattern=unit), "{}"


def _form(file: RawFile, table: TableColumns, targets: tuple[Target, ...]) -> Format:
    """Return how a file is read, its columns found by their names.

    Raises:
        SettingsError: it lacks a column, or its format cannot be told.
    """
    names = tuple(dict.fromkeys(target.field.name for target in targets))
    kind = table.format or format_of(str(file))
    if kind is None:
        raise SettingsError(
            f"{file}: the format cannot be told from the name. Say 'format' (csv, tsv, json_lines, "
            f"parquet), or let the name end in {', '.join(FORMATS)}."
        )
    if kind == "parquet":
        with opened_parquet(file) as found:
            _require(file, names, found.schema_arrow.names)
        return cast(Format, MappedParquet(ParquetRows(names), targets))
    if kind == "json_lines":
        _require(file, names, keys_in(file))
        _require_plain_keys(file, names)
        return cast(Format, Mapped(JsonLines(tuple(Key(n, pa.string()) for n in names)), targets))
    return cast(Format, Mapped(_delimited(file, table, kind, names), targets))


def _delimited(file: RawFile, table: TableColumns, kind: str, names: tuple[str, ...]) -> Delimited:
    separator = table.separator or ("\t" if kind == "tsv" else ",")
    form = MultilineCsv if table.quoted else Delimited
    empty = form((), separator, table.quoted, not table.header, table.encoding)
    found = list(table.header) or empty.names_in(file)
    _require(file, names, found)
    unused = "unused " + "_" * max(map(len, found))  # longer than any name
    fields = tuple(Field(n) if n in names else Unused(f"{unused}{i}") for i, n in enumerate(found))
    return form(fields, separator, table.quoted, not table.header, table.encoding)


def _require_plain_keys(file: RawFile, names: tuple[str, ...]) -> None:
    """Refuse keys that SQL cannot tell apart or take in quotes."""
    for place, name in enumerate(names):
        if set(name) & set("\"'\\{}") or name.lower() in map(str.lower, names[:place]):
            raise SettingsError(
                f"{file}: the key {name!r} cannot be read: it has a quote, brace or backslash, or "
                "differs from another one in capitals alone. Rename it in the file."
            )


def _require(file: RawFile, names: tuple[str, ...], found: list[str]) -> None:
    """Refuse a mapping to columns that a file does not have, or has twice."""
    for name in names:
        if found.count(name) != 1:
            number = "no column" if name not in found else "more than one column"
            raise SettingsError(
                f"{file}: {number} {name!r}.{nearest(name, found)} Its columns are "
                f"{', '.join(found)[:1000] or 'none'}. Correct 'columns' in the dataset's file."
            )


def _make_view(
    context: NormalisationContext, staged: str, name: str, table: TableColumns, is_shared: bool
) -> None:
    """Make the view of a table; of items and users in a shared file the first rows are taken."""
    columns, pairs = [], []
    for wanted in _wanted(table):
        value = wanted.sql.format(f'"{name}.{wanted.key}"')
        kind, _, attribute = wanted.key.partition(".")
        if kind != "attributes":
            columns.append(f"{value} AS {wanted.key}")
        elif name == "users":
            columns.append(f'{value} AS "{attribute}"')
        else:
            pairs.append(f"('{attribute}', {value})")
    if pairs:
        known = f"list_filter([{', '.join(pairs)}], lambda pair: pair[2] IS NOT NULL)"
        columns.append(
            f"CASE WHEN len({known}) > 0 THEN map_from_entries({known}) END AS attributes"
        )
    key = f'"{name}.{name.removesuffix("s")}_id"'
    first = f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY file, line) = 1"
    context.query(
        f"CREATE VIEW {name} AS SELECT {', '.join(columns)}, file, line FROM {staged} "
        f"{first if is_shared and name != 'interactions' else ''}"
    )
