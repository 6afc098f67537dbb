"""Amazon Reviews 2023: for each of the paper's 12 domains a file of reviews and one of products.

Items are products (`parent_asin`); the variants that a review names (`asin`), such as colours, are
the same item, because only products have metadata. So of a user's reviews of several variants, as
of reviews that stand twice, the first in the file is kept. A domain whose reviews are not there is
left out, one whose products are not there has items without titles; quality.json notes both.
"""

import pyarrow as pa

from itdr.datasets.adapters.adapter import Adapter
from itdr.datasets.readers.context import NormalisationContext
from itdr.datasets.readers.json_lines import (
    JsonLines,
    Key,
    identifier,
    mapping,
    milliseconds,
    rating,
    text_key,
    text_list,
)
from itdr.datasets.readers.text import texts
from itdr.datasets.tables.schema import Scale
from itdr.errors import MissingFileError
from itdr.registry import READERS

DOMAINS = (
    "All_Beauty",
    "Amazon_Fashion",
    "Appliances",
    "Arts_Crafts_and_Sewing",
    "Baby_Products",
    "CDs_and_Vinyl",
    "Grocery_and_Gourmet_Food",
    "Home_and_Kitchen",
    "Industrial_and_Scientific",
    "Musical_Instruments",
    "Software",
    "Video_Games",
)
"""The paper's domains by the names that their files have."""

_STARS = Scale(1.0, 5.0, 1.0)

_REVIEWS = JsonLines(
    (
        identifier("user_id"),
        identifier("parent_asin"),
        rating("rating", _STARS.low, _STARS.high),
        milliseconds("timestamp"),
        text_key("title"),
        text_key("text"),
    )
)

# A price can be a text such as "None".
_PRICE = "CASE WHEN TRY_CAST({} AS DOUBLE) BETWEEN 0 AND 1e9 THEN TRY_CAST({} AS DOUBLE) END"

_JOINED = "nullif(trim(array_to_string({}, ' ')), '')"
_LISTED = "nullif(trim(array_to_string({}, '; ')), '')"

_PRODUCTS = JsonLines(
    (
        identifier("parent_asin"),
        text_key("title"),
        text_key("main_category"),
        text_key("average_rating"),
        text_key("rating_number"),
        Key("features", pa.string(), form=["VARCHAR"], sql=_LISTED, clean=texts),
        Key("description", pa.string(), form=["VARCHAR"], sql=_JOINED, clean=texts),
        Key("price", pa.float64(), sql=_PRICE),
        text_key("store"),
        text_list("categories"),
        mapping("details"),
    )
)


def _load(context: NormalisationContext) -> None:
    reviews, products = [], []
    for domain in DOMAINS:
        if not context.load(f"{domain}.jsonl", f"reviews_of_{domain}", _REVIEWS, required=False):
            continue
        reviews.append(domain)
        name = f"meta_{domain}.jsonl"
        if context.load(name, f"products_of_{domain}", _PRODUCTS, required=False):
            products.append(domain)
        else:
            context.notes.append(
                f"items: no {name} in the raw folder; the items of {domain} are derived from its "
                f"reviews, without titles"
            )
    if not reviews:
        raise MissingFileError(
            f"{context.raw}: no reviews of any domain in this folder or below; amazon-2023 needs "
            f"at least one of {', '.join(f'{domain}.jsonl' for domain in DOMAINS)}. Get them with "
            f"'itdr fetch amazon-2023 --out {context.raw}'."
        )
    absent = [domain for domain in DOMAINS if domain not in reviews]
    if absent:
        context.notes.append(
            f"interactions: no reviews in the raw folder, so left out: {', '.join(absent)}"
        )
    _make_views(context, reviews, products)


def _make_views(context: NormalisationContext, reviews: list[str], products: list[str]) -> None:
    interactions = [
        f"""
        SELECT user_id, parent_asin AS item_id, '{domain}' AS domain, rating,
            epoch_ms(timestamp) AS timestamp, title AS review_title, text AS review, file, line
        FROM reviews_of_{domain}
        """
        for domain in reviews
    ]
    context.query(f"CREATE VIEW interactions AS {' UNION ALL '.join(interactions)}")
    items = [_items_of(domain, domain in products) for domain in reviews]
    context.query(f"CREATE VIEW items AS {' UNION ALL '.join(items)}")


def _items_of(domain: str, with_metadata: bool) -> str:
    """Return the SQL of a domain's items."""
    if not with_metadata:
        return f"""
            SELECT parent_asin AS item_id, '{domain}' AS domain, NULL::VARCHAR AS title,
                []::VARCHAR[] AS categories, NULL::VARCHAR AS description, NULL::VARCHAR AS creator,
                NULL::INTEGER AS year, NULL::DOUBLE AS price,
                NULL::MAP(VARCHAR, VARCHAR) AS attributes, min(file) AS file, min(line) AS line
            FROM reviews_of_{domain} GROUP BY parent_asin
            """
    # Whole domains (Fashion, Beauty) have no categories but that of the shop's department.
    return f"""
        SELECT parent_asin AS item_id, '{domain}' AS domain, title,
            CASE WHEN len(categories) > 0 THEN categories
                WHEN main_category IS NOT NULL THEN [main_category] ELSE [] END AS categories,
            description, store AS creator,
            TRY_CAST(regexp_extract(coalesce(details['Original Release Date'],
                details['Release date'], details['Release Date']), '(\\d{{4}})$', 1) AS INTEGER)
                AS year,
            price, map_from_entries(list_filter([
                {{'k': 'main_category', 'v': main_category}},
                {{'k': 'average_rating', 'v': average_rating}},
                {{'k': 'rating_number', 'v': rating_number}},
                {{'k': 'features', 'v': features}}
            ], lambda entry: entry.v IS NOT NULL)) AS attributes, file, line
        FROM products_of_{domain}
        """


READERS.add("amazon-2023", Adapter(_load, _STARS))
