"""Items with all that is known of them, and some of their reviews."""

from typing import Any, Literal

from itdr.instructions.sampling.context import SamplingContext
from itdr.instructions.sampling.kind import SamplingKind
from itdr.registry import SAMPLING_KINDS
from itdr.settings.sampling import Sampled


class DescribedItemsSampling(Sampled):
    """One item is shown with what is known of it."""

    kind: Literal["described_items"]


@SAMPLING_KINDS.register(
    "described_items",
    SamplingKind,
    settings=DescribedItemsSampling,
    trial={
        "item": {
            "item_id": "1",
            "title": "A",
            "categories": ["B"],
            "description": "C.",
            "creator": "D",
            "year": 1990,
            "price": 1.0,
            "attributes": {"e": "F"},
        },
        "reviews": [{"title": "C", "text": "D.", "rating": 1.0}],
    },
)
def examples(context: SamplingContext, sampling: DescribedItemsSampling) -> list[dict[str, Any]]:
    """Return examples with item_id, item and reviews.

    item: the columns of the items table; attributes is a dictionary. reviews: title (or None), text
    and rating (or None) of up to Draw.reviews reviews by Draw.reviewers; where that is not 0, items
    without any are passed over. Of items of one title in a domain, such as editions, one is
    described.
    """
    draw = context.draw
    context.run(
        f"""
        CREATE VIEW reviewed AS
        SELECT item_id, user_id, review_title, review, rating FROM interactions
        WHERE review IS NOT NULL AND ({draw.reviewers})
        """
    )
    passed_over = "SEMI JOIN reviewed USING (item_id)" if draw.reviews else ""
    context.run(
        f"""
        CREATE TABLE chosen AS
        SELECT item_id, domain, row_number() OVER (ORDER BY place, domain) AS user_rank FROM (
            SELECT item_id, domain, row_number() OVER (
                PARTITION BY domain ORDER BY hash_text('item:' || item_id), item_id) AS place
            FROM (
                SELECT item_id, coalesce(i.domain, '') AS domain, name
                FROM items i JOIN titled USING (item_id) {passed_over}
                QUALIFY row_number() OVER (PARTITION BY i.domain, name
                    ORDER BY hash_text('item:' || item_id), item_id) = 1
            )
        ) ORDER BY user_rank LIMIT $wanted
        """,
        wanted=draw.examples,
    )
    return context.examples(
        """
        WITH opinions AS (
            SELECT item_id, list(review ORDER BY place) AS reviews FROM (
                SELECT item_id, row_number() OVER (PARTITION BY item_id
                        ORDER BY hash_text(concat_ws(':', 'review', item_id, user_id))) AS place,
                    struct_pack(title := review_title, text := review, rating := rating) AS review
                FROM reviewed SEMI JOIN chosen USING (item_id)
            ) WHERE place <= $most GROUP BY item_id
        )
        SELECT c.user_rank, coalesce(opinions.reviews, []) AS reviews,
            struct_pack(item_id := c.item_id, title := t.title, categories := t.categories,
                description := i.description, creator := i.creator, year := i.year,
                price := i.price, attributes := coalesce(i.attributes, MAP {})) AS item
        FROM chosen c JOIN titled t USING (item_id) JOIN items i USING (item_id)
        LEFT JOIN opinions USING (item_id)
        """,
        most=draw.reviews,
    )
