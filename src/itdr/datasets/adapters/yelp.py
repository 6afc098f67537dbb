"""Yelp Open Dataset, also in the releases of 2018 that have a neighbourhood.

Items are businesses. Dates have no time zone and are taken for UTC. Where one user reviewed a
business again, the first review in the file counts. The users' file holds nothing that a task
needs: where it is there, it only says who has an account.
"""

import pyarrow as pa

from itdr.datasets.adapters.adapter import Adapter
from itdr.datasets.readers.context import NormalisationContext
from itdr.datasets.readers.json_lines import (
    JsonLines,
    Key,
    date_time,
    identifier,
    mapping,
    rating,
    text_key,
)
from itdr.datasets.tables.schema import Scale
from itdr.registry import READERS

_STARS = Scale(1.0, 5.0, 1.0)

_REVIEWS = JsonLines(
    (
        identifier("user_id"),
        identifier("business_id"),
        rating("stars", _STARS.low, _STARS.high),
        date_time("date"),
        text_key("text"),
    )
)

# One text, "Food, Coffee & Tea".
_CATEGORIES = """
    list_filter(list_transform(string_split({}, ','), lambda name: trim(name)),
        lambda name: name <> '')
"""

_BUSINESSES = JsonLines(
    (
        identifier("business_id"),
        text_key("name"),
        text_key("city"),
        text_key("state"),
        text_key("neighborhood"),
        Key("categories", pa.list_(pa.string()), sql=_CATEGORIES),
        mapping("attributes"),
    )
)

_USERS = JsonLines((identifier("user_id"),))

_USERS_FILE = "yelp_academic_dataset_user.json"

_PLAIN_VALUE = """
    CASE WHEN value = 'None' THEN NULL
        WHEN starts_with(value, '{')
            THEN array_to_string(regexp_extract_all(value, '[''"]([^''"]*)[''"]: True', 1), ', ')
        ELSE regexp_replace(value, '^u?([''"])(.*)[''"]$', '\\2')
    END
"""
"""SQL of an attribute without its Python spelling: u'free' is free; of {'garage': False, 'lot':
True} the names that are true stay."""


_TOLD_ONCE = """
    list_filter(entries, lambda entry, place:
        entry.v <> '' AND list_position(list_transform(entries, lambda e: e.k), entry.k) = place)
"""
"""SQL of a list of keys k and values v without those that are empty or repeat a key."""


def _load(context: NormalisationContext) -> None:
    context.load("yelp_academic_dataset_review.json", "reviews", _REVIEWS)
    context.load("yelp_academic_dataset_business.json", "businesses", _BUSINESSES)
    context.query(
        """
        CREATE VIEW interactions AS
        SELECT user_id, business_id AS item_id, stars AS rating, date AS timestamp, text AS review,
            file, line
        FROM reviews
        """
    )
    context.query(f"CREATE MACRO plain_value(value) AS {_PLAIN_VALUE}")
    context.query(f"CREATE MACRO told_once(entries) AS {_TOLD_ONCE}")
    context.query(
        """
        CREATE VIEW items AS
        SELECT business_id AS item_id, name AS title, coalesce(categories, []) AS categories,
            map_from_entries(told_once(
                [{'k': 'city', 'v': city}, {'k': 'state', 'v': state},
                    {'k': 'neighborhood', 'v': neighborhood}]
                || list_transform(map_entries(coalesce(attributes, MAP {})),
                    lambda entry: {'k': entry.key, 'v': plain_value(entry.value)})
            )) AS attributes, file, line
        FROM businesses
        """
    )
    if context.load(_USERS_FILE, "people", _USERS, required=False):
        context.query("CREATE VIEW users AS SELECT user_id, file, line FROM people")
    else:
        context.notes.append(f"users: no {_USERS_FILE} in the raw folder, which no task needs")


READERS.add("yelp", Adapter(_load, _STARS))
