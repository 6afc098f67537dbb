"""Amazon Books Reviews: reviews of books (Books_rating.csv) and what is known of a title.

A book goes by its Id (ISBN-10 or ASIN); editions of one title are different books. The file of
titles has no Id: its rows are joined by Title, and those of titles that no review has are rejected.
A fifth of the reviews have no user and are no interactions, but they still name their book.
"""

import numpy as np

from itdr.datasets.adapters.adapter import Adapter
from itdr.datasets.readers.cells import PythonList, SecondsOrNothing, Unused
from itdr.datasets.readers.context import NormalisationContext
from itdr.datasets.readers.fields import Field, Identifier, Number
from itdr.datasets.readers.multiline import MultilineCsv
from itdr.datasets.readers.text import Text
from itdr.datasets.tables.schema import Scale
from itdr.registry import READERS

SCALE = Scale(1.0, 5.0, 1.0)

_REVIEWS = MultilineCsv(
    (
        Identifier("Id"),
        Text("Title"),
        Field("Price"),
        Field("User_id"),
        Unused("profileName"),
        Unused("review/helpfulness"),
        Number("review/score", required=True, low=SCALE.low, high=SCALE.high, step=SCALE.step),
        SecondsOrNothing("review/time", nothing=("-1", "0")),
        Text("review/summary"),
        Text("review/text"),
    )
)
_TITLES = MultilineCsv(
    (
        Text("Title", required=True),
        Text("description"),
        PythonList("authors"),
        Unused("image"),
        Unused("previewLink"),
        Text("publisher"),
        Field("publishedDate"),
        Unused("infoLink"),
        PythonList("categories"),
        Field("ratingsCount"),
    )
)


def _load(context: NormalisationContext) -> None:
    context.load("Books_rating.csv", "reviews", _REVIEWS)
    context.load("books_data.csv", "titles", _TITLES)
    _reject(context, "SELECT file, line FROM reviews WHERE User_id IS NULL", "User_id is missing")
    context.query(
        """
        CREATE VIEW interactions AS
        SELECT User_id AS user_id, Id AS item_id, "review/score" AS rating,
            make_timestamp("review/time" * 1000000) AS timestamp,
            "review/summary" AS review_title, "review/text" AS review, file, line
        FROM reviews WHERE User_id IS NOT NULL
        """
    )
    _make_items(context)


def _reject(context: NormalisationContext, rows: str, reason: str) -> None:
    """Put staged rows, given as a query of file and line, on the account."""
    found = context.connection.execute(rows).fetchnumpy()
    for file in np.unique(found["file"]):
        for line in found["line"][found["file"] == file].tolist():
            context.accounts[int(file)].reject(line, reason)


def _make_items(context: NormalisationContext) -> None:
    """Make the books from the reviews, and give them what is known of their titles."""
    context.query(
        """
        CREATE TABLE books AS
        SELECT Id, arg_min(Title, line) AS Title,
            arg_min(TRY_CAST(Price AS DOUBLE), line) AS price,
            min(file) AS file, min(line) AS line
        FROM reviews GROUP BY Id
        """
    )
    numbered = "SELECT *, row_number() OVER (PARTITION BY Title ORDER BY line) AS place FROM titles"
    context.query(f"CREATE VIEW numbered AS {numbered}")
    _reject(context, "SELECT file, line FROM numbered WHERE place > 1", "repeats an earlier Title")
    _reject(
        context,
        "SELECT file, line FROM numbered WHERE place = 1 AND Title NOT IN "
        "(SELECT Title FROM books WHERE Title IS NOT NULL)",
        "no review has this Title, so that its Id is not known",
    )
    known = """
        list_filter([('publisher', publisher),
            ('ratings_count', TRY_CAST(ratingsCount AS DOUBLE)::BIGINT::VARCHAR)],
            lambda pair: pair[2] IS NOT NULL)
    """
    context.query(
        f"""
        CREATE TABLE items AS
        SELECT b.Id AS item_id, b.Title AS title, coalesce(t.categories, []) AS categories,
            t.description, nullif(list_aggregate(t.authors, 'string_agg', ', '), '') AS creator,
            TRY_CAST(regexp_extract(t.publishedDate, '^\\d{{4}}') AS INTEGER) AS year, b.price,
            CASE WHEN len({known}) > 0 THEN map_from_entries({known}) END AS attributes,
            b.file, b.line
        FROM books b LEFT JOIN numbered t ON t.Title = b.Title AND t.place = 1
        """
    )

    ((bare,),) = context.query(
        "SELECT count(*) FROM books WHERE Title IS NULL OR Title NOT IN (SELECT Title FROM titles)"
    )
    if bare:
        context.notes.append(
            f"items: {bare} books have no row in books_data.csv; their title is all that is known"
        )


READERS.add(
    "amazon-books",
    Adapter(
        _load,
        SCALE,
        several_lines="A book's line is the first review of it; what else is known of the book "
        "stands in the line of books_data.csv with the same Title.",
    ),
)
