"""What the user likes and dislikes is shown, with the user's own reviews where there are any."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from itdr.instructions.sampling.context import SamplingContext
from itdr.instructions.sampling.kind import ITEM, SamplingKind
from itdr.registry import SAMPLING_KINDS
from itdr.settings.sampling import MOST_ITEMS, Sampled


class OpinionsSampling(Sampled):
    """The user's newest liked and disliked items are shown."""

    lists: ClassVar[int] = 2
    kind: Literal["opinions"]
    history: int = Field(ge=1, le=MOST_ITEMS, description="most items shown of each kind")
    min_history: int = Field(ge=1, le=MOST_ITEMS, description="fewest items shown in all")


@SAMPLING_KINDS.register(
    "opinions",
    SamplingKind,
    settings=OpinionsSampling,
    trial={"history": [ITEM | {"liked": True, "review_title": "C", "review": "D."}]},
)
def examples(context: SamplingContext, sampling: OpinionsSampling) -> list[dict[str, Any]]:
    """Return examples with history, whose items have also `liked`, review_title and review.

    liked: whether the user likes the item; None where only the review tells. Ratings between the
    two bounds tell nothing, so their items are passed over.
    """
    draw = context.draw
    liked = "NULL::BOOLEAN"
    conditions = ["review IS NOT NULL"] if draw.reviews else []
    if draw.liked is not None and draw.disliked is not None:
        liked = f"""CASE WHEN rating >= {float(draw.liked)} THEN TRUE
            WHEN rating <= {float(draw.disliked)} THEN FALSE END"""
        unrated = "rating IS NULL" if draw.reviews else "FALSE"
        conditions.append(f"({unrated} OR ({liked}) IS NOT NULL)")
    context.make_steps(
        " AND ".join(conditions) or "TRUE",
        {"liked": liked, "review_title": "review_title", "review": "review"}
        if draw.reviews
        else {"liked": liked},
    )
    context.choose_users(sampling.min_history)
    return context.examples(
        f"""
        SELECT user_rank, list(item ORDER BY back DESC) AS history
        FROM (
            SELECT user_rank, back, {context.item()} AS item FROM (
                FROM chosen_steps QUALIFY row_number() OVER (
                    PARTITION BY user_rank, liked ORDER BY back) <= $history
            ) JOIN titled USING (number)
        ) GROUP BY user_rank HAVING count(*) >= $least
        """,
        history=sampling.history,
        least=sampling.min_history,
    )
