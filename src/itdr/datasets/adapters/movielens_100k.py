"""MovieLens 100K: genres are columns of zeros and ones, ages are years, the rest is plain text.

The film whose title is "unknown" has no date and no address either; its title is kept.
"""

from itdr.datasets.adapters.adapter import Adapter
from itdr.datasets.adapters.movielens import GENDERS
from itdr.datasets.readers.context import NormalisationContext
from itdr.datasets.readers.delimited import Delimited
from itdr.datasets.readers.fields import (
    Code,
    Field,
    Number,
    NumericIdentifier,
    WholeNumber,
    seconds,
)
from itdr.datasets.tables.schema import Scale
from itdr.registry import READERS

GENRES = (
    "unknown",
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
)
"""The last columns of u.item, in their order, as u.genre has them."""

_SCALE = Scale(1.0, 5.0, 1.0)
_OLDEST = 120


def _file(*fields: Field, separator: str = "|") -> Delimited:
    return Delimited(fields, separator=separator, quoted=False, header=False, encoding="latin-1")


_DATA = _file(
    NumericIdentifier("user"),
    NumericIdentifier("film"),
    Number("rating", required=True, low=_SCALE.low, high=_SCALE.high, step=_SCALE.step),
    seconds("timestamp"),
    separator="\t",
)
_ITEM = _file(
    NumericIdentifier("film"),
    Field("title", required=True),
    Field("released"),
    Field("released_on_video"),
    Field("address"),
    *(WholeNumber(genre, required=True, high=1) for genre in GENRES),
)
_USER = _file(
    NumericIdentifier("user"),
    WholeNumber("age", high=_OLDEST),
    Code("gender", names=GENDERS),
    Field("occupation"),
    Field("zip"),
)


def _load(context: NormalisationContext) -> None:
    context.load("u.data", "ratings", _DATA)
    context.load("u.item", "films", _ITEM)
    context.load("u.user", "people", _USER)
    context.query(
        """
        CREATE VIEW interactions AS
        SELECT "user" AS user_id, film AS item_id, rating,
            make_timestamp(timestamp * 1000000) AS timestamp, file, line
        FROM ratings
        """
    )
    named = ", ".join(
        f"""CASE WHEN "{genre}" = 1 THEN '{genre.replace("'", "''")}' END""" for genre in GENRES[1:]
    )
    # The year of a title is that of the film; the date is often that of a later showing.
    in_title = r"regexp_extract(title, '\((\d{4})\)(?: \(V\))?$', 1)"
    context.query(
        f"""
        CREATE VIEW items AS
        SELECT film AS item_id, title, list_filter([{named}], lambda genre: genre IS NOT NULL)
                AS categories,
            coalesce(TRY_CAST({in_title} AS INTEGER), TRY_CAST(right(released, 4) AS INTEGER))
                AS year, file, line
        FROM films
        """
    )
    context.query(
        """
        CREATE VIEW users AS
        SELECT "user" AS user_id, gender, age, occupation, zip AS location, file, line
        FROM people
        """
    )


READERS.add("movielens-100k", Adapter(_load, _SCALE))
