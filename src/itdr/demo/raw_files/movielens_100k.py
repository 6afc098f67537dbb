"""The simulated world as MovieLens 100K.

Quirks of the real files: latin-1 titles, the film "unknown" without date, address and genre, a
video release behind a title, ratings in no order.
"""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from itdr.demo.raw_files.movielens import films_of, quirks, write_lines, zip_codes
from itdr.demo.world import World

_GENRES = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime"),
    *("Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery"),
    *("Romance", "Sci-Fi", "Thriller", "War", "Western"),
)
_SPELT = {"Children": "Children's"}
_OCCUPATIONS = (
    *("other", "educator", "artist", "administrator", "student", "librarian", "healthcare"),
    *("executive", "none", "homemaker", "entertainment", "lawyer", "programmer", "retired"),
    *("salesman", "scientist", "marketing", "engineer", "technician", "doctor", "writer"),
)
_FOREIGN = 0.02  # share of postal codes with letters


def write_100k(world: World, out: Path, seed: int) -> None:
    """Write u.data, u.item and u.user."""
    rng = np.random.default_rng([seed, 100])
    more = [*quirks(), lambda title, year: f"{title} ({year}) (V)"]
    films, ids = films_of(world, rng, more)
    lines = [
        _film(number, title, [_SPELT.get(name, name) for name in genres], rng)
        for number, title, genres in zip(films["id"], films["title"], films["genres"], strict=True)
    ]
    lines.append(f"{films['id'].max() + 1}|unknown||||1|{'|'.join('0' * (len(_GENRES) - 1))}")
    write_lines(out / "u.item", None, lines, encoding="latin-1")
    people = world.users
    codes = zip_codes(rng, len(people))
    codes = [
        "T8H1N" if letters else code[:5]
        for code, letters in zip(codes, rng.random(len(people)) < _FOREIGN, strict=True)
    ]
    jobs = [_OCCUPATIONS[number] for number in people["occupation"]]
    columns = (people["user"] + 1, people["age"], people["gender"], jobs, codes)
    write_lines(
        out / "u.user", None, ("|".join(map(str, row)) for row in zip(*columns, strict=True))
    )
    rows = world.interactions.iloc[rng.permutation(len(world.interactions))]
    stars = np.clip(np.floor(rows["stars"].to_numpy() + 0.5), 1, 5).astype(int)
    ratings = zip(rows["user"] + 1, ids[rows["item"]], stars, rows["time"], strict=True)
    write_lines(out / "u.data", None, ("\t".join(map(str, row)) for row in ratings))


def _film(number: int, title: str, genres: list[str], rng: np.random.Generator) -> str:
    day = datetime(1995 + int(rng.integers(4)), 1, 1, tzinfo=UTC)
    flags = "|".join(str(int(genre in genres)) for genre in _GENRES)
    return f"{number}|{title}|{day:%d-%b-%Y}||http://films.example.com/{number}|{flags}"
