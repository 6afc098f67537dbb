"""The user's newest liked items are shown, or the most played ones."""

from typing import Any, Literal

from pydantic import Field

from itdr.instructions.sampling.context import SamplingContext, quoted
from itdr.instructions.sampling.kind import ITEM, SamplingKind
from itdr.registry import SAMPLING_KINDS
from itdr.settings.sampling import MOST_ITEMS, Sampled


class LikedItemsSampling(Sampled):
    """The user's newest liked items, or most played ones, are shown."""

    kind: Literal["liked_items"]
    history: int = Field(ge=1, le=MOST_ITEMS, description="most items shown")
    min_history: int = Field(ge=1, le=MOST_ITEMS, description="fewest items shown")


@SAMPLING_KINDS.register(
    "liked_items",
    SamplingKind,
    settings=LikedItemsSampling,
    trial={"history": [ITEM]},
)
def examples(context: SamplingContext, sampling: LikedItemsSampling) -> list[dict[str, Any]]:
    """Return examples with history and attributes."""
    draw = context.draw
    if draw.liked is None:
        _make_steps_by_plays(context)
    else:
        context.make_steps(f"rating >= {float(draw.liked)}")
    context.choose_users(sampling.min_history, draw.attributes)
    columns = ", ".join(quoted(name) for name in draw.attributes)
    forward = "back DESC" if draw.liked is not None else "back"
    rows = context.examples(
        f"""
        SELECT user_rank, history, {columns} FROM (
            SELECT user_rank, list(item ORDER BY {forward}) AS history
            FROM (SELECT user_rank, back, {context.item()} AS item
                FROM chosen_steps JOIN titled USING (number) WHERE back <= $history)
            GROUP BY user_rank HAVING count(*) >= $least
        ) JOIN chosen USING (user_rank) JOIN users USING (user_id)
        """,
        history=sampling.history,
        least=sampling.min_history,
    )
    for row in rows:
        row["attributes"] = {name: row.pop(name) for name in draw.attributes}
    return rows


def _make_steps_by_plays(context: SamplingContext) -> None:
    """Make the view of all items of a user, `step` growing with how often they were played."""
    context.run(
        """
        CREATE VIEW played AS
        SELECT *, NULL::DOUBLE AS rating, row_number() OVER (
            PARTITION BY user_id, domain ORDER BY plays, item_id DESC) AS step
        FROM (SELECT user_id, domain, item_id, sum(coalesce(plays, 1))::BIGINT AS plays
            FROM interactions GROUP BY ALL)
        """
    )
    context.make_steps(source="played")
