"""Every item of a user may be asked for; the items just before it are shown.

Unlike other kinds this one makes several examples of a user, which overlap: a split by example or
position puts a user's neighbouring windows into different parts.
"""

from typing import Any, Literal

from pydantic import Field

from itdr.instructions.sampling.context import SamplingContext
from itdr.instructions.sampling.kind import ITEM, SamplingKind
from itdr.registry import SAMPLING_KINDS
from itdr.settings.sampling import MOST_ITEMS, Sampled


class WindowsSampling(Sampled):
    """An item is the target, and the items just before it are shown: for many items of a user."""

    kind: Literal["windows"]
    history: int = Field(ge=1, le=MOST_ITEMS, description="most items shown")
    min_history: int = Field(ge=1, le=MOST_ITEMS, description="fewest items shown")
    of_user: Literal["all", "last"] = Field(
        "all", description="windows of a user: all of them, or the one that ends with the last item"
    )
    unrated: Literal["left-out", "disliked"] = Field(
        "left-out",
        description="what becomes of items without a rating: left out, or shown and asked for as "
        "if they were disliked, with the rating 0",
    )
    kept: Literal["drawn", "last"] = Field(
        "drawn",
        description="which windows are kept where there are more than 'examples': drawn by chance, "
        "or the last ones of all, users standing in an order that is drawn and windows in time",
    )


_ITEM = ITEM | {"liked": True, "creator": "E"}


@SAMPLING_KINDS.register(
    "windows",
    SamplingKind,
    settings=WindowsSampling,
    trial={"history": [_ITEM], "target": _ITEM},
    is_ordered=True,
)
def examples(context: SamplingContext, sampling: WindowsSampling) -> list[dict[str, Any]]:
    """Return examples with history, target and window: the target's place in the user's life.

    Items have also `creator` and `liked`: whether their rating is as high as a liked item's; None
    where the dataset says nothing of that. Examples stand in the order of users and time.
    """
    rated = "rating IS NOT NULL" if sampling.unrated == "left-out" else "TRUE"
    least = context.draw.liked
    liked = "NULL::BOOLEAN" if least is None else f"coalesce(rating, 0) >= {float(least)}"
    context.make_steps(rated, {"liked": liked})
    context.choose_users(sampling.min_history + 1)
    wanted = {
        "drawn": "hash_text(concat_ws(':', 'window', user_id, domain, \"window\"))",
        "last": 'user_rank DESC, "window" DESC',
    }[sampling.kept]
    ends = "back = 1" if sampling.of_user == "last" else "TRUE"
    return context.rows(
        f"""
        WITH shown AS (
            SELECT user_rank, back, struct_insert(
                {context.item(rating="coalesce(rating, 0)")}, creator := creator) AS item,
                row_number() OVER lifetime AS "window"
            FROM chosen_steps JOIN titled USING (number)
            JOIN (SELECT item_id, creator FROM items) USING (item_id)
            WINDOW lifetime AS (PARTITION BY user_rank ORDER BY step)
        ), windows AS (
            SELECT user_rank, back, "window", item AS target, list(item) OVER (
                PARTITION BY user_rank ORDER BY "window"
                ROWS BETWEEN {int(sampling.history)} PRECEDING AND 1 PRECEDING) AS history
            FROM shown
        )
        SELECT * EXCLUDE (back) FROM (
            SELECT user_id, domain, windows.* FROM windows JOIN chosen USING (user_rank)
            WHERE "window" > $least AND {ends}
            ORDER BY {wanted} LIMIT {int(context.draw.examples)}
        ) ORDER BY user_rank, "window"
        """,
        least=sampling.min_history,
    )
