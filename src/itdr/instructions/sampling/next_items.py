"""The user's last items are the true candidates; the items before them are shown."""

from typing import Any, Literal

from pydantic import Field

from itdr.instructions.sampling.candidates import with_candidates
from itdr.instructions.sampling.context import SamplingContext
from itdr.instructions.sampling.kind import ITEM, SamplingKind
from itdr.registry import SAMPLING_KINDS
from itdr.settings.sampling import MOST_ITEMS, Sampled


class NextItemsSampling(Sampled):
    """The user's last items are the positives; the items before them are shown."""

    kind: Literal["next_items"]
    history: int = Field(ge=1, le=MOST_ITEMS, description="items shown")
    positives: int = Field(ge=1, le=MOST_ITEMS, description="positive candidates")
    negatives: int = Field(
        ge=1, le=MOST_ITEMS, description="candidates that the user did not interact with"
    )


@SAMPLING_KINDS.register(
    "next_items",
    SamplingKind,
    settings=NextItemsSampling,
    trial={"history": [ITEM], "candidates": [ITEM]},
)
def examples(context: SamplingContext, sampling: NextItemsSampling) -> list[dict[str, Any]]:
    """Return examples with history, positives and candidates."""
    context.make_steps()
    context.choose_users(sampling.history + sampling.positives)
    make_sequences(context, sampling.history, sampling.positives)
    return with_candidates(context, "sequences", sampling.negatives)


def make_sequences(context: SamplingContext, history: int, positives: int) -> None:
    """Make the table sequences: user_rank, history, positives (items), first_positive (step)."""
    context.run(
        f"""
        CREATE TABLE sequences AS
        SELECT user_rank, list(item ORDER BY back DESC) FILTER (back > $positives) AS history,
            list(item ORDER BY back DESC) FILTER (back <= $positives) AS positives,
            min(step) FILTER (back <= $positives) AS first_positive
        FROM (SELECT user_rank, step, back, {context.item()} AS item
            FROM chosen_steps JOIN titled USING (number) WHERE back <= $history + $positives)
        GROUP BY user_rank HAVING count(*) = $history + $positives
        """,
        history=history,
        positives=positives,
    )
