"""Anime Dataset 2023 (MyAnimeList): anime, their users, and the scores from 1 to 10 without times.

Missing is the word UNKNOWN in the file of anime. Its synopses go over several lines. A copy with
fewer columns is read as far as it goes; it must have the id, the name and the genres.
"""

from itdr.datasets.adapters.adapter import Adapter
from itdr.datasets.readers.cells import Unused
from itdr.datasets.readers.context import NormalisationContext
from itdr.datasets.readers.fields import Field, NumericIdentifier, WholeNumber
from itdr.datasets.readers.files import find_file
from itdr.datasets.readers.multiline import MultilineCsv
from itdr.datasets.readers.text import Text
from itdr.datasets.tables.schema import Scale
from itdr.errors import DataError
from itdr.registry import READERS

SCALE = Scale(1.0, 10.0, 1.0)

FIRST_BIRTH, LAST_BIRTH = 1923, 2018
"""Years of birth outside these (ages 5 to 100 when the data were taken) become null."""

ANIME = "anime-dataset-2023.csv"
NEEDED = ("anime_id", "Name", "Genres")

_ATTRIBUTES = {
    "English name": "english_name",
    "Type": "type",
    "Episodes": "episodes",
    "Source": "source",
    "Duration": "duration",
    "Rating": "audience",
    "Score": "mean_score",
    "Producers": "producers",
}
"""Columns that become attributes, and their names there."""

_CREDIT = r"\s*\[Written by MAL Rewrite\]$"
_NOTHING = ("UNKNOWN", "Unknown", "No description available for this anime.")

_TEXTS = (*_ATTRIBUTES, "Name", "Genres", "Synopsis", "Aired", "Studios")
_UNUSED = (
    *("Other name", "Premiered", "Status", "Licensors", "Rank", "Popularity"),
    *("Favorites", "Scored By", "Members", "Image URL"),
)
_COLUMNS: dict[str, Field] = {
    "anime_id": NumericIdentifier("anime_id"),
    **{name: Text(name, nothing=_NOTHING) for name in _TEXTS},
    **{name: Unused(name) for name in _UNUSED},
}

_USERS = MultilineCsv(
    (
        NumericIdentifier("Mal ID"),
        Unused("Username"),
        Field("Gender"),
        Field("Birthday"),
        Text("Location"),
        *(Unused(name) for name in ("Joined", "Days Watched", "Mean Score", "Watching")),
        *(Unused(name) for name in ("Completed", "On Hold", "Dropped", "Plan to Watch")),
        *(Unused(name) for name in ("Total Entries", "Rewatched", "Episodes Watched")),
    )
)
_SCORES = MultilineCsv(
    (
        NumericIdentifier("user_id"),
        Unused("Username"),
        NumericIdentifier("anime_id"),
        Unused("Anime Title"),
        WholeNumber("rating", required=True, low=1, high=10),
    )
)


def _load(context: NormalisationContext) -> None:
    _load_anime(context)
    context.load("users-details-2023.csv", "people", _USERS)
    context.load("users-score-2023.csv", "scores", _SCORES)
    context.query(
        """
        CREATE VIEW interactions AS
        SELECT user_id, anime_id AS item_id, rating::DOUBLE AS rating, file, line FROM scores
        """
    )
    _make_items(context)
    _make_users(context)


def _load_anime(context: NormalisationContext) -> None:
    """Stage the anime with all columns, those that the file lacks being null."""
    file = find_file(context.dataset, context.raw, ANIME)
    found = MultilineCsv(()).names_in(file) if file else []
    lacking = [name for name in _COLUMNS if name not in found]
    needed = [name for name in NEEDED if name in lacking]
    unknown = [name for name in found if name not in _COLUMNS]
    if file and (needed or unknown or len(set(found)) < len(found)):
        raise DataError(
            f"{file}: the first line names the columns {', '.join(found)[:500]!r}; "
            f"{'lacking: ' + ', '.join(needed) + '; ' if needed else ''}allowed are, once each: "
            f"{', '.join(_COLUMNS)}. Is it a re-saved copy? Fetch the original."
        )
    form = MultilineCsv(tuple(_COLUMNS[name] for name in found))
    context.load(ANIME, "anime_as_found", form)
    missed = [name for name in _TEXTS if name in lacking]
    added = "".join(f', NULL::VARCHAR AS "{name}"' for name in missed)
    context.query(f"CREATE VIEW anime AS SELECT *{added} FROM anime_as_found")
    if missed:
        context.notes.append(f"items: {ANIME} lacks the columns {', '.join(missed)}")


def _make_items(context: NormalisationContext) -> None:
    # Whole numbers are written as "26.0".
    pairs = ", ".join(
        f"('{key}', regexp_replace(\"{name}\", '^(\\d+)\\.0$', '\\1'))"
        for name, key in _ATTRIBUTES.items()
    )
    context.query(
        f"""
        CREATE VIEW items AS
        WITH described AS (
            SELECT *, list_filter([{pairs}], lambda pair: pair[2] IS NOT NULL) AS known FROM anime
        )
        SELECT anime_id AS item_id, Name AS title,
            CASE WHEN Genres IS NULL THEN [] ELSE string_split(Genres, ', ') END AS categories,
            regexp_replace(Synopsis, '{_CREDIT}', '') AS description, Studios AS creator,
            TRY_CAST(regexp_extract(Aired, '\\b(\\d{{4}})\\b', 1) AS INTEGER) AS year,
            CASE WHEN len(known) > 0 THEN map_from_entries(known) END AS attributes, file, line
        FROM described
        """
    )


def _make_users(context: NormalisationContext) -> None:
    plausible = f"born BETWEEN {FIRST_BIRTH} AND {LAST_BIRTH}"
    context.query(
        """
        CREATE TABLE persons AS
        SELECT "Mal ID" AS user_id, lower(Gender) AS gender, Location AS location,
            TRY_CAST(regexp_extract(Birthday, '^(\\d{4})-\\d\\d-\\d\\d', 1) AS INTEGER) AS born,
            file, line
        FROM people
        """
    )
    context.query(
        f"""
        CREATE VIEW users AS
        SELECT user_id, CASE WHEN gender IN ('female', 'male') THEN gender END AS gender,
            CASE WHEN {plausible} THEN born END AS birth_year, location, file, line
        FROM persons
        """
    )
    ((odd, other),) = context.query(
        f"""
        SELECT count(*) FILTER (NOT {plausible}),
            count(*) FILTER (gender NOT IN ('female', 'male'))
        FROM persons
        """
    )
    if odd:
        context.notes.append(
            f"users: {odd} years of birth outside {FIRST_BIRTH} to {LAST_BIRTH} are left out"
        )
    if other:
        context.notes.append(f"users: {other} genders that are neither female nor male left out")


READERS.add("anime-2023", Adapter(_load, SCALE))
