"""Candidates that a user never touched, and lists of them with the true ones in random places."""

from typing import Any

from itdr.instructions.sampling.workbench import Workbench

_DRAWS = 64  # candidates drawn per user, of which the untouched ones are kept


def with_candidates(bench: Workbench, lives: str, negatives: int) -> list[dict[str, Any]]:
    """Return the wanted rows of the table `lives` for which there are enough untouched items.

    lives: turn, positives and more, for some of the chosen users. To each row come candidates, the
    positives among `negatives` untouched items of the domain.
    """
    _make_untouched(bench, negatives)
    nothing = {"rating": "NULL::DOUBLE", "plays": "NULL::BIGINT"}
    rows = bench.examples(
        f"""
        WITH enough AS (
            SELECT turn, list({bench.item(**nothing)} ORDER BY place) AS negatives
            FROM untouched JOIN titled USING (number)
            GROUP BY turn HAVING count(*) = $negatives
        )
        SELECT lives.*, list_sort(list_transform(
            list_concat(positives, negatives), lambda item: struct_pack(
                mark := mark(concat_ws(':', 'order', user_id, item.item_id)),
                item := item))) AS marked
        FROM {lives} AS lives JOIN enough USING (turn) JOIN chosen USING (turn)
        """,
        negatives=negatives,
    )
    for row in rows:
        row["candidates"] = [marked["item"] for marked in row.pop("marked")]
    return rows


def _make_untouched(bench: Workbench, most: int) -> None:
    """Make the table of the first drawn items that the chosen users never touched.

    An item is touched when it occurs anywhere in the user's interactions, whatever its title; an
    item that shares the title of a touched one counts as touched, because a reader of the list
    could not tell them apart.
    """
    weight = "times" if bench.draw.negatives == "popularity" else "1"
    bench.run(
        f"""
        CREATE TABLE pool AS
        SELECT domain, number, name, weight,
            sum(weight) OVER (PARTITION BY domain ORDER BY number) - weight AS start
        FROM (SELECT domain, item_id, {weight} AS weight FROM
            (SELECT domain, item_id, count(*) AS times FROM steps GROUP BY ALL))
        JOIN titled USING (item_id)
        """
    )
    bench.run(
        f"""
        CREATE TABLE untouched AS
        WITH totals AS (
            SELECT domain, sum(weight)::UBIGINT AS total FROM pool GROUP BY domain
        ), draws AS (
            SELECT turn, domain, draw, mark_number(
                concat_ws(':', 'negative', user_id, domain, draw)) % total AS slot
            FROM chosen JOIN totals USING (domain), range({_DRAWS}) AS draws(draw)
        ), drawn AS (
            SELECT turn, name, min(draw) AS draw, arg_min(number, draw) AS number
            FROM draws ASOF JOIN pool
            ON draws.domain = pool.domain AND draws.slot >= pool.start
            GROUP BY turn, name
        ), touched AS (
            SELECT turn, number FROM interactions JOIN chosen USING (user_id)
            JOIN titled USING (item_id)
        )
        SELECT turn, number, row_number() OVER (PARTITION BY turn ORDER BY draw) AS place
        FROM drawn ANTI JOIN touched USING (turn, number) ANTI JOIN chosen_steps USING (turn, name)
        QUALIFY place <= $most
        """,
        most=most,
    )
