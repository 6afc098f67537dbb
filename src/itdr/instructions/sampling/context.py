"""What all kinds of sampling share: tables in DuckDB, steps in time, and the choice of users."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from itdr.errors import DataError, MissingFileError
from itdr.files.atomic import full_disk, writing
from itdr.files.checksums import check_parquet
from itdr.instructions.sampling.draw import Draw

if TYPE_CHECKING:
    import duckdb

RESERVE = 2
"""Users prepared for each example wanted, since some of them turn out to be unfit."""


class SamplingContext:
    """A DuckDB connection with the views interactions, items and users, and these besides.

    titled: the items that can be shown, with titles of one line; `number` stands for the item and
    `name` for its title, whatever the case of letters.
    hash_text(words), hash_number(words): a hash of seed, salt and words, as text or as UBIGINT.
    """

    def __init__(self, connection: "duckdb.DuckDBPyConnection", draw: Draw) -> None:
        """Make the view and the macro on a connection that has the tables."""
        self.draw = draw
        self._connection = connection
        self._fields: list[str] = []
        for macro, function in (("hash_text", "md5"), ("hash_number", "md5_number_lower")):
            words = f"concat_ws(':', {int(draw.seed)}, {_literal(draw.salt)}, words)"
            self.run(f"CREATE MACRO {macro}(words) AS {function}({words})")
        self.run(
            """
            CREATE TABLE titled AS
            SELECT item_id, title, categories,
                (row_number() OVER (ORDER BY item_id))::INTEGER AS number,
                (dense_rank() OVER (ORDER BY lower(title)))::INTEGER AS name
            FROM (
                SELECT item_id, categories, trim(regexp_replace(title, '\\s+', ' ', 'g')) AS title
                FROM items
            ) WHERE title <> ''
            """
        )

    def run(self, query: str, **values: Any) -> None:
        """Execute a statement."""
        self._connection.execute(query, values or None)

    def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """Return the rows of a query by column name."""
        result = self._connection.execute(query, values or None)
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def examples(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """Return the rows of a query with those of `chosen` that have the same user_rank.

        As many as examples are wanted, those with the lowest user_rank.
        """
        wanted = f"ORDER BY user_rank LIMIT {int(self.draw.examples)}"
        return self.rows(f"FROM chosen JOIN ({query}) USING (user_rank) {wanted}", **values)

    def make_steps(
        self,
        condition: str = "TRUE",
        extra: Mapping[str, str] | None = None,
        source: str = "interactions",
    ) -> None:
        """Make the view of all steps that can be shown, `step` growing with time.

        condition: on the columns of the interactions. extra: further fields of a step's item, as
        name to expression on those columns. source: a table like the interactions that has `step`.
        """
        self._fields = ["rating", "plays", *(extra or {})]
        more = "".join(f", {value} AS {quoted(name)}" for name, value in (extra or {}).items())
        step = self._order() if source == "interactions" else "step"
        self.run(
            f"""
            CREATE VIEW steps AS
            SELECT user_id, coalesce(domain, '') AS domain, {step} AS step, item_id,
                rating, plays{more}
            FROM {source} SEMI JOIN titled USING (item_id) WHERE {condition}
            """
        )

    def choose_users(self, least: int, attributes: Sequence[str] = ()) -> None:
        """Make the tables of the chosen users and of their steps.

        least: fewest steps. attributes: columns of the users table that must be known.

        chosen has user_id, domain and user_rank, which says in what order they are wanted. See
        make_steps_of for chosen_steps.
        """
        known = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in attributes) or "TRUE"
        self.run(
            f"""
            CREATE TABLE chosen AS
            SELECT user_id, domain, row_number() OVER (ORDER BY place, domain) AS user_rank FROM (
                SELECT user_id, domain, row_number() OVER (
                    PARTITION BY domain ORDER BY hash_text('user:' || user_id), user_id) AS place
                FROM (SELECT user_id, domain FROM steps GROUP BY ALL HAVING count(*) >= $least)
                WHERE user_id IN (SELECT user_id FROM users WHERE {known})
            ) ORDER BY user_rank LIMIT $wanted
            """,
            least=least,
            wanted=RESERVE * self.draw.examples,
        )
        self.make_steps_of("chosen", "chosen_steps")

    def make_steps_of(self, users: str, name: str) -> None:
        """Make a table of the steps of some users (user_id, domain, user_rank), each title once.

        It has user_rank, step, back (1 for the last step), name and what `item` needs but for
        titles, so that these are fetched for what is shown only: FROM chosen_steps JOIN titled
        USING (number).
        """
        fields = ", ".join(quoted(field) for field in self._fields)
        self.run(
            f"""
            CREATE TABLE {name} AS
            SELECT *, row_number() OVER (PARTITION BY user_rank ORDER BY step DESC) AS back FROM (
                SELECT user_rank, name, min(step) AS step, unnest(arg_min(facts, step))
                FROM (SELECT user_rank, step, name, struct_pack(number, {fields}) AS facts
                    FROM steps JOIN {users} USING (user_id, domain) JOIN titled USING (item_id))
                GROUP BY user_rank, name
            )
            """
        )

    def item(self, **values: str) -> str:
        """Return the SQL of an item, its fields being columns or the expressions given."""
        names = ["item_id", "title", "categories", *self._fields]
        fields = (f"{quoted(name)} := {values.get(name, quoted(name))}" for name in names)
        return f"struct_pack({', '.join(fields)})"

    def _order(self) -> str:
        """Return the SQL of what the steps of a user are ordered by."""
        ((ordered,),) = self._connection.execute(
            "SELECT count(timestamp) + count(position) > 0 FROM interactions"
        ).fetchall()
        if ordered:
            return "file_row_number"
        words = f"concat_ws(':', {int(self.draw.seed)}, 'order', user_id, item_id)"
        return f"md5_number_lower({words})"


@contextmanager
def open_sampling_context(
    tables: Path, draw: Draw, threads: int | None, memory_limit_mb: int
) -> Iterator[SamplingContext]:
    """Yield a context on a folder of tables.

    Raises:
        MissingFileError: a table is not there.
        DataError: a table is damaged or cannot be read.
        DiskFullError: there is no room in the temporary folder for what is spilled.
    """
    import duckdb  # slow to import, and task files are read where nothing is sampled

    with TemporaryDirectory(prefix="itdr-") as spill, writing(Path(spill)):
        config: dict[str, Any] = {"temp_directory": spill, "memory_limit": f"{memory_limit_mb}MB"}
        connection = duckdb.connect(config=config | ({"threads": threads} if threads else {}))
        try:
            connection.execute("SET enable_progress_bar = false")
            for name in ("interactions", "items", "users"):
                path = tables / f"{name}.parquet"
                if not path.is_file():
                    raise MissingFileError(f"{path}: no such table. Run 'itdr normalise' first.")
                check_parquet(path)
                connection.read_parquet(str(path), file_row_number=True).create_view(name)
            yield SamplingContext(connection, draw)
        except duckdb.Error as error:
            if full_disk(error):
                raise
            raise DataError(f"{tables}: the tables cannot be read: {error}") from error
        finally:
            connection.close()


def quoted(name: str) -> str:
    """Return an identifier as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
