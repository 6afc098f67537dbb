"""Holding examples against the tables that they were drawn from."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from itdr.errors import DataError, MissingFileError
from itdr.files.checksums import check_parquet
from itdr.instructions.audit.faults import Fault, Record, fault
from itdr.settings.audit import Check

_CLAIMS = pa.schema(
    [("row", pa.int64()), ("user_id", pa.string()), ("item_id", pa.string()), ("role", pa.string())]
)
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
        claims = pa.Table.from_pylist(list(_claims(records)), schema=_CLAIMS)
        self._connection.register("claims", claims)
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

    def titles(self, items: Iterable[str]) -> dict[str, str]:
        """Return item_id to title, in one line as examples show it."""
        wanted = pa.table({"item_id": pa.array(sorted(set(items)), pa.string())})
        self._connection.register("wanted", wanted)
        return dict(self._rows(f"SELECT * FROM ({_TITLES}) SEMI JOIN wanted USING (item_id)"))

    def close(self) -> None:
        """Let go of the tables."""
        self._connection.close()

    def _rows(self, query: str) -> list[tuple]:
        try:
            return self._connection.execute(query).fetchall()
        except duckdb.Error as error:
            raise DataError(f"{self._folder}: the tables cannot be read: {error}") from error


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
