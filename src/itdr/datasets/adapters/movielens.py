"""MovieLens 32M (also 20M, 25M and latest-small, which have the same columns) and MovieLens 1M.

Of the tags that people gave a film, the most frequent become its attribute "tags"; the file of tags
may be absent.
"""

from itdr.datasets.adapters.adapter import Adapter
from itdr.datasets.readers.context import NormalisationContext
from itdr.datasets.readers.delimited import Delimited
from itdr.datasets.readers.fields import Code, Field, Number, NumericIdentifier, seconds
from itdr.datasets.readers.text import Text
from itdr.datasets.tables.schema import Scale
from itdr.registry import READERS

NO_GENRES = "(no genres listed)"

GENDERS = {"F": "female", "M": "male"}

AGE_GROUPS = {
    "1": "Under 18",
    "18": "18-24",
    "25": "25-34",
    "35": "35-44",
    "45": "45-49",
    "50": "50-55",
    "56": "56+",
}
"""Names of the age codes, as the README of MovieLens 1M has them."""

OCCUPATIONS = {
    "0": "other",
    "1": "academic/educator",
    "2": "artist",
    "3": "clerical/admin",
    "4": "college/grad student",
    "5": "customer service",
    "6": "doctor/health care",
    "7": "executive/managerial",
    "8": "farmer",
    "9": "homemaker",
    "10": "K-12 student",
    "11": "lawyer",
    "12": "programmer",
    "13": "retired",
    "14": "sales/marketing",
    "15": "scientist",
    "16": "self-employed",
    "17": "technician/engineer",
    "18": "tradesman/craftsman",
    "19": "unemployed",
    "20": "writer",
}
"""Names of the occupation codes, as the README of MovieLens 1M has them."""

_STARS = Scale(0.5, 5.0, 0.5)
_WHOLE_STARS = Scale(1.0, 5.0, 1.0)


def _rating(name: str, scale: Scale) -> Number:
    return Number(name, required=True, low=scale.low, high=scale.high, step=scale.step)


_RATINGS_CSV = Delimited(
    (
        NumericIdentifier("userId"),
        NumericIdentifier("movieId"),
        _rating("rating", _STARS),
        seconds("timestamp"),
    )
)
_MOVIES_CSV = Delimited((NumericIdentifier("movieId"), Field("title"), Field("genres")))
_TAGS_CSV = Delimited(
    (
        NumericIdentifier("userId"),
        NumericIdentifier("movieId"),
        Text("tag"),
        seconds("timestamp"),
    )
)
_TAGS = 20  # most tags of a film


def _dat(*fields: Field) -> Delimited:
    return Delimited(fields, separator="::", quoted=False, header=False, encoding="latin-1")


_RATINGS_DAT = _dat(
    NumericIdentifier("userId"),
    NumericIdentifier("movieId"),
    _rating("rating", _WHOLE_STARS),
    seconds("timestamp"),
)
_MOVIES_DAT = _dat(NumericIdentifier("movieId"), Field("title"), Field("genres"))
_USERS_DAT = _dat(
    NumericIdentifier("userId"),
    Code("gender", required=True, names=GENDERS),
    Code("age", required=True, names=AGE_GROUPS),
    Code("occupation", required=True, names=OCCUPATIONS),
    Field("zip"),
)


def _load_32m(context: NormalisationContext) -> None:
    context.load("ratings.csv", "ratings", _RATINGS_CSV)
    context.load("movies.csv", "movies", _MOVIES_CSV)
    if context.load("tags.csv", "tags", _TAGS_CSV, required=False):
        _make_tagged(context)
    else:
        context.query(_NO_TAGS)
        context.notes.append("items: without tags, as there is no tags.csv")
    _make_views(context)


def _load_1m(context: NormalisationContext) -> None:
    context.load("ratings.dat", "ratings", _RATINGS_DAT)
    context.load("movies.dat", "movies", _MOVIES_DAT)
    context.load("users.dat", "people", _USERS_DAT)
    context.query(_NO_TAGS)
    _make_views(context)
    context.query(
        """
        CREATE VIEW users AS
        SELECT userId AS user_id, gender, age AS age_group, occupation, zip AS location, file, line
        FROM people
        """
    )


_NO_TAGS = "CREATE TABLE tagged (film VARCHAR, tags VARCHAR)"


def _make_tagged(context: NormalisationContext) -> None:
    """Make the table of each film's most frequent tags; capitals make no other tag."""
    context.query(
        f"""
        CREATE TABLE tagged AS
        SELECT film, string_agg(tag, ', ' ORDER BY times DESC, tag) AS tags FROM (
            FROM (SELECT movieId::VARCHAR AS film, lower(tag) AS tag, count(*) AS times
                FROM tags WHERE tag <> '' GROUP BY 1, 2)
            QUALIFY row_number() OVER (PARTITION BY film ORDER BY times DESC, tag) <= {_TAGS}
        ) GROUP BY film
        """
    )


def _make_views(context: NormalisationContext) -> None:
    context.query(
        """
        CREATE VIEW interactions AS
        SELECT userId AS user_id, movieId AS item_id, rating,
            make_timestamp(timestamp * 1000000) AS timestamp, file, line
        FROM ratings
        """
    )
    # Some titles have a bracket too many behind the year.
    context.query(
        f"""
        CREATE VIEW items AS
        SELECT movieId AS item_id, title,
            CASE WHEN genres IS NULL OR genres = '{NO_GENRES}' THEN []
                ELSE list_filter(string_split(genres, '|'), lambda genre: genre <> '')
            END AS categories,
            TRY_CAST(regexp_extract(title, '\\((\\d{{4}})\\)+$', 1) AS INTEGER) AS year,
            CASE WHEN tags IS NOT NULL THEN MAP {{'tags': tags}} END AS attributes, file, line
        FROM movies LEFT JOIN tagged ON film = movieId::VARCHAR
        """
    )


READERS.add(
    "movielens-32m",
    Adapter(_load_32m, _STARS, several_lines="A film's tags stand in the lines of tags.csv."),
)
READERS.add("movielens-1m", Adapter(_load_1m, _WHOLE_STARS))
