"""The simulated world as Book-Crossing.

Quirks of the real files, on a small share of the rows: letters encoded twice, quotes behind
backslashes, semicolons and entities inside cells, odd book numbers, books without a row, ages that
cannot be, places left out; ages are often NULL, and a third of the ratings are 0 ("not rated").
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from itdr.demo.raw_files.joined import pieces, write
from itdr.demo.world import World

_QUIRKY = 0.03
_NO_ROW = 0.02  # rated books that the file of books lacks
_IMPLICIT = 1 / 3
_NO_AGE = 0.3
_ODD_AGES = (0, 1, 244)
_ACCENTS = str.maketrans("aeiou", "áéíöü")

CITIES = (
    "paris, île-de-france, france",
    "lisboa, lisboa, portugal",
    "san diego, california, usa",
    "québec, québec, canada",
    "köln, nordrhein-westfalen, germany",
    "leeds, england, united kingdom",
    "bergen, hordaland, norway",
    "málaga, andalucía, spain",
)
"""Where people live; their occupation decides, so that the place shows in what they read."""

AUTHORS = ("Ann Lee", "J. R. Moss", "Carla Ortega", "Tom O'Dell", "MARY POOLE", "René Vidal")
PUBLISHERS = ("Harbour Books", "Lee &amp; Sons", "Paperback Press", "Nordlicht Verlag")


def write_bookcrossing(world: World, out: Path, seed: int) -> None:
    """Write BX-Book-Ratings.csv, BX-Books.csv and BX-Users.csv."""
    rng = np.random.default_rng([seed, 10])
    isbns = _isbns(rng, len(world.items))
    users = np.cumsum(rng.choice([1, 1, 1, 2, 7], len(world.users))) + 7
    _write_books(world, isbns, rng, out / "BX-Books.csv")
    _write_users(world.users, users, rng, out / "BX-Users.csv")
    numbers = pa.array(isbns)
    with (out / "BX-Book-Ratings.csv").open("wb") as file:
        file.write(b'"User-ID";"ISBN";"Book-Rating"\r\n')
        for rows in pieces(world):
            rated = np.rint(rows["stars"].to_numpy() * 2).astype(np.int64)
            rated[rng.random(len(rows)) < _IMPLICIT] = 0
            isbn = numbers.take(pa.array(rows["item"].to_numpy()))
            user = users[rows["user"].to_numpy()]
            write(file, '"', user, '";"', isbn, '";"', rated, '"\r')


def _isbns(rng: np.random.Generator, count: int) -> list[str]:
    """Return different ISBNs, some in a form that is none."""
    numbers = 2_000_000 + np.cumsum(rng.integers(1, 40_000_000 // max(count, 40), count))
    quirk = np.where(rng.random(count) < _QUIRKY, rng.integers(0, 4, count), -1)
    isbns = []
    for number, kind in zip(numbers.tolist(), quirk, strict=True):
        digits = f"{number:09d}"
        check = -sum((10 - place) * int(digit) for place, digit in enumerate(digits)) % 11
        isbn = digits + ("X" if check == 10 else str(check))
        odd = (f"{isbn[:9]}x", f"{isbn[:4]}.{isbn[4:]}", f"B0{digits[1:]}", f"978{isbn}")
        isbns.append(isbn if kind < 0 else odd[kind])
    return isbns


def _write_books(world: World, isbns: list[str], rng: np.random.Generator, path: Path) -> None:
    columns = [f'"{name}"' for name in _BOOK_COLUMNS]
    count = len(isbns)
    quirk = np.where(rng.random(count) < _QUIRKY, rng.integers(0, len(_QUIRKS), count), -1)
    authors = rng.integers(0, len(AUTHORS), count)
    publishers = rng.integers(0, len(PUBLISHERS), count)
    years = np.where(rng.random(count) < _QUIRKY, 0, world.items["year"])
    listed = rng.random(count) >= _NO_ROW
    with path.open("w", encoding="latin-1", newline="") as file:
        file.write(";".join(columns) + "\r\n")
        for number in np.flatnonzero(listed):
            title = world.items["title"][number]
            cells = [
                isbns[number],
                title if quirk[number] < 0 else _QUIRKS[quirk[number]](title),
                _twice_encoded(AUTHORS[authors[number]]),
                str(years[number]),
                PUBLISHERS[publishers[number]],
                *(f"http://images.example.com/{isbns[number]}.{size}.jpg" for size in "SML"),
            ]
            file.write('"' + '";"'.join(cells) + '"\r\n')


_BOOK_COLUMNS = (
    *("ISBN", "Book-Title", "Book-Author", "Year-Of-Publication", "Publisher"),
    *("Image-URL-S", "Image-URL-M", "Image-URL-L"),
)


def _twice_encoded(text: str) -> str:
    """Return the text with its small accented letters as the real file has them: "Ã?Â¼"."""
    return "".join(f"Ã?Â{chr(ord(char) - 0x40)}" if "à" <= char <= "ÿ" else char for char in text)


_QUIRKS = (
    lambda title: rf"\"{title}\"",
    lambda title: rf"{title} : A \"True\" Story",
    lambda title: f"{title}; or, The Return",
    lambda title: f"{title} &amp; Other Stories",
    lambda title: _twice_encoded(title.translate(_ACCENTS)),
)


def _write_users(
    people: pd.DataFrame, users: np.ndarray, rng: np.random.Generator, path: Path
) -> None:
    count = len(people)
    # The world's youngest are named by an age from 1 on, which here would be no age at all.
    ages = [f'"{age + 11 if age < 7 else age}"' for age in people["age"]]
    for row in np.flatnonzero(rng.random(count) < _QUIRKY):
        ages[row] = f'"{_ODD_AGES[row % len(_ODD_AGES)]}"'
    for row in np.flatnonzero(rng.random(count) < _NO_AGE):
        ages[row] = "NULL"
    places = [CITIES[work % len(CITIES)] for work in people["occupation"]]
    for row in np.flatnonzero(rng.random(count) < _QUIRKY):
        city, region, country = places[row].split(", ")
        odd = (f"{city}, ,", rf"{city}, \"n/a\", {country}", f"{city}, n/a, {country}")
        places[row] = (*odd, f"&#304;zmir, {region}, {country}")[row % 4]
    with path.open("w", encoding="latin-1", newline="") as file:
        file.write('"User-ID";"Location";"Age"\r\n')
        for user, place, age in zip(users, places, ages, strict=True):
            file.write(f'"{user}";"{place}";{age}\r\n')
