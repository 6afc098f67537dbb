"""Which users, items and candidates become examples: sampling in DuckDB.

Every choice is made by a hash of the seed and the ids, so it depends neither on the number of
threads nor on the order of rows. The order of a user's items is the order of the interactions
table, which is by time where a source has times. Where a source has domains, a user's life in each
domain stands by itself: an example never mixes them, and domains take turns until there are enough
examples.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import duckdb

from itdr.errors import DataError, MissingFileError
from itdr.settings.task import LikedItemsSampling, NextItemsSampling, RatingSampling, Sampling

_DRAWS = 64  # candidates drawn per user, of which the untouched ones are kept


@dataclass(frozen=True)
class Draw:
    """How many examples are drawn, and how.

    Attributes:
        examples: most examples; one a user and domain.
        negatives: "uniform" draws every item alike, "popularity" in proportion to how often it
            was chosen.
        seed: changes every choice.
        salt: makes the choices of one task independent of another's.
        attributes: columns of the users table that must be known.
        liked: lowest rating of a liked item; None takes the most played items instead.
    """

    examples: int
    negatives: Literal["uniform", "popularity"]
    seed: int
    salt: str
    attributes: tuple[str, ...] = ()
    liked: float | None = None


def sample(
    tables: Path, sampling: Sampling, draw: Draw, threads: int | None = None
) -> list[dict[str, Any]]:
    """Return one dictionary per example, ordered by user_id and domain.

    Each has user_id, domain (None where the source has none) and history (list of items, oldest
    first; most played first where plays decide), and as the kind of sampling has it target (an
    item), positives and candidates (lists of items), or attributes (name: value). An item has
    item_id, title, categories, rating, plays.

    Raises:
        MissingFileError: a table is not there.
        DataError: a table cannot be read.
    """
    with _connect(tables, threads) as connection:
        if isinstance(sampling, RatingSampling):
            rows = _rating(connection, sampling, draw)
        elif isinstance(sampling, NextItemsSampling):
            rows = _next_items(connection, sampling, draw)
        else:
            rows = _liked_items(connection, sampling, draw)
    for row in rows:
        row["domain"] = row["domain"] or None
    return rows


@contextmanager
def _connect(tables: Path, threads: int | None) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect(config={"threads": threads} if threads else {})
    try:
        for name in ("interactions", "items", "users"):
            path = tables / f"{name}.parquet"
            if not path.is_file():
                raise MissingFileError(f"{path}: no such table. Run 'itdr normalise' first.")
            connection.read_parquet(str(path), file_row_number=True).create_view(name)
        yield connection
    except duckdb.Error as error:
        raise DataError(f"{tables}: the tables cannot be read: {error}") from error
    finally:
        connection.close()


def _rating(
    connection: duckdb.DuckDBPyConnection, sampling: RatingSampling, draw: Draw
) -> list[dict[str, Any]]:
    _steps(connection, "i.rating IS NOT NULL")
    _choose_users(connection, draw, sampling.min_history + 1)
    return _fetch(
        connection,
        """
        SELECT user_id, domain,
            list(item ORDER BY back DESC) FILTER (back > 1) AS history,
            first(item) FILTER (back = 1) AS target
        FROM chosen_steps WHERE back <= $history + 1 GROUP BY ALL ORDER BY user_id, domain
        """,
        history=sampling.history,
    )


def _next_items(
    connection: duckdb.DuckDBPyConnection, sampling: NextItemsSampling, draw: Draw
) -> list[dict[str, Any]]:
    _steps(connection, "TRUE")
    _choose_users(connection, draw, sampling.history + sampling.positives)
    _negatives(connection, draw)
    rows = _fetch(
        connection,
        """
        WITH shown AS (
            SELECT user_id, domain,
                list(item ORDER BY back DESC) FILTER (back > $positives) AS history,
                list(item ORDER BY back DESC) FILTER (back <= $positives) AS positives
            FROM chosen_steps WHERE back <= $history + $positives GROUP BY ALL
        ), untouched AS (
            SELECT user_id, domain, list(item ORDER BY place) AS negatives
            FROM negatives WHERE place <= $negatives GROUP BY ALL
            HAVING count(*) = $negatives
        )
        SELECT user_id, domain, history, positives,
            list_sort(list_transform(list_concat(positives, negatives), lambda item: struct_pack(
                mark := md5(concat_ws(':', $seed, $salt, 'order', user_id, item.item_id)),
                item := item))) AS marked
        FROM shown JOIN untouched USING (user_id, domain)
        WHERE len(list_distinct(list_transform(positives, lambda item: item.title))) = $positives
        ORDER BY user_id, domain
        """,
        history=sampling.history,
        positives=sampling.positives,
        negatives=sampling.negatives,
        seed=draw.seed,
        salt=draw.salt,
    )
    for row in rows:
        row["candidates"] = [marked["item"] for marked in row.pop("marked")]
    return rows


def _liked_items(
    connection: duckdb.DuckDBPyConnection, sampling: LikedItemsSampling, draw: Draw
) -> list[dict[str, Any]]:
    if draw.liked is None:
        _steps_by_plays(connection)
    else:
        _steps(connection, f"i.rating >= {float(draw.liked)}")
    _choose_users(connection, draw, sampling.min_history)
    columns = ", ".join(_quoted(name) for name in draw.attributes)
    forward = "back DESC" if draw.liked is not None else "back"
    rows = _fetch(
        connection,
        f"""
        SELECT user_id, domain, history, {columns} FROM (
            SELECT user_id, domain, list(item ORDER BY {forward}) AS history
            FROM chosen_steps WHERE back <= $history GROUP BY ALL
        ) JOIN users USING (user_id) ORDER BY user_id, domain
        """,
        history=sampling.history,
    )
    for row in rows:
        row["attributes"] = {name: row.pop(name) for name in draw.attributes}
    return rows


_TITLED = """(
    SELECT item_id, trim(regexp_replace(title, '\\s+', ' ', 'g')) AS title, categories
    FROM items WHERE trim(title) <> ''
)"""
"""The items that can be shown, with titles of one line."""


def _steps(connection: duckdb.DuckDBPyConnection, condition: str) -> None:
    """Make the view of all steps that can be shown, `step` growing with time."""
    connection.execute(
        f"""
        CREATE VIEW steps AS
        SELECT i.user_id, coalesce(i.domain, '') AS domain, i.file_row_number AS step, i.item_id,
            t.title, t.categories, i.rating, i.plays
        FROM interactions i JOIN {_TITLED} t USING (item_id) WHERE {condition}
        """
    )


def _steps_by_plays(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the view of all items of a user, `step` growing with how often they were played."""
    connection.execute(
        f"""
        CREATE VIEW steps AS
        SELECT user_id, domain, row_number() OVER (
                PARTITION BY user_id, domain ORDER BY plays, item_id DESC) AS step,
            item_id, title, categories, NULL::DOUBLE AS rating, plays
        FROM (SELECT user_id, coalesce(domain, '') AS domain, item_id,
                sum(coalesce(plays, 1))::BIGINT AS plays FROM interactions GROUP BY ALL)
        JOIN {_TITLED} t USING (item_id)
        """
    )


def _choose_users(connection: duckdb.DuckDBPyConnection, draw: Draw, least: int) -> None:
    """Make tables of the chosen users and of their steps, the last step having back = 1."""
    known = " AND ".join(f"{_quoted(name)} IS NOT NULL" for name in draw.attributes) or "TRUE"
    connection.execute(
        f"""
        CREATE TABLE chosen AS
        SELECT user_id, domain FROM (
            SELECT user_id, domain, md5(concat_ws(':', $seed, $salt, 'user', user_id)) AS mark
            FROM steps WHERE user_id IN (SELECT user_id FROM users WHERE {known})
            GROUP BY user_id, domain HAVING count(*) >= $least
        )
        ORDER BY row_number() OVER (PARTITION BY domain ORDER BY mark, user_id), domain
        LIMIT $examples
        """,
        {"least": least, "seed": draw.seed, "salt": draw.salt, "examples": draw.examples},
    )
    connection.execute(
        """
        CREATE TABLE chosen_steps AS
        SELECT user_id, domain,
            row_number() OVER (PARTITION BY user_id, domain ORDER BY step DESC) AS back,
            struct_pack(item_id := item_id, title := title, categories := categories,
                        rating := rating, plays := plays) AS item
        FROM steps SEMI JOIN chosen USING (user_id, domain)
        """
    )


def _negatives(connection: duckdb.DuckDBPyConnection, draw: Draw) -> None:
    """Make the table of drawn items that the user never touched, best place first.

    An item is touched when it occurs anywhere in the user's interactions, whatever its title; an
    item that shares the title of a touched one counts as touched, because a reader of the list
    could not tell them apart.
    """
    weight, total = (
        ("count(*)", "count(*)")
        if draw.negatives == "popularity"
        else ("1", "count(DISTINCT item_id)")
    )
    connection.execute(
        f"""
        CREATE TABLE pool AS
        SELECT domain, item_id, title, categories,
            sum(weight) OVER (PARTITION BY domain ORDER BY item_id) - weight AS start
        FROM (SELECT domain, item_id, any_value(title) AS title,
                any_value(categories) AS categories, {weight} AS weight
            FROM steps GROUP BY domain, item_id)
        """
    )
    connection.execute(
        f"""
        CREATE TABLE negatives AS
        WITH totals AS (
            SELECT domain, {total}::UBIGINT AS total FROM steps GROUP BY domain
        ), draws AS (
            SELECT user_id, domain, draw, md5_number_lower(
                concat_ws(':', $seed, $salt, 'negative', user_id, domain, draw)) % total AS slot
            FROM chosen JOIN totals USING (domain), range({_DRAWS}) AS draws(draw)
        ), drawn AS (
            SELECT draws.user_id, draws.domain, min(draws.draw) AS draw, pool.item_id, pool.title,
                pool.categories
            FROM draws ASOF JOIN pool
            ON draws.domain = pool.domain AND draws.slot >= pool.start
            GROUP BY ALL
        ), touched AS (
            SELECT user_id, item_id, NULL AS title
            FROM interactions SEMI JOIN chosen USING (user_id)
            UNION SELECT user_id, NULL, item.title FROM chosen_steps
        )
        SELECT user_id, domain,
            row_number() OVER (PARTITION BY user_id, domain ORDER BY draw) AS place,
            struct_pack(item_id := item_id, title := title, categories := categories,
                        rating := NULL::DOUBLE, plays := NULL::BIGINT) AS item
        FROM (SELECT * FROM drawn QUALIFY
            row_number() OVER (PARTITION BY user_id, domain, title ORDER BY draw) = 1) d
        WHERE NOT EXISTS (FROM touched t WHERE t.user_id = d.user_id AND t.item_id = d.item_id)
          AND NOT EXISTS (FROM touched t WHERE t.user_id = d.user_id AND t.title = d.title)
        """,
        {"seed": draw.seed, "salt": draw.salt},
    )


def _fetch(
    connection: duckdb.DuckDBPyConnection, query: str, **values: Any
) -> list[dict[str, Any]]:
    result = connection.execute(query, values)
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
