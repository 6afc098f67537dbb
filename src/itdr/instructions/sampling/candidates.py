"""Candidates that a user never touched, and lists of them with the true ones in random places."""

from typing import Any

from itdr.instructions.sampling.workbench import Workbench

_DRAWS = 64  # candidates drawn per user, of which the untouched ones are kept


def with_candidates(bench: Workbench, lives: str, negatives: int) -> list[dict[str, Any]]:
    """Return the rows of the table `lives` for which there are enough untouched items.

    lives: user_id, domain, positives and more, for some of the chosen users. To each row come
    candidates, the positives among `negatives` untouched items of the domain.
    """
    _make_untouched(bench)
    rows = bench.rows(
        f"""
        WITH enough AS (
            SELECT user_id, domain, list(item ORDER BY place) AS negatives
            FROM untouched WHERE place <= $negatives GROUP BY ALL HAVING count(*) = $negatives
        )
        SELECT lives.*, list_sort(list_transform(
            list_concat(positives, negatives), lambda item: struct_pack(
                mark := mark(concat_ws(':', 'order', user_id, item.item_id)),
                item := item))) AS marked
        FROM {lives} AS lives JOIN enough USING (user_id, domain)
        """,
        negatives=negatives,
    )
    for row in rows:
        row["candidates"] = [marked["item"] for marked in row.pop("marked")]
    return rows


def _make_untouched(bench: Workbench) -> None:
    """Make the table of drawn items that the chosen users never touched, best place first.

    An item is touched when it occurs anywhere in the user's interactions, whatever its title; an
    item that shares the title of a touched one counts as touched, because a reader of the list
    could not tell them apart.
    """
    weight = "times" if bench.draw.negatives == "popularity" else "1"
    bench.run(
        f"""
        CREATE TABLE pool AS
        SELECT domain, item_id, weight,
            sum(weight) OVER (PARTITION BY domain ORDER BY item_id) - weight AS start
        FROM (SELECT domain, item_id, {weight} AS weight FROM
            (SELECT domain, item_id, count(*) AS times FROM steps GROUP BY ALL))
        """
    )
    bench.run(
        f"""
        CREATE TABLE untouched AS
        WITH totals AS (
            SELECT domain, sum(weight)::UBIGINT AS total FROM pool GROUP BY domain
        ), draws AS (
            SELECT user_id, domain, draw, mark_number(
                concat_ws(':', 'negative', user_id, domain, draw)) % total AS slot
            FROM chosen JOIN totals USING (domain), range({_DRAWS}) AS draws(draw)
        ), drawn AS (
            SELECT draws.user_id, draws.domain, min(draws.draw) AS draw, pool.item_id
            FROM draws ASOF JOIN pool
            ON draws.domain = pool.domain AND draws.slot >= pool.start
            GROUP BY ALL
        ), named AS (
            SELECT user_id, domain, draw, item_id, title, name, categories
            FROM drawn JOIN titled USING (item_id)
            QUALIFY row_number() OVER (PARTITION BY user_id, domain, name ORDER BY draw) = 1
        )
        SELECT user_id, domain,
            row_number() OVER (PARTITION BY user_id, domain ORDER BY draw) AS place,
            {bench.item(rating="NULL::DOUBLE", plays="NULL::BIGINT")} AS item
        FROM named
        ANTI JOIN (SELECT user_id, item_id FROM interactions SEMI JOIN chosen USING (user_id))
            USING (user_id, item_id)
        ANTI JOIN chosen_steps USING (user_id, name)
        """
    )
