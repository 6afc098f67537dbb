"""Steam: games, and reviews of version 2 (steam_reviews) or 1 (australian_user_reviews).

Both kinds of lines are Python dictionaries. Items are games.

Version 2 has one review a line, without a verdict: `rating` is null. Users are known by `username`,
since `user_id` stands in some lines only; a user's second review of a game is a repeat. Version 1
has one user a line with all their reviews; `rating` is 1 where they recommend the game and 0 where
they do not, and a time without a year ("Posted July 3.", of the year of the crawl) is null.
"""

import pyarrow as pa

from itdr.datasets.adapters.adapter import Adapter
from itdr.datasets.readers.context import NormalisationContext
from itdr.datasets.readers.files import find_file
from itdr.datasets.readers.json_lines import (
    Key,
    date_time,
    identifier,
    required,
    text_key,
    text_list,
)
from itdr.datasets.readers.python_literals import PythonLiterals
from itdr.datasets.readers.text import add_text_functions
from itdr.datasets.tables.schema import Scale
from itdr.errors import DataError, MissingFileError
from itdr.registry import READERS

VERSION_2, VERSION_1 = "steam_reviews.json", "australian_user_reviews.json"

_RECOMMENDED = Scale(0.0, 1.0, 1.0)

# A price is a number or words: "Free to Play", "Third-party".
_PRICE = """
    CASE WHEN TRY_CAST({} AS DOUBLE) BETWEEN 0 AND 1e6 THEN TRY_CAST({} AS DOUBLE)
        WHEN regexp_matches({}, '(?i)\\bfree\\b') THEN 0 END
"""

# A game without an id has one in its address.
_ID = "coalesce(nullif({}, ''), nullif(regexp_extract(url, '/app/([0-9]+)', 1), ''))"

_GAMES = PythonLiterals(
    (
        required(Key("id", pa.string(), sql=_ID)),
        text_key("url"),
        text_key("title"),
        text_key("app_name"),
        text_list("genres"),
        text_list("tags"),
        text_list("specs"),
        text_key("developer"),
        text_key("publisher"),
        text_key("release_date"),
        text_key("sentiment"),
        text_key("metascore"),
        text_key("early_access"),
        Key("price", pa.float64(), sql=_PRICE),
    )
)

_REVIEWS = PythonLiterals(
    (identifier("username"), identifier("product_id"), date_time("date"), text_key("text"))
)

_REVIEW_FIELDS = ("item_id", "posted", "recommend", "review")

_USERS = PythonLiterals(
    (
        identifier("user_id"),
        required(
            Key(
                "reviews",
                pa.list_(pa.struct([(name, pa.string()) for name in _REVIEW_FIELDS])),
                form=[dict.fromkeys(_REVIEW_FIELDS, "VARCHAR")],
            )
        ),
    )
)


def _load(context: NormalisationContext) -> None:
    found = [
        name
        for name in (VERSION_2, VERSION_1)
        if find_file(context.dataset, context.raw, name, required=False)
    ]
    if not found:
        raise MissingFileError(
            f"{context.raw}: neither {VERSION_2} nor {VERSION_1} (or .gz) in this folder or "
            f"below; steam needs one. Get it with 'itdr fetch steam --out {context.raw}'."
        )
    if len(found) == 2:
        raise DataError(
            f"{context.raw}: both {VERSION_2} and {VERSION_1} are there. They name the same "
            f"people in different ways; keep one of them."
        )
    context.load("steam_games.json", "games", _GAMES)
    _make_items(context)
    if found == [VERSION_2]:
        context.load(VERSION_2, "reviews", _REVIEWS)
        context.query(
            """
            CREATE VIEW interactions AS
            SELECT username AS user_id, product_id AS item_id, date AS timestamp, text AS review,
                file, line
            FROM reviews
            """
        )
    else:
        context.load(VERSION_1, "people", _USERS)
        _make_interactions_of_people(context)


def _make_items(context: NormalisationContext) -> None:
    context.query(
        """
        CREATE VIEW items AS
        SELECT id AS item_id, coalesce(title, app_name) AS title,
            CASE WHEN len(genres) > 0 THEN genres ELSE coalesce(tags, []) END AS categories,
            coalesce(developer, publisher) AS creator,
            TRY_CAST(regexp_extract(release_date, '(19|20)\\d\\d') AS INTEGER) AS year, price,
            map_from_entries(list_filter([
                {'k': 'publisher', 'v': publisher},
                {'k': 'tags', 'v': array_to_string(tags, ', ')},
                {'k': 'specs', 'v': array_to_string(specs, ', ')},
                {'k': 'release_date', 'v': release_date},
                {'k': 'sentiment', 'v': sentiment},
                {'k': 'metascore', 'v': metascore},
                {'k': 'early_access', 'v': early_access}
            ], lambda entry: entry.v <> '')) AS attributes, file, line
        FROM games
        """
    )


def _make_interactions_of_people(context: NormalisationContext) -> None:
    """Make one row of each review in the lines of people; repeated lines are rejected."""
    repeats = context.query(
        """
        SELECT line FROM people
        QUALIFY row_number() OVER (PARTITION BY user_id ORDER BY line) > 1 ORDER BY line
        """
    )
    for (line,) in repeats:
        context.accounts[-1].reject(line, "repeats an earlier user_id")
    add_text_functions(context.connection)
    context.query(
        """
        CREATE TABLE single_reviews AS
        SELECT user_id, place, unnest(reviews[place]), file, line FROM (
            SELECT *, unnest(range(1, len(reviews) + 1)) AS place FROM (
                SELECT * FROM people
                QUALIFY row_number() OVER (PARTITION BY user_id ORDER BY line) = 1
            )
        )
        """
    )
    context.query(
        """
        CREATE TABLE interactions AS
        SELECT user_id, item_id,
            CASE recommend WHEN 'true' THEN 1.0 WHEN 'false' THEN 0.0 END::DOUBLE AS rating,
            try_strptime(posted, 'Posted %B %d, %Y.') AS timestamp, plain_text(review) AS review,
            file, line
        FROM single_reviews WHERE item_id <> ''
        QUALIFY row_number() OVER (PARTITION BY user_id, item_id ORDER BY line, place) = 1
        """
    )
    ((left_out,),) = context.query(
        "SELECT (SELECT count(*) FROM single_reviews) - (SELECT count(*) FROM interactions)"
    )
    if left_out:
        context.notes.append(
            f"interactions: {left_out} reviews inside the lines of users left out: they repeat "
            f"another one of the same game, or name none"
        )


READERS.add("steam", Adapter(_load, _RECOMMENDED))
