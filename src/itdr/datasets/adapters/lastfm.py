"""Last.fm 1K users (single plays) and Last.fm 360K users (plays per artist).

In both the item is the artist, and an interaction says how often a user played it: that is what
the tasks ask about, and single plays of 19 million lines become a table of the same kind as the
totals. Of single plays the pair keeps the time of the last one.

An artist goes by its MusicBrainz id. A row without one takes the id that its artist's name has
elsewhere (the most played of several), and else the name itself is the id.
"""

from itdr.datasets.adapters.adapter import Adapter
from itdr.datasets.readers.cells import Unused
from itdr.datasets.readers.context import NormalisationContext
from itdr.datasets.readers.delimited import Delimited
from itdr.datasets.readers.fields import Code, Field, Identifier, WholeNumber
from itdr.datasets.readers.patterns import Matching
from itdr.datasets.readers.text import Text, tidy
from itdr.datasets.readers.times import Time
from itdr.registry import READERS

GENDERS = {"f": "female", "m": "male"}

YOUNGEST, OLDEST = 5, 100
"""Ages outside these are taken for jokes and become null."""


def _hash(name: str) -> Matching:
    return Matching(name, required=True, pattern="[0-9a-f]{40}", form="40 hexadecimal digits")


def _tsv(*fields: Field, header: bool = False) -> Delimited:
    return Delimited(fields, separator="\t", quoted=False, header=header)


_PLAYS_1K = _tsv(
    Identifier("userid"),
    Time("timestamp"),
    Field("artid"),
    Text("artname", required=True, repair=tidy),
    Unused("traid"),
    Unused("traname"),
)
_PLAYS_360K = _tsv(
    _hash("usersha1"),
    Field("artmbid"),
    Text("artname", required=True, repair=tidy),
    WholeNumber("plays", required=True, low=1, high=10**9),
)


def _profile(user: Field, header: bool) -> Delimited:
    age = WholeNumber("age", low=-(2**53))
    return _tsv(
        *(user, Code("gender", names=GENDERS), age, Field("country"), Unused("registered")),
        header=header,
    )


_PROFILE_1K = _profile(Identifier("#id"), header=True)
_PROFILE_360K = _profile(_hash("usersha1"), header=False)


def _load_1k(context: NormalisationContext) -> None:
    context.load("userid-timestamp-artid-artname-traid-traname.tsv", "single_plays", _PLAYS_1K)
    context.load("userid-profile.tsv", "profiles", _PROFILE_1K)
    context.query(
        """
        CREATE TABLE plays AS
        SELECT userid AS user_id, artid AS mbid, artname AS name, count(*) AS plays,
            max(timestamp) AS timestamp, min(file) AS file, min(line) AS line
        FROM single_plays
        GROUP BY userid, artid, artname
        """
    )
    _make_views(context, '"#id"')


def _load_360k(context: NormalisationContext) -> None:
    context.load("usersha1-artmbid-artname-plays.tsv", "plays_by_hash", _PLAYS_360K)
    context.load("usersha1-profile.tsv", "profiles", _PROFILE_360K)
    context.query(
        """
        CREATE VIEW plays AS
        SELECT usersha1 AS user_id, artmbid AS mbid, artname AS name, plays,
            NULL::TIMESTAMP AS timestamp, file, line
        FROM plays_by_hash
        """
    )
    _make_views(context, "usersha1")


def _make_views(context: NormalisationContext, profile_id: str) -> None:
    """Make interactions and items from `plays`, and users from `profiles`."""
    context.query(
        """
        CREATE TABLE artists AS
        SELECT mbid, name, sum(plays)::BIGINT AS plays, min(file) AS file, min(line) AS line
        FROM plays GROUP BY mbid, name
        """
    )
    # Beside the artists' own ids: those that names without one take over.
    context.query(
        """
        CREATE TABLE borrowed AS
        SELECT name, arg_max(mbid, (plays, mbid)) AS mbid
        FROM artists
        WHERE mbid IS NOT NULL AND name IN (SELECT name FROM artists WHERE mbid IS NULL)
        GROUP BY name
        """
    )
    item = "coalesce(a.mbid, borrowed.mbid, a.name)"
    context.query(
        f"""
        CREATE TABLE interactions AS
        SELECT user_id, {item} AS item_id, sum(plays)::BIGINT AS plays,
            max(timestamp) AS timestamp, min(file) AS file, min(line) AS line
        FROM plays a LEFT JOIN borrowed ON a.name = borrowed.name
        GROUP BY 1, 2
        """
    )
    context.query(
        f"""
        CREATE TABLE items AS
        SELECT {item} AS item_id, arg_max(a.name, (plays, a.name)) AS title,
            min(file) AS file, min(line) AS line
        FROM artists a LEFT JOIN borrowed ON a.name = borrowed.name
        GROUP BY 1
        """
    )
    _make_users(context, profile_id)


def _make_users(context: NormalisationContext, profile_id: str) -> None:
    plausible = f"age BETWEEN {YOUNGEST} AND {OLDEST}"
    context.query(
        f"""
        CREATE VIEW users AS
        SELECT {profile_id} AS user_id, gender, CASE WHEN {plausible} THEN age END AS age,
            country, file, line
        FROM profiles
        """
    )
    ((odd,),) = context.query(f"SELECT count(*) FROM profiles WHERE NOT {plausible}")
    if odd:
        context.notes.append(f"users: {odd} ages outside {YOUNGEST} to {OLDEST} are left out")


READERS.add(
    "lastfm-1k",
    Adapter(
        _load_1k,
        scale=None,
        several_lines="The plays of a user and an artist are added up from several lines, of which "
        "the first is shown; an artist's line is the first that names it.",
    ),
)
READERS.add(
    "lastfm-360k",
    Adapter(
        _load_360k,
        scale=None,
        several_lines="An artist's line is the first that names it.",
    ),
)
