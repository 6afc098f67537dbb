"""The simulated world as Amazon Books Reviews.

Quirks of the real files: reviews without a user (beside those of the world), most books without a
price, HTML entities, quotes in names, several editions of one title, Python lists in cells, dates
of different length, cells over several lines, a row without a title.
"""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from itdr.demo.raw_files.joined import Part, pieces, write
from itdr.demo.raw_files.reviews import review_texts, review_titles
from itdr.demo.world import World

_QUIRKY = 0.03
_NAMELESS = 0.1  # reviews without a user for each one with a user
_HEADER = (
    "Id,Title,Price,User_id,profileName,review/helpfulness,review/score,review/time,"
    "review/summary,review/text"
)
_COLUMNS = (
    *("Title", "description", "authors", "image", "previewLink", "publisher", "publishedDate"),
    *("infoLink", "categories", "ratingsCount"),
)
_AUTHORS = ("Ann Lee", "J. R. Moss", "Carla Ortega", "Tom O'Dell", 'Mary "May" Poole')
_NAMES = ("Kevin", '"Roy E. ""amateur philosopher"""', '"Lee, M."', "renée")


def write_amazon_books(world: World, out: Path, seed: int) -> None:
    """Write Books_rating.csv and books_data.csv."""
    rng = np.random.default_rng([seed, 30])
    titles = [
        f'{title}: "A" Novel, Revised' if odd else title
        for title, odd in zip(
            world.items["title"], rng.random(len(world.items)) < _QUIRKY, strict=True
        )
    ]
    _write_titles(world, titles, rng, out / "books_data.csv")
    _write_reviews(world, titles, rng, out / "Books_rating.csv")


def _write_reviews(world: World, titles: list[str], rng: np.random.Generator, path: Path) -> None:
    count = len(titles)
    # Two Ids for each book; only few have an edition that the second one names.
    ids = pa.array([f"{4_010_000 + 31 * n:010d}" for n in range(2 * count)])
    editions = rng.random(count) < _QUIRKY
    prices = [f"{n % 40 + 5}.{n % 100:02d}" if n % 5 == 0 else "" for n in range(count)]
    written = pa.array([_quoted(title) for title in titles]), pa.array(prices)
    known = world.interactions.assign(user=world.interactions["user"] + 1)
    nameless = known.iloc[np.sort(rng.permutation(len(known))[: int(len(known) * _NAMELESS)])]
    rows = pd.concat([known, nameless.assign(user=0)], ignore_index=True)
    rows = rows.sort_values("item", kind="stable")  # the real file has the reviews by book
    with path.open("wb") as file:
        file.write(_HEADER.encode() + b"\n")
        for part in pieces(world, rows):
            item, user = part["item"].to_numpy(), part["user"].to_numpy()
            second = editions[item] & (user % 2 == 1)
            write(
                file,
                *(ids.take(pa.array(2 * item + second)), ","),
                *(written[0].take(pa.array(item)), ",", written[1].take(pa.array(item)), ","),
                *_person(user),
                *(user % 3, "/", 3 + user % 4, ","),
                *(np.clip(np.floor(part["stars"] + 0.5), 1, 5).astype(np.int64), ".0,"),
                *(part["time"].to_numpy(), ","),
                *(review_titles(world, part, rng), ',"'),
                *(_roughened(review_texts(world, part, rng), rng), '"'),
            )


def _person(user: np.ndarray) -> tuple[Part, ...]:
    """Return id and name of the users with what separates them; user 0 has none."""
    number = pc.utf8_lpad(pa.array(user).cast(pa.string()), 13, "0")
    name = pa.array(_NAMES).take(pa.array(user % len(_NAMES)))
    nobody = pa.array(user == 0)
    ids = pc.if_else(nobody, "", pc.binary_join_element_wise("A", number, ""))
    return ids, ",", pc.if_else(nobody, "", name), ","


def _roughened(texts: pa.Array, rng: np.random.Generator) -> pa.Array:
    """Return the texts with some entities, and few line ends, as they may stand in quotes."""
    kind = rng.random(len(texts))
    entities = pc.replace_substring(texts, " it", " &quot;it&quot;")
    lines = pc.replace_substring(texts, ". ", ".\n", max_replacements=1)
    texts = pc.if_else(pa.array(kind < 0.09), entities, texts)
    return pc.if_else(pa.array(kind > 0.999), lines, texts)


def _write_titles(world: World, titles: list[str], rng: np.random.Generator, path: Path) -> None:
    given = rng.random((len(titles), 4)) < (0.72, 0.86, 0.23, 0.97)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        writer.writerow(["", "No title here", "['Nobody']", "", "", "", "1999", "", "", ""])
        for n, (title, year, genres) in enumerate(
            zip(titles, world.items["year"], world.items["genres"], strict=True)
        ):
            link = f"http://books.example.com/{n}"
            date = (str(year), f"{year}-02", f"{year}-01-01")[n % 3]
            authors = [_AUTHORS[n % len(_AUTHORS)], _AUTHORS[n % 3]][: 1 + (n % 4 == 0)]
            about = f"A {genres[0]} book.{chr(10) if n % 50 == 0 else ' '}It is called {title}."
            writer.writerow(
                [
                    *(title, about if given[n, 0] else ""),
                    *(str(authors), link, link, "Oak & Sons", date if given[n, 3] else "", link),
                    *(str(genres) if given[n, 1] else "", f"{n % 90}.0" if given[n, 2] else ""),
                ]
            )


def _quoted(cell: str) -> str:
    """Return a CSV cell, in quotes where it has to be."""
    if "," in cell or '"' in cell:
        return '"' + cell.replace('"', '""') + '"'
    return cell
