"""What recommenders may see: all interactions but what comes after the cut of an example.

Of everybody who has no example in the test part all interactions are seen. Of a user who has one,
whether it is answered or not, those before the first item that the example asks for: what the user
did at the same moment counts as later, unless the example shows it. Editions of an item asked for,
those of the same title, are hidden too. Where the source has no order in time, nothing is later,
and the items asked for are hidden alone. With a global time split, nothing from the beginning of
the test part on is seen of anybody.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from itdr.errors import DataError, MissingFileError
from itdr.files.atomic import writing
from itdr.files.checksums import check_parquet
from itdr.recommenders.interactions import Interactions

Record = Mapping[str, Any]

_NAMED = pa.schema(
    [("id", pa.string()), ("user_id", pa.string()), ("item_id", pa.string()), ("role", pa.string())]
)
_TITLE = "lower(trim(regexp_replace(title, '\\s+', ' ', 'g')))"


@dataclass(frozen=True)
class Visible:
    """The interactions that may be seen, and the numbers of the users and items of the examples."""

    interactions: Interactions
    users: dict[str, int]
    items: dict[str, int]


def visible_interactions(
    tables: Path,
    examples: Sequence[Record],
    *,
    before: datetime | None = None,
    shown_alone: bool = False,
    memory_limit_mb: int = 3072,
) -> Visible:
    """Return what may be seen for the examples of a test part, all of them (columns: RECORD).

    Args:
        tables: the folder of one dataset's tables.
        examples: all rows of the test part of one cell.
        before: with a global time split, when the test part begins; later interactions are hidden.
        shown_alone: whether of test users no more is seen than the items that their example shows,
            which is what a language model is told.
        memory_limit_mb: memory of the queries in MB; the rest is spilled to disk.

    Raises:
        MissingFileError: a table is not there.
        DataError: a table cannot be read, `before` is given and there are no times, or a user of
            the examples has no interaction with an item asked for.
    """
    with TemporaryDirectory(prefix="itdr-") as spill, writing(Path(spill)):
        config: dict[str, Any] = {"temp_directory": spill, "memory_limit": f"{memory_limit_mb}MB"}
        connection = duckdb.connect(config=config)
        try:
            _open(connection, tables, examples)
            ordered = _ordered(connection, tables, before)
            _hide(connection, tables, ordered, shown_alone)
            return _numbered(connection, ordered, before)
        except duckdb.Error as error:
            raise DataError(f"{tables}: the tables cannot be read: {error}") from error
        finally:
            connection.close()


def _open(connection: duckdb.DuckDBPyConnection, tables: Path, examples: Sequence[Record]) -> None:
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET TimeZone = 'UTC'")
    for name in ("interactions", "items"):
        path = tables / f"{name}.parquet"
        if not path.is_file():
            raise MissingFileError(f"{path}: no such table. Run 'itdr normalise' first.")
        check_parquet(path)
        connection.read_parquet(str(path), file_row_number=True).create_view(name)
    named = pa.Table.from_pylist(list(_named(examples)), schema=_NAMED)
    connection.register("named_view", named)
    connection.execute("CREATE TABLE named AS FROM named_view")


def _named(examples: Sequence[Record]) -> Iterator[dict[str, str]]:
    for example in examples:
        common = {"id": example["id"], "user_id": example["user_id"]}
        targets = example["targets"] or []
        shown = [item["item_id"] for item in example["history"] or []]
        others = [item["item_id"] for item in example["candidates"] or []]
        for role, items in (("target", targets), ("shown", shown), ("candidate", others)):
            for item in items:
                yield common | {"item_id": item, "role": role}


def _ordered(connection: duckdb.DuckDBPyConnection, tables: Path, before: datetime | None) -> bool:
    """Say whether the source has an order in time."""
    row = connection.execute(
        "SELECT count(timestamp), count(position) FROM interactions"
    ).fetchone()
    times, positions = row or (0, 0)
    if before is not None and not times:
        raise DataError(f"{tables}: no interaction has a time, so none can be before {before}.")
    return times + positions > 0


def _hide(
    connection: duckdb.DuckDBPyConnection, tables: Path, ordered: bool, shown_alone: bool
) -> None:
    """Make the table hidden: the rows of the interactions that may not be seen."""
    connection.execute(
        f"""
        CREATE TABLE own AS
        SELECT user_id, item_id, file_row_number AS row, {_TITLE} AS title, rank() OVER (
            PARTITION BY user_id ORDER BY position NULLS LAST, timestamp NULLS LAST) AS step
        FROM interactions LEFT JOIN (SELECT item_id, title FROM items) USING (item_id)
        WHERE user_id IN (SELECT user_id FROM named)
        """
    )
    strangers = connection.execute(
        """
        SELECT id, item_id FROM named WHERE role = 'target' AND (user_id, item_id) NOT IN
            (SELECT (user_id, item_id) FROM own) ORDER BY ALL LIMIT 1
        """
    ).fetchone()
    if strangers:
        raise DataError(
            f"{tables}: example {strangers[0]} asks for item {strangers[1]!r}, which the user has"
            " not in the interactions. Give the tables that the examples were built from."
        )
    later = "step > cut OR step = cut AND NOT shown" if ordered else "FALSE"
    unshown = "NOT shown" if shown_alone else "FALSE"
    connection.execute(
        f"""
        CREATE TABLE hidden AS
        WITH roles AS (
            SELECT user_id, item_id, bool_or(role = 'target') AS target,
                bool_or(role = 'shown') AS shown FROM named GROUP BY ALL
        ), marked AS (
            SELECT own.*, coalesce(target, FALSE) AS target, coalesce(shown, FALSE) AS shown
            FROM own LEFT JOIN roles USING (user_id, item_id)
        ), cuts AS (
            SELECT user_id, min(step) AS cut, list(title) AS titles FROM marked WHERE target
            GROUP BY user_id
        )
        SELECT row FROM marked JOIN cuts USING (user_id)
        WHERE {later} OR {unshown} OR target OR coalesce(list_contains(titles, title), FALSE)
        """
    )


def _numbered(
    connection: duckdb.DuckDBPyConnection, ordered: bool, before: datetime | None
) -> Visible:
    """Return what is left, users and items as numbers in the order of their ids."""
    condition = "TRUE" if before is None else "(timestamp IS NULL OR timestamp < $before)"
    connection.execute(
        f"""
        CREATE TABLE seen AS
        SELECT user_id, item_id, rating, file_row_number AS row FROM interactions
        WHERE file_row_number NOT IN (SELECT row FROM hidden) AND {condition}
        """,
        {"before": before} if before is not None else None,
    )
    for name in ("user", "item"):
        connection.execute(
            f"""
            CREATE TABLE {name}_numbers AS
            SELECT id, (row_number() OVER (ORDER BY id) - 1)::INTEGER AS {name} FROM (
                SELECT {name}_id AS id FROM seen UNION SELECT {name}_id FROM named)
            """
        )
    # Without an order, that of the file is one by id, which a sequence model must not learn.
    order = "row" if ordered else "md5_number_lower(concat_ws(':', user_id, item_id))"
    columns = connection.execute(
        f"""
        SELECT u.user, i.item, coalesce(rating, 'nan'::DOUBLE)::FLOAT AS rating
        FROM seen JOIN user_numbers u ON user_id = u.id JOIN item_numbers i ON item_id = i.id
        ORDER BY u.user, {order}
        """
    ).fetchnumpy()
    numbers = {
        name: dict(
            connection.execute(
                f"SELECT id, {name} FROM {name}_numbers WHERE id IN (SELECT {name}_id FROM named)"
            ).fetchall()
        )
        for name in ("user", "item")
    }
    sizes = {
        name: connection.execute(f"SELECT count(*) FROM {name}_numbers").fetchall()[0][0]
        for name in ("user", "item")
    }
    interactions = Interactions(
        np.asarray(columns["user"]),
        np.asarray(columns["item"]),
        np.asarray(columns["rating"]),
        sizes["user"],
        sizes["item"],
        np.array(sorted(numbers["item"].values()), np.int32),
    )
    return Visible(interactions, numbers["user"], numbers["item"])
