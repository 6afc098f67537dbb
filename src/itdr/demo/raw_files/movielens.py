"""The simulated world as MovieLens 32M and MovieLens 1M.

Quirks of the real files, on a small share of the films: an article behind the title, a comma,
quotes, letters beyond ASCII, a second title in brackets, no year, blanks at the end, no genres.
Film ids have gaps, and some films are rated by nobody.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from itdr.demo.world import AGE_GROUP_STARTS, World

_QUIRKY = 0.03
_UNRATED = 0.01  # films added that nobody has seen
_ROWS_AT_ONCE = 1 << 20
_ACCENTS = str.maketrans("aeiou", "áéíöü")

_ADDRESSES_WITH_PLUS_FOUR = 0.013
_1M_GENRES = {"Children": "Children's"}

_Films = tuple[pd.DataFrame, np.ndarray]


def write_32m(world: World, out: Path, seed: int) -> None:
    """Write ratings.csv, movies.csv, tags.csv and links.csv."""
    rng = np.random.default_rng([seed, 32])
    films, ids = films_of(world, rng, quirks_of_32m())
    genres = ["|".join(names) for names in films["genres"]]
    listed = np.where(rng.random(len(films)) < _QUIRKY, "(no genres listed)", genres)
    header = "movieId,title,genres"
    write_lines(
        out / "movies.csv",
        header,
        (
            f"{film},{_quoted(title)},{names}"
            for film, title, names in zip(films["id"], films["title"], listed, strict=True)
        ),
    )
    imdb = rng.integers(1, 9_999_999, len(films))
    tmdb = ["" if number % 97 == 0 else number % 400_000 + 2 for number in imdb]
    links = zip(films["id"], imdb, tmdb, strict=True)
    write_lines(
        out / "links.csv",
        "movieId,imdbId,tmdbId",
        (f"{film},{number:07d},{other}" for film, number, other in links),
    )
    _write_tags(world, ids, rng, out / "tags.csv")
    _write_32m_ratings(world, ids, out / "ratings.csv")


def write_1m(world: World, out: Path, seed: int) -> None:
    """Write ratings.dat, movies.dat and users.dat."""
    rng = np.random.default_rng([seed, 1])
    films, ids = films_of(world, rng, quirks())
    write_lines(
        out / "movies.dat",
        None,
        (
            f"{film}::{title}::{'|'.join(_1M_GENRES.get(name, name) for name in names)}"
            for film, title, names in zip(films["id"], films["title"], films["genres"], strict=True)
        ),
        encoding="latin-1",
    )
    people = world.users
    starts = np.array(AGE_GROUP_STARTS)
    codes = starts[np.searchsorted(starts, people["age"].to_numpy(), side="right") - 1]
    zips = zip_codes(rng, len(people))
    columns = (people["user"] + 1, people["gender"], codes, people["occupation"], zips)
    write_lines(
        out / "users.dat",
        None,
        ("::".join(map(str, row)) for row in zip(*columns, strict=True)),
    )
    rows = world.interactions
    stars = np.clip(np.floor(rows["stars"].to_numpy() + 0.5), 1, 5).astype(int)
    ratings = zip(rows["user"] + 1, ids[rows["item"]], stars, rows["time"], strict=True)
    write_lines(out / "ratings.dat", None, ("::".join(map(str, row)) for row in ratings))


def films_of(
    world: World, rng: np.random.Generator, quirks: list[Callable[[str, int], str]]
) -> _Films:
    """Return all films with `id`, `title` and `genres`, and the id of each item of the world."""
    known = world.items
    added = max(1, int(len(known) * _UNRATED))
    ids = np.cumsum(rng.choice([1, 1, 1, 1, 1, 1, 1, 2, 5], len(known) + added))
    ids -= ids[0] - 1
    # Unrated films stand anywhere among the others.
    rated = np.sort(rng.permutation(len(ids))[: len(known)])
    unrated = np.setdiff1d(np.arange(len(ids)), rated)
    kinds = rng.integers(0, len(quirks), len(known))
    quirky = np.where(rng.random(len(known)) < _QUIRKY, kinds, -1)
    titles = [
        f"{title} ({year})" if quirk < 0 else quirks[quirk](title, year)
        for title, year, quirk in zip(known["title"], known["year"], quirky, strict=True)
    ]
    films = pd.DataFrame({"id": ids})
    films.loc[rated, "title"] = titles
    films.loc[unrated, "title"] = [f"Unseen {number + 1} (1999)" for number in range(added)]
    films["genres"] = pd.Series(known["genres"].tolist(), index=rated).reindex(films.index)
    films["genres"] = [names if isinstance(names, list) else ["Drama"] for names in films["genres"]]
    return films, ids[rated]


def quirks() -> list[Callable[[str, int], str]]:
    """Return ways to spell a title; no two titles become the same."""
    return [
        lambda title, year: f"{title}, The ({year})",
        lambda title, year: f"{title}, or Another Story ({year})",
        lambda title, year: f'"{title}" ({year})',
        lambda title, year: f"{title.translate(_ACCENTS)} ({year})",
        lambda title, year: f"{title}: The Return (a.k.a. {title} 2) ({year})",
    ]


def quirks_of_32m() -> list[Callable[[str, int], str]]:
    """Return the odd ways of writing a title (with its year, mostly) in MovieLens-32M."""
    return [
        *quirks(),
        lambda title, year: f"{title} Uncut",
        lambda title, year: f"{title}, A ({year}) ",
        lambda title, year: f"{title} (Часть первая) ({year})",
    ]


def _write_32m_ratings(world: World, ids: np.ndarray, path: Path) -> None:
    rows = world.interactions
    halves = pa.array([f"{half / 2:.1f}" for half in range(11)])
    columns = ("userId", "movieId", "rating", "timestamp")
    types = (pa.int64(), pa.int64(), pa.string(), pa.int64())
    schema = pa.schema(list(zip(columns, types, strict=True)))
    users, films = rows["user"].to_numpy() + 1, ids[rows["item"].to_numpy()]
    # As in the real file: by user, then by film.
    order = np.argsort((users.astype(np.int64) << 32) | films)
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="none")
    with path.open("wb") as file:
        file.write(",".join(columns).encode() + b"\n")
        with pyarrow.csv.CSVWriter(file, schema, write_options=options) as writer:
            for start in range(0, len(order), _ROWS_AT_ONCE):
                part = order[start : start + _ROWS_AT_ONCE]
                stars = np.rint(rows["stars"].to_numpy()[part] * 2).astype(np.int8)
                writer.write_table(
                    pa.table(
                        [
                            pa.array(users[part], pa.int64()),
                            pa.array(films[part], pa.int64()),
                            halves.take(pa.array(stars)),
                            pa.array(rows["time"].to_numpy()[part], pa.int64()),
                        ],
                        schema=schema,
                    )
                )


def _write_tags(world: World, ids: np.ndarray, rng: np.random.Generator, path: Path) -> None:
    words = np.array(["classic", "slow start", 'the "good" one', "space, time", "naïve"])
    count = min(len(world.interactions), 1 + len(world.interactions) // 200)
    rows = world.interactions.iloc[np.sort(rng.permutation(len(world.interactions))[:count])]
    tags = words[rng.integers(0, len(words), len(rows))]
    columns = (rows["user"] + 1, ids[rows["item"]], tags, rows["time"] + 60)
    write_lines(
        path,
        "userId,movieId,tag,timestamp",
        (
            f"{user},{film},{_quoted(tag)},{time}"
            for user, film, tag, time in zip(*columns, strict=True)
        ),
    )


def zip_codes(rng: np.random.Generator, count: int) -> list[str]:
    """Return postal codes, some with leading zeros and some as ZIP+4."""
    codes = rng.integers(501, 99_951, count)
    plus_four = np.where(
        rng.random(count) < _ADDRESSES_WITH_PLUS_FOUR, rng.integers(1, 10_000, count), 0
    )
    return [
        f"{code:05d}" + (f"-{extra:04d}" if extra else "")
        for code, extra in zip(codes, plus_four, strict=True)
    ]


def _quoted(cell: str) -> str:
    """Return a CSV cell, in quotes where it has to be."""
    if "," in cell or '"' in cell:
        return '"' + cell.replace('"', '""') + '"'
    return cell


def write_lines(
    path: Path, header: str | None, lines: Iterable[str], encoding: str = "utf-8"
) -> None:
    """Write lines, the header first where there is one."""
    with path.open("w", encoding=encoding, newline="\n") as file:
        if header:
            file.write(header + "\n")
        file.writelines(line + "\n" for line in lines)
