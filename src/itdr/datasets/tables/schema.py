"""The three tables that every source is brought to, and the check that each written file passes."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from itdr.errors import DataError

TEXT = pa.string()
UTC_TIME = pa.timestamp("us", "UTC")

INTERACTIONS = pa.schema(
    [
        pa.field("user_id", TEXT, nullable=False),
        pa.field("item_id", TEXT, nullable=False),
        pa.field("domain", TEXT),
        pa.field("rating", pa.float64()),
        pa.field("timestamp", UTC_TIME),
        pa.field("position", pa.int32()),
        pa.field("plays", pa.int64()),
        pa.field("review_title", TEXT),
        pa.field("review", TEXT),
    ]
)
"""What one user did with one item.

user_id, item_id: the source's own ids as text, leading zeros kept.
domain: the part of the source that the item belongs to (Amazon); null where there are none.
rating: the user's rating on the source's scale; null where the row is no rating.
timestamp: when, in UTC; null where the source has no times.
position: place in the user's own sequence, from 0, where the source gives an order without times.
plays: how often the user played the item, where the source gives totals.
review_title, review: the user's words, as text without markup.

Rows are ordered by user_id, position, timestamp, item_id and then by their place in the raw files;
nulls come last, and of two ids the shorter one comes first, so that numbers stand in their own
order. A pair (user_id, item_id) stands once.
"""

ITEMS = pa.schema(
    [
        pa.field("item_id", TEXT, nullable=False),
        pa.field("domain", TEXT),
        pa.field("title", TEXT),
        pa.field("categories", pa.list_(TEXT), nullable=False),
        pa.field("description", TEXT),
        pa.field("creator", TEXT),
        pa.field("year", pa.int32()),
        pa.field("price", pa.float64()),
        pa.field("attributes", pa.map_(TEXT, TEXT)),
    ]
)
"""What is known of one item; item_id is unique, rows are ordered by it, the shorter id first.

title: without blanks at its ends; null where the source has none.
categories: genres, tags or categories in the source's order; [] where there are none.
creator: author, artist, studio, developer or brand.
year: of release or publication. price: in US dollars.
attributes: further properties by name, as text ("city": "Tampa"); null where there are none.
"""

USERS = pa.schema(
    [
        pa.field("user_id", TEXT, nullable=False),
        pa.field("gender", TEXT),
        pa.field("age", pa.int32()),
        pa.field("age_group", TEXT),
        pa.field("birth_year", pa.int32()),
        pa.field("occupation", TEXT),
        pa.field("country", TEXT),
        pa.field("location", TEXT),
    ]
)
"""What is known of one user; user_id is unique, rows are ordered by it, the shorter id first.

gender: "female" or "male". age: in years. age_group: a label such as "18-24".
occupation: its name. country: its name. location: the source's own text, such as a postal code.
Further columns are attributes that a dataset's file names, as text.
"""

SCHEMAS = {"interactions": INTERACTIONS, "items": ITEMS, "users": USERS}


def schema_of(table: str, attributes: Iterable[str] = ()) -> pa.Schema:
    """Return the schema of a table; that of users has further attributes as columns of text."""
    schema = SCHEMAS[table]
    for name in attributes if table == "users" else ():
        schema = schema.append(pa.field(name, TEXT))
    return schema


FIRST_YEAR, LAST_YEAR = 1990, 2099
"""Times outside these years are taken for damage."""


@dataclass(frozen=True)
class Scale:
    """The ratings that a source allows: low, low + step, ..., high."""

    low: float
    high: float
    step: float


def with_metadata(schema: pa.Schema, dataset: str, scale: Scale | None) -> pa.Schema:
    """Return the schema with the dataset id and the rating scale (JSON or "null") as metadata."""
    value = json.dumps(asdict(scale) if scale else None)
    return schema.with_metadata({"dataset": dataset, "rating_scale": value})


def with_statistics(schema: pa.Schema) -> list[str]:
    """Return the columns for which Parquet files hold smallest and largest values: not texts.

    To find those of texts takes as long as to write them, and where all texts of a row group are
    the same, DuckDB 2.0 takes from them that none is null and that all are, and answers "IS NULL"
    with every row.
    """
    return [
        field.name
        for field in schema
        if not pa.types.is_nested(field.type) and not pa.types.is_string(field.type)
    ]


def check_table(path: Path, schema: pa.Schema, scale: Scale | None) -> None:
    """Check a written table: columns, keys, ids that stand once, rating scale and years.

    The checks of the interactions read only the statistics in the file's footer, so that they cost
    next to nothing at 32 million rows.

    Raises:
        DataError: the table breaks its own definition, which is a defect of the source's module.
    """
    file = pq.ParquetFile(path)
    found = file.schema_arrow
    if found.names != schema.names or found.types != schema.types:
        raise DataError(f"{path}: columns are\n{found}\nneeded are\n{schema}")
    for field in schema:
        if found.field(field.name).nullable and not field.nullable:
            raise DataError(f"{path}: the column {field.name!r} may have empty cells.")
    if schema is not INTERACTIONS:
        _check_unique(path, schema.names[0])
        return
    low, high = _statistics(file, "rating")
    if scale and low is not None and not (scale.low <= low and high <= scale.high):
        raise DataError(
            f"{path}: ratings run from {low} to {high}; allowed are {scale.low} to {scale.high}."
        )
    first, last = _statistics(file, "timestamp")
    earliest = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
    latest = datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC)
    if first is not None and not (earliest <= first and last < latest):
        raise DataError(
            f"{path}: times run from {first} to {last}; allowed are the years {FIRST_YEAR} to "
            f"{LAST_YEAR}."
        )


def _statistics(file: pq.ParquetFile, name: str) -> tuple:
    """Return the smallest and the largest value of a column; None where all are null."""
    lows, highs = [], []
    position = file.schema_arrow.names.index(name)
    for group in range(file.metadata.num_row_groups):
        statistics = file.metadata.row_group(group).column(position).statistics
        if statistics.has_min_max:
            lows.append(statistics.min)
            highs.append(statistics.max)
    return (min(lows), max(highs)) if lows else (None, None)


def _check_unique(path: Path, key: str) -> None:
    with duckdb.connect() as connection:
        query = f"SELECT {key} FROM read_parquet($path) GROUP BY 1 HAVING count(*) > 1 LIMIT 1"
        repeated = connection.execute(query, {"path": str(path)}).fetchall()
    if repeated:
        raise DataError(f"{path}: the {key} {repeated[0][0]!r} stands more than once.")
