"""Holding examples against the tables that they were drawn from."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from itdr.errors import DataError, MissingFileError
from itdr.files.checksums import check_parquet
from itdr.instructions.audit.faults import Fault, Record, fault
from itdr.instructions.sampling.candidates import KNOWN_SINCE
from itdr.settings.audit import Check
from itdr.vocabulary import Part

_CLAIMS = pa.schema(
    [("row", pa.int64()), ("user_id", pa.string()), ("item_id", pa.string()), ("role", pa.string())]
)
_BEGINNING = 40  # characters; templates show the first sentences of a review
_TITLES = "SELECT item_id, trim(regexp_replace(title, '\\s+', ' ', 'g')) AS title FROM items"


class Tables:
    """The interactions and items of one dataset."""

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        """Open the tables.

        Raises:
            MissingFileError, DataError: a table is not there or damaged.
        """
        self._folder = folder
        self._connection = duckdb.connect(config={"threads": threads} if threads else {})
        for name in ("interactions", "items"):
            path = folder / f"{name}.parquet"
            if not path.is_file():
                raise MissingFileError(f"{path}: no such table. Run 'itdr normalise' first.")
            check_parquet(path)
            self._connection.read_parquet(str(path)).create_view(name)

    def contradictions(self, records: Sequence[Record]) -> Iterator[Fault]:
        """Yield negatives that the user interacted with, and items without interaction."""
        self._register(records)
        query = """
            WITH concerned AS (
                SELECT DISTINCT user_id, item_id FROM interactions
                SEMI JOIN (SELECT DISTINCT user_id FROM claims) USING (user_id)
            )
            SELECT row, role, claims.item_id, concerned.item_id IS NOT NULL
            FROM claims LEFT JOIN concerned USING (user_id, item_id)
            WHERE (role = 'negative') = (concerned.item_id IS NOT NULL) AND role <> 'described'
            UNION ALL
            SELECT row, role, item_id, false FROM claims ANTI JOIN items USING (item_id)
            WHERE role = 'described'
            ORDER BY ALL
        """
        for row, role, item, interacted in self._rows(query):
            record = records[row]
            if interacted:
                why = f"candidate {item!r} is among the items of user {record['user_id']!r}"
                yield fault(Check.INTERACTED_NEGATIVE, record, why)
            else:
                whose = f"user {record['user_id']!r}" if record["user_id"] else "the items table"
                why = f"{role} item {item!r} is not among those of {whose}"
                yield fault(Check.NOT_IN_TABLES, record, why)

    def out_of_time(self, records: Sequence[Record]) -> Iterator[Fault]:
        """Yield negatives from after the last positive, and targets as old as an item shown."""
        self._register(records)
        query = """
            WITH times AS (
                SELECT row, role, item_id, timestamp, position
                FROM claims JOIN interactions USING (user_id, item_id)
            ), asked AS (
                SELECT row, max(timestamp) AS last FROM times WHERE role = 'target' GROUP BY row
            ), since AS (
                SELECT item_id, KNOWN_SINCE AS first
                FROM interactions JOIN items USING (item_id)
                SEMI JOIN (SELECT item_id FROM claims WHERE role = 'negative') USING (item_id)
                GROUP BY item_id
            )
            SELECT row, item_id, make_timestamp(since.first)::VARCHAR, asked.last::VARCHAR
            FROM claims JOIN since USING (item_id) JOIN asked USING (row)
            WHERE role = 'negative' AND since.first > epoch_us(asked.last)
            UNION ALL
            SELECT row, NULL, min(timestamp)::VARCHAR, NULL
            FROM times shown JOIN times asked USING (row, timestamp)
            WHERE shown.role = 'history' AND asked.role = 'target' AND asked.position IS NULL
                AND shown.item_id <> asked.item_id
            GROUP BY row
            ORDER BY ALL
        """.replace("KNOWN_SINCE", KNOWN_SINCE)
        for row, item, moment, last in self._rows(query):
            if item is None:
                yield fault(Check.TIED_TIMES, records[row], f"both at {moment}")
            else:
                why = f"{item!r} is known to exist from {moment} on, the last positive is of "
                yield fault(Check.FUTURE_NEGATIVE, records[row], why + last)

    def held_out_reviews(self, records: Sequence[Record]) -> Iterator[Fault]:
        """Yield described items of the training part that show a test user's review.

        What another user wrote of the same item with the same beginning may be that user's.
        """
        tested = {record["user_id"] for record in records if record["part"] == Part.TEST}
        described = [
            record
            for record in records
            if record["part"] == Part.TRAIN and record["user_id"] is None and record["item_id"]
        ]
        self._connection.register("tested", _texts(user_id=sorted(tested - {None})))
        items = sorted({record["item_id"] for record in described})
        self._connection.register("described", _texts(item_id=items))
        reviews: dict[str, list[tuple[str, str]]] = defaultdict(list)
        query = """
            WITH of_described AS (
                SELECT item_id, user_id, review, user_id IN (FROM tested) AS held_out,
                    trim(regexp_replace(review, '\\s+', ' ', 'g')) AS words
                FROM interactions SEMI JOIN described USING (item_id) WHERE review IS NOT NULL
            )
            SELECT item_id, user_id, review FROM of_described mine WHERE held_out
            AND NOT EXISTS (
                FROM of_described other WHERE NOT other.held_out AND other.item_id = mine.item_id
                AND starts_with(other.words, left(mine.words, BEGINNING))
            ) ORDER BY ALL
        """.replace("BEGINNING", str(_BEGINNING))
        for item, user, review in self._rows(query):
            reviews[item].append((user, review))
        for record in described:
            lines = [" ".join(line.split()) for line in record["input"].splitlines()]
            for user, review in reviews[record["item_id"]]:
                if _stands_in(review, lines):
                    why = f"the review of {record['item_id']!r} by user {user!r} of the test part"
                    yield fault(Check.HELD_OUT_REVIEW, record, why)

    def titles(self, items: Iterable[str]) -> dict[str, str]:
        """Return item_id to title, in one line as examples show it."""
        self._connection.register("wanted", _texts(item_id=sorted(set(items))))
        return dict(self._rows(f"SELECT * FROM ({_TITLES}) SEMI JOIN wanted USING (item_id)"))

    def close(self) -> None:
        """Let go of the tables."""
        self._connection.close()

    def _register(self, records: Sequence[Record]) -> None:
        claims = pa.Table.from_pylist(list(_claims(records)), schema=_CLAIMS)
        self._connection.register("claims", claims)

    def _rows(self, query: str) -> list[tuple]:
        try:
            return self._connection.execute(query).fetchall()
        except duckdb.Error as error:
            raise DataError(f"{self._folder}: the tables cannot be read: {error}") from error


def _texts(**columns: Sequence[str]) -> pa.Table:
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


def _stands_in(review: str, lines: Sequence[str]) -> bool:
    """Say whether a line shows a review, of which a template may show the first sentences alone."""
    words = " ".join(review.split())
    if len(words) < _BEGINNING:
        return bool(words) and any(line.endswith(f" {words}") for line in lines)
    return any(words[:_BEGINNING] in line for line in lines)


def _claims(records: Sequence[Record]) -> Iterator[dict[str, object]]:
    """Yield what examples say about users and items; `row` is the place in `records`."""
    for row, record in enumerate(records):
        user, targets = record["user_id"], set(record["targets"] or [])
        if user is None:
            if record["item_id"] is not None:
                yield {"row": row, "item_id": record["item_id"], "role": "described"}
            continue
        roles = [
            *((item["item_id"], "history") for item in record["history"] or []),
            *((item, "target") for item in record["targets"] or []),
            *(
                (item["item_id"], "negative")
                for item in record["candidates"] or []
                if item["item_id"] not in targets
            ),
        ]
        for item, role in roles:
            yield {"row": row, "user_id": user, "item_id": item, "role": role}
