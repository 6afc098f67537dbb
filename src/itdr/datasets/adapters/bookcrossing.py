"""Book-Crossing: ratings from 0 to 10 without times, of which 0 means "read, but not rated".

The files are in Latin-1 with backslash-escaped quotes. Titles and names went through UTF-8 twice
before, and hold HTML entities; both are repaired. A location is "city, state, country" with some of
the three empty or "n/a". Many books that were rated have no row in the file of books.
"""

from itdr.datasets.adapters.adapter import Adapter
from itdr.datasets.readers.cells import Unused, WholeNumberOrNothing
from itdr.datasets.readers.context import NormalisationContext
from itdr.datasets.readers.escaped_csv import EscapedCsv
from itdr.datasets.readers.fields import Field, Identifier, NumericIdentifier, WholeNumber
from itdr.datasets.readers.text import Text, repaired_text
from itdr.datasets.tables.schema import Scale
from itdr.registry import READERS

SCALE = Scale(1.0, 10.0, 1.0)

YOUNGEST, OLDEST = 5, 100
"""Ages outside these are taken for jokes and become null."""

EARLIEST, LATEST = 1450, 2005
"""Years of publication outside these, such as 0 and 2050, become null; the data are of 2004."""

_NO_PLACE = ("", "n/a", "na", "none", "null", "unknown", "-", "--", ".", "*", "?")


def _file(*fields: Field) -> EscapedCsv:
    return EscapedCsv(fields, separator=";", encoding="latin-1")


_RATINGS = _file(
    NumericIdentifier("User-ID"),
    Identifier("ISBN"),
    WholeNumber("Book-Rating", required=True, low=0, high=10),
)
_BOOKS = _file(
    Identifier("ISBN"),
    Text("Book-Title", repair=repaired_text),
    Text("Book-Author", repair=repaired_text),
    WholeNumberOrNothing("Year-Of-Publication", nothing=("NULL",)),
    Text("Publisher", repair=repaired_text),
    Unused("Image-URL-S"),
    Unused("Image-URL-M"),
    Unused("Image-URL-L"),
)
_USERS = _file(
    NumericIdentifier("User-ID"),
    Text("Location", repair=repaired_text),
    WholeNumberOrNothing("Age", low=-(2**53), nothing=("NULL",)),
)


def _load(context: NormalisationContext) -> None:
    context.load("BX-Book-Ratings.csv", "ratings", _RATINGS)
    context.load("BX-Books.csv", "books", _BOOKS)
    context.load("BX-Users.csv", "people", _USERS)
    context.query(
        """
        CREATE VIEW interactions AS
        SELECT "User-ID" AS user_id, ISBN AS item_id,
            nullif("Book-Rating", 0)::DOUBLE AS rating, file, line
        FROM ratings
        """
    )
    context.query(
        f"""
        CREATE VIEW items AS
        SELECT ISBN AS item_id, "Book-Title" AS title, "Book-Author" AS creator,
            CASE WHEN "Year-Of-Publication" BETWEEN {EARLIEST} AND {LATEST}
                THEN "Year-Of-Publication"::INTEGER END AS year,
            CASE WHEN Publisher IS NOT NULL THEN MAP {{'publisher': Publisher}} END AS attributes,
            file, line
        FROM books
        """
    )
    _make_users(context)
    _note_implausible(context)


def _make_users(context: NormalisationContext) -> None:
    # Some places are in quotes of their own: "n/a".
    places = """
        list_transform(string_split(Location, ','), lambda place: trim(place, ' "\\'))
    """
    context.query(
        f"""
        CREATE VIEW users AS
        WITH placed AS (
            SELECT *, {places} AS places FROM people
        ), known AS (
            SELECT *, list_filter(places, lambda place: lower(place) NOT IN {_NO_PLACE}) AS named
            FROM placed
        )
        SELECT "User-ID" AS user_id,
            CASE WHEN Age BETWEEN {YOUNGEST} AND {OLDEST} THEN Age::INTEGER END AS age,
            CASE WHEN len(places) >= 3 AND lower(places[-1]) NOT IN {_NO_PLACE}
                THEN places[-1] END AS country,
            nullif(list_aggregate(named, 'string_agg', ', '), '') AS location, file, line
        FROM known
        """
    )


def _note_implausible(context: NormalisationContext) -> None:
    ((ages,),) = context.query(
        f"SELECT count(*) FROM people WHERE Age NOT BETWEEN {YOUNGEST} AND {OLDEST}"
    )
    ((years,),) = context.query(
        f"""
        SELECT count(*) FROM books
        WHERE "Year-Of-Publication" NOT BETWEEN {EARLIEST} AND {LATEST}
        """
    )
    if ages:
        context.notes.append(f"users: {ages} ages outside {YOUNGEST} to {OLDEST} are left out")
    if years:
        context.notes.append(f"items: {years} years outside {EARLIEST} to {LATEST} are left out")


READERS.add("bookcrossing", Adapter(_load, SCALE))
