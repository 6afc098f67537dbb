"""The simulated world as the Anime Dataset 2023.

Quirks of the real files: UNKNOWN for what is missing, synopses over several lines, names with
quotes and commas, two anime of one name, mostly empty attributes of users, "26.0" for a number.
"""

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa

from itdr.demo.raw_files.joined import pieces, write
from itdr.demo.world import World

_QUIRKY = 0.03
_UNKNOWN = 0.04
_EMPTY = 0.3  # share of users who do not give an attribute; in the real file it is 70 %
_TAKEN = 2023  # the year of the data, in which ages become years of birth

CITIES = (
    *("Paris, France", "Lisbon, Portugal", "California", "Québec, Canada", "Köln"),
    *("Leeds, UK", "Bergen, Norway", "Málaga, Spain"),
)
"""Where people live; their occupation decides, so that the place shows in what they watch."""

COLUMNS = (
    *("anime_id", "Name", "English name", "Other name", "Score", "Genres", "Synopsis", "Type"),
    *("Episodes", "Aired", "Premiered", "Status", "Producers", "Licensors", "Studios", "Source"),
    *("Duration", "Rating", "Rank", "Popularity", "Favorites", "Scored By", "Members", "Image URL"),
)
_USER_COLUMNS = (
    *("Mal ID", "Username", "Gender", "Birthday", "Location", "Joined", "Days Watched"),
    *("Mean Score", "Watching", "Completed", "On Hold", "Dropped", "Plan to Watch"),
    *("Total Entries", "Rewatched", "Episodes Watched"),
)
STUDIOS = ("Blue Heron", "Studio Lark, Inc.", "Kiwi Works", "Tall Tree")

_QUIRKS = (
    lambda title: f'{title}: "Zoku"',
    lambda title: f"{title}, Tokubetsu-hen",
    lambda title: f"{title} Ⅱ",
    lambda title: f"{title} & Friends!",
)


def write_anime(world: World, out: Path, seed: int) -> None:
    """Write anime-dataset-2023.csv, users-details-2023.csv and users-score-2023.csv."""
    rng = np.random.default_rng([seed, 23])
    anime = np.cumsum(rng.choice([1, 1, 2, 3, 9], len(world.items)))
    users = np.cumsum(rng.choice([1, 1, 2, 5], len(world.users)))
    names = _names(world, rng)
    _write_anime(world, anime, names, rng, out / "anime-dataset-2023.csv")
    _write_users(world, users, rng, out / "users-details-2023.csv")
    quoted = pa.array([_quoted(name) for name in names])
    with (out / "users-score-2023.csv").open("wb") as file:
        file.write(b"user_id,Username,anime_id,Anime Title,rating\n")
        for rows in pieces(world):
            user, item = users[rows["user"].to_numpy()], rows["item"].to_numpy()
            scores = np.rint(rows["stars"].to_numpy() * 2).astype(np.int64)
            title = quoted.take(pa.array(item))
            write(file, user, ",fan", user, ",", anime[item], ",", title, ",", scores)


def _names(world: World, rng: np.random.Generator) -> list[str]:
    names = world.items["title"].tolist()
    for number in np.flatnonzero(rng.random(len(names)) < _QUIRKY):
        names[number] = _QUIRKS[number % len(_QUIRKS)](names[number])
    if len(names) > 10:
        names[-1] = names[-2]
    return names


def _write_anime(
    world: World, anime: np.ndarray, names: list[str], rng: np.random.Generator, path: Path
) -> None:
    count = len(names)
    unknown = rng.random((count, 3)) < _UNKNOWN
    studio = rng.integers(0, len(STUDIOS), count)
    episodes = rng.integers(1, 53, count)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for n, (name, year, genres) in enumerate(
            zip(names, world.items["year"], world.items["genres"], strict=True)
        ):
            row = dict.fromkeys(COLUMNS, "UNKNOWN")
            row |= {"anime_id": str(anime[n]), "Name": name, "Type": "TV", "Source": "Original"}
            row["Synopsis"] = f"A {genres[0]} story.\n\nIt is called {name}.\n[Written for fun]"
            row["Aired"] = f"Apr 3, {year} to Apr 24, {year + 1}"
            row |= {"Popularity": str(n), "Favorites": "0", "Members": "1", "Duration": "24 min"}
            row["Image URL"] = f"https://images.example.com/{anime[n]}.jpg"
            if not unknown[n, 0]:
                row["Genres"] = ", ".join(genres)
            if not unknown[n, 1]:
                row["Studios"] = STUDIOS[studio[n]]
            if not unknown[n, 2]:
                row |= {"Episodes": f"{episodes[n]}.0", "Score": f"{5 + n % 400 / 100:.2f}"}
            writer.writerow(row.values())


def _write_users(world: World, users: np.ndarray, rng: np.random.Generator, path: Path) -> None:
    people = world.users
    given = rng.random((len(people), 3)) >= _EMPTY
    odd = rng.random(len(people)) < _QUIRKY
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_USER_COLUMNS)
        rows = zip(users, people["gender"], people["age"], people["occupation"], strict=True)
        for n, (user, gender, age, work) in enumerate(rows):
            # The world's youngest are named by an age from 1 on, which here would be no age at all.
            born = 1900 if odd[n] else _TAKEN - (age + 11 if age < 7 else age)
            name = "Non-Binary" if odd[n] else {"F": "Female", "M": "Male"}[gender]
            cells = [
                *(user, f"fan{user}" if n != 1 else ""),
                name if given[n, 0] else "",
                f"{born}-03-04T00:00:00+00:00" if given[n, 1] else "",
                CITIES[work % len(CITIES)] if given[n, 2] else "",
                "2004-11-05T00:00:00+00:00",
            ]
            writer.writerow(cells + (["12.5"] * 10 if n != 2 else [""] * 10))


def _quoted(cell: str) -> str:
    """Return a CSV cell, in quotes where it has to be."""
    if "," in cell or '"' in cell:
        return '"' + cell.replace('"', '""') + '"'
    return cell
