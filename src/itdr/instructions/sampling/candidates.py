"""Non-interacted negatives, and lists of candidates with the positives in random places."""

from typing import Any

from itdr.instructions.sampling.context import SamplingContext

KNOWN_SINCE = """least(min(epoch_us(timestamp)),
    any_value(epoch_us(make_timestamp((year + 1)::BIGINT, 1, 1, 0, 0, 0))))"""
"""SQL of the first time, in microseconds, at which an item of grouped interactions is known to
exist: that of its first interaction or the end of its year of release; null where neither is known.
"""

_ALWAYS, _NEVER = -(2**62), 2**62  # in microseconds
_DRAWS = 64  # candidates drawn per user, of which the non-interacted ones are kept


def with_candidates(
    context: SamplingContext, sequences: str, negatives: int
) -> list[dict[str, Any]]:
    """Return the wanted rows of the table `sequences` for which there are enough negatives.

    sequences: user_rank, positives and more, for some of the chosen users. To each row come
    candidates, the positives among `negatives` non-interacted items of the domain.
    """
    _make_negatives(context, negatives)
    nothing = {"rating": "NULL::DOUBLE", "plays": "NULL::BIGINT"}
    rows = context.examples(
        f"""
        WITH enough AS (
            SELECT user_rank, list({context.item(**nothing)} ORDER BY place) AS negatives
            FROM non_interacted JOIN titled USING (number)
            GROUP BY user_rank HAVING count(*) = $negatives
        )
        SELECT sequences.*, list_sort(list_transform(
            list_concat(positives, negatives), lambda item: struct_pack(
                hash_text := hash_text(concat_ws(':', 'order', user_id, item.item_id)),
                item := item))) AS marked
        FROM {sequences} AS sequences JOIN enough USING (user_rank) JOIN chosen USING (user_rank)
        """,
        negatives=negatives,
    )
    for row in rows:
        row["candidates"] = [marked["item"] for marked in row.pop("marked")]
    return rows


def _make_negatives(context: SamplingContext, most: int) -> None:
    """Make the table of the first drawn items that the chosen users did not interact with.

    An item counts as interacted with when it occurs anywhere in the user's interactions, or shares
    the title of one that does, because a reader of the list could not tell them apart.
    """
    _make_pool(context)
    context.run(
        f"""
        CREATE TABLE non_interacted AS
        WITH draws AS (
            SELECT user_rank, domain, draw, hash_number(
                concat_ws(':', 'negative', user_id, domain, draw)) % total::UBIGINT AS slot
            FROM chosen JOIN totals USING (user_rank), range({_DRAWS}) AS draws(draw)
        ), drawn AS (
            SELECT user_rank, name, min(draw) AS draw, arg_min(number, draw) AS number
            FROM draws ASOF JOIN pool
            ON draws.domain = pool.domain AND draws.slot >= pool.start
            GROUP BY user_rank, name
        ), interacted AS (
            SELECT user_rank, number FROM interactions JOIN chosen USING (user_id)
            JOIN titled USING (item_id)
        )
        SELECT user_rank, number, row_number() OVER (PARTITION BY user_rank ORDER BY draw) AS place
        FROM drawn ANTI JOIN interacted USING (user_rank, number)
            ANTI JOIN chosen_steps USING (user_rank, name)
        QUALIFY place <= $most
        """,
        most=most,
    )


def _make_pool(context: SamplingContext) -> None:
    """Make the tables of the items to draw from and of how much of them each chosen user can get.

    pool: each item of a domain has the slots from `start` on, as many as its `weight`. totals: a
    user's draws are among the first `total` slots. With negatives "available" the items stand in
    the order of the first time at which they are known to exist, that of their first interaction or
    the end of their year of release, and the slots end where that is later than the user's last
    positive; without times they are all of the domain.
    """
    draw = context.draw.negatives
    weight = "times" if draw == "popularity" else "1"
    since = f"coalesce({KNOWN_SINCE}, {_ALWAYS})" if draw == "available" else "NULL"
    context.run(
        f"""
        CREATE TABLE pool AS
        SELECT domain, number, name, weight, since,
            sum(weight) OVER (PARTITION BY domain ORDER BY since, number) - weight AS start
        FROM (SELECT domain, item_id, {weight} AS weight FROM
            (SELECT domain, item_id, count(*) AS times FROM steps GROUP BY ALL))
        JOIN titled USING (item_id)
        JOIN (SELECT item_id, {since} AS since FROM interactions
            JOIN (SELECT item_id, year FROM items) USING (item_id) GROUP BY item_id) USING (item_id)
        """
    )
    whole = "SELECT domain, sum(weight) AS total FROM pool GROUP BY domain"
    if draw != "available":
        context.run(
            f"CREATE TABLE totals AS SELECT user_rank, total FROM chosen JOIN ({whole}) "
            "USING (domain)"
        )
        return
    context.run(
        f"""
        CREATE TABLE totals AS
        WITH cuts AS (
            SELECT user_rank, chosen.domain, coalesce(epoch_us(timestamp), {_NEVER}) AS cut
            FROM chosen JOIN chosen_steps USING (user_rank)
            LEFT JOIN interactions ON step = file_row_number
            WHERE back = 1
        ), moments AS (
            SELECT domain, since, max(start + weight) AS total FROM pool GROUP BY ALL
        )
        SELECT user_rank, total FROM cuts ASOF JOIN moments
        ON cuts.domain = moments.domain AND cuts.cut >= moments.since
        """
    )
