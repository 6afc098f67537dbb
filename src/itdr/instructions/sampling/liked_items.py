"""The user's newest liked items are shown, or the most played ones."""

from typing import Any

from itdr.instructions.sampling.workbench import Workbench, quoted
from itdr.settings.task import LikedItemsSampling


def examples(bench: Workbench, sampling: LikedItemsSampling) -> list[dict[str, Any]]:
    """Return examples with history and attributes."""
    draw = bench.draw
    if draw.liked is None:
        _make_steps_by_plays(bench)
    else:
        bench.make_steps(f"rating >= {float(draw.liked)}")
    bench.choose_users(sampling.min_history, draw.attributes)
    columns = ", ".join(quoted(name) for name in draw.attributes)
    forward = "back DESC" if draw.liked is not None else "back"
    rows = bench.examples(
        f"""
        SELECT turn, history, {columns} FROM (
            SELECT turn, list(item ORDER BY {forward}) AS history
            FROM (SELECT turn, back, {bench.item()} AS item
                FROM chosen_steps JOIN titled USING (number) WHERE back <= $history)
            GROUP BY turn HAVING count(*) >= $least
        ) JOIN chosen USING (turn) JOIN users USING (user_id)
        """,
        history=sampling.history,
        least=sampling.min_history,
    )
    for row in rows:
        row["attributes"] = {name: row.pop(name) for name in draw.attributes}
    return rows


def _make_steps_by_plays(bench: Workbench) -> None:
    """Make the view of all items of a user, `step` growing with how often they were played."""
    bench.run(
        """
        CREATE VIEW played AS
        SELECT *, NULL::DOUBLE AS rating, row_number() OVER (
            PARTITION BY user_id, domain ORDER BY plays, item_id DESC) AS step
        FROM (SELECT user_id, domain, item_id, sum(coalesce(plays, 1))::BIGINT AS plays
            FROM interactions GROUP BY ALL)
        """
    )
    bench.make_steps(source="played")
