"""The user's last rated item is asked for; the rated items before it are shown."""

from typing import Any, Literal

from pydantic import Field

from itdr.instructions.sampling.context import SamplingContext
from itdr.instructions.sampling.kind import ITEM, SamplingKind
from itdr.registry import SAMPLING_KINDS
from itdr.settings.sampling import MOST_ITEMS, Sampled


class RatingSampling(Sampled):
    """The user's last rated item is the target; the rated items before it are shown."""

    kind: Literal["rating"]
    history: int = Field(ge=1, le=MOST_ITEMS, description="most items shown")
    min_history: int = Field(ge=1, le=MOST_ITEMS, description="fewest items shown")


@SAMPLING_KINDS.register(
    "rating",
    SamplingKind,
    settings=RatingSampling,
    trial={"history": [ITEM], "target": ITEM},
)
def examples(context: SamplingContext, sampling: RatingSampling) -> list[dict[str, Any]]:
    """Return examples with history and target."""
    context.make_steps("rating IS NOT NULL")
    context.choose_users(sampling.min_history + 1)
    return context.examples(
        f"""
        SELECT user_rank, list(item ORDER BY back DESC) FILTER (back > 1) AS history,
            first(item) FILTER (back = 1) AS target
        FROM (SELECT user_rank, back, {context.item()} AS item
            FROM chosen_steps JOIN titled USING (number) WHERE back <= $history + 1)
        GROUP BY user_rank HAVING count(*) > $least
        """,
        history=sampling.history,
        least=sampling.min_history,
    )
