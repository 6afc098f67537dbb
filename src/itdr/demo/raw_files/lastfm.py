"""The simulated world as Last.fm 1K users and Last.fm 360K users; its films are the artists.

Who gave a film more stars played the artist more often. The country follows the occupation, so
that it can be told from the artists.

Quirks of the real files: artists without a MusicBrainz id, some of them in a few rows only; tracks
without one; letters beyond ASCII, quotes and ampersands; empty genders, ages and countries, ages of
-1337, 3 and 103; a country with a comma; users without a profile; the newest play first.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from itdr.demo.raw_files.columns import hexadecimal, write_columns
from itdr.demo.words import NOUNS, OCCUPATIONS
from itdr.demo.world import World

_QUIRKY = 0.03
_NO_ARTIST_ID = 0.05
_NO_ID_IN_ROW = 0.01
_NO_TRACK_ID = 0.28
_NO_PROFILE = 0.01
_ACCENTS = str.maketrans("aeiou", "áéíöü")
COUNTRIES = (
    *("Germany", "United States", "Poland", "Brazil", "Sweden", "Korea, Republic of"),
    *("Spain", "Cote D'Ivoire", "Japan", "Russian Federation", "Canada", "United Kingdom"),
)
_ODD_AGES = ("-1337", "3", "103")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SECONDS_PER_PLAY = 211
_ADDED_TO_YOUNGEST = 11


def write_1k(world: World, out: Path, seed: int) -> None:
    """Write userid-timestamp-artid-artname-traid-traname.tsv and userid-profile.tsv."""
    rng = np.random.default_rng([seed, 1000])
    users = pa.array([f"user_{user + 1:06d}" for user in range(len(world.users))])
    header = "#id\tgender\tage\tcountry\tregistered"
    _write_profiles(world, users, rng, out / "userid-profile.tsv", header)
    names, ids = _artists(world, rng, str)
    rows = world.interactions
    plays = _plays(rows, rng, mean=3)
    user = np.repeat(rows["user"].to_numpy(), plays)
    item = np.repeat(rows["item"].to_numpy(), plays)
    number = np.arange(len(item)) - np.repeat(np.cumsum(plays) - plays, plays)
    time = np.repeat(rows["time"].to_numpy(), plays) + number * _SECONDS_PER_PLAY
    newest_first = np.lexsort((-time, user))
    user, item, time = user[newest_first], item[newest_first], time[newest_first]
    track, titles, track_ids = _tracks(item, rng)
    write_columns(
        out / "userid-timestamp-artid-artname-traid-traname.tsv",
        (
            users.take(pa.array(user)),
            np.char.add(time.astype("datetime64[s]").astype(str), "Z").astype(object),
            _without_some(ids.take(pa.array(item)), _NO_ID_IN_ROW, rng),
            names.take(pa.array(item)),
            _without_some(track_ids.take(pa.array(track)), _NO_TRACK_ID, rng),
            titles.take(pa.array(track)),
        ),
    )


def write_360k(world: World, out: Path, seed: int) -> None:
    """Write usersha1-artmbid-artname-plays.tsv and usersha1-profile.tsv."""
    rng = np.random.default_rng([seed, 360])
    users = pa.array(sorted(hexadecimal(rng, len(world.users), 40)))
    _write_profiles(world, users, rng, out / "usersha1-profile.tsv", None)
    names, ids = _artists(world, rng, str.lower)
    rows = world.interactions
    user, item, plays = rows["user"].to_numpy(), rows["item"].to_numpy(), _plays(rows, rng, mean=60)
    most_first = np.lexsort((-plays, user))
    user, item, plays = user[most_first], item[most_first], plays[most_first]
    write_columns(
        out / "usersha1-artmbid-artname-plays.tsv",
        (
            users.take(pa.array(user)),
            _without_some(ids.take(pa.array(item)), _NO_ID_IN_ROW, rng),
            names.take(pa.array(item)),
            plays,
        ),
    )


def _plays(rows: pd.DataFrame, rng: np.random.Generator, mean: int) -> np.ndarray:
    """Return how often each artist was played, at least once."""
    return 1 + rng.poisson(mean * rows["stars"].to_numpy() / 3.0)


def _artists(
    world: World, rng: np.random.Generator, spell: Callable[[str], str]
) -> tuple[pa.Array, pa.Array]:
    """Return name and MusicBrainz id ("" where there is none) of each item."""
    quirks = (
        lambda name: name.translate(_ACCENTS),
        lambda name: f"{name} & The Others",
        lambda name: f'"{name}"',
        lambda name: f"{name} 坂本",
    )
    count = len(world.items)
    kind = np.where(rng.random(count) < _QUIRKY, rng.integers(0, len(quirks), count), -1)
    names = [
        spell(name if k < 0 else quirks[k](name))
        for name, k in zip(world.items["title"], kind, strict=True)
    ]
    return pa.array(names), _without_some(_uuids(rng, count), _NO_ARTIST_ID, rng)


def _tracks(item: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, pa.Array, pa.Array]:
    """Return the track of each play, and title and id of every track; an artist has ten."""
    nouns = [noun for group in NOUNS for noun in group]
    count = 10 * (int(item.max()) + 1)
    chosen = rng.integers(0, len(nouns), (2, count))
    titles = [f"{nouns[a]} Of {nouns[b]}" for a, b in chosen.T]
    return item * 10 + rng.integers(0, 10, len(item)), pa.array(titles), _uuids(rng, count)


def _uuids(rng: np.random.Generator, count: int) -> pa.Array:
    texts = hexadecimal(rng, count, 32)
    return pa.array([f"{t[:8]}-{t[8:12]}-{t[12:16]}-{t[16:20]}-{t[20:]}" for t in texts])


def _without_some(cells: pa.Array, share: float, rng: np.random.Generator) -> pa.Array:
    """Return the cells with a share of them empty."""
    return pa.compute.if_else(pa.array(rng.random(len(cells)) < share), "", cells)


def _write_profiles(
    world: World, users: pa.Array, rng: np.random.Generator, path: Path, header: str | None
) -> None:
    people, count = world.users, len(world.users)
    # The world's youngest are 1 to 5; who signs up is older.
    years = people["age"] + np.where(people["age"] < 18, _ADDED_TO_YOUNGEST, 0)
    ages = years.astype(str).to_numpy(dtype=object)
    odd = rng.random(count) < _QUIRKY
    ages[odd] = np.array(_ODD_AGES, dtype=object)[rng.integers(0, len(_ODD_AGES), int(odd.sum()))]
    of_occupation = [COUNTRIES[k % len(COUNTRIES)] for k in range(len(OCCUPATIONS))]
    countries = pa.array(of_occupation).take(pa.array(people["occupation"]))
    genders = pa.array(people["gender"].str.lower().to_list())
    year, month, day = (rng.integers(*ends, count) for ends in ((2003, 2009), (0, 12), (1, 29)))
    signup = [f"{_MONTHS[m]} {d}, {y}" for y, m, d in zip(year, month, day, strict=True)]
    known = np.flatnonzero(rng.random(count) >= _NO_PROFILE)
    columns = (
        users,
        _without_some(genders, _QUIRKY, rng),
        _without_some(pa.array(ages, pa.string()), _QUIRKY, rng),
        _without_some(countries, _QUIRKY, rng),
        pa.array(signup),
    )
    write_columns(path, [column.take(pa.array(known)) for column in columns], header=header)
