"""The simulated world as Steam, version 2: lines of Python 2 dictionaries, compressed.

Quirks of the real files, on a small share of the rows: apostrophes and quotes in strings, letters
as escapes of two, four and eight digits, prices in words, odd dates, games without id, title or
genres, a game that stands twice, reviews that stand twice, keys that only some lines have.
"""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from itdr.demo.raw_files.joined import choice, join, pieces, write
from itdr.demo.raw_files.reviews import review_texts
from itdr.demo.world import World

_QUIRKY = 0.03
_REPEATED = 0.01
_PLAIN_ENDINGS = ["", " Caf\\xe9 style.", " \\u4e2d\\u6587", " 10/10 \\U0001f600", "\\n\\nBye"]
_PLAIN_CHANCES = [0.88, 0.03, 0.03, 0.03, 0.03]
_WITH_APOSTROPHE = " It's \\xe9\""
_WITH_QUOTES = ' They say "wow".\''
_WITH_BOTH = " It\\'s \"wow\".'"
_FIRST_GAME = 10
_GAME_STEP = 10


def write_files(world: World, out: Path, seed: int) -> None:
    """Write steam_games.json.gz and steam_reviews.json.gz."""
    rng = np.random.default_rng([seed, 7])
    with (out / "steam_games.json.gz").open("wb") as raw, _compressed(raw) as file:
        for game in _games(world, rng):
            file.write(python_2_literal(game).encode("ascii") + b"\n")
    with (out / "steam_reviews.json.gz").open("wb") as raw, _compressed(raw) as file:
        for piece in pieces(world):
            place = np.repeat(
                np.arange(len(piece)), np.where(rng.random(len(piece)) < _REPEATED, 2, 1)
            )
            write(file, _reviews(world, piece, rng).take(pa.array(place)))


def game_id(item: np.ndarray | int) -> Any:
    """Return the id of a game by its number in the world."""
    return _FIRST_GAME + _GAME_STEP * item


def python_2_literal(value: Any) -> str:
    """Return a value as `print` of Python 2 shows it: ASCII, text with the prefix u."""
    if isinstance(value, str):
        return "u" + ascii(value)
    if isinstance(value, list):
        return f"[{', '.join(map(python_2_literal, value))}]"
    if isinstance(value, dict):
        pairs = (f"{python_2_literal(key)}: {python_2_literal(v)}" for key, v in value.items())
        return f"{{{', '.join(pairs)}}}"
    return repr(value)


def _compressed(raw: Any) -> gzip.GzipFile:
    # Without name and time, so that the same world gives the same bytes.
    return gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0)


def _games(world: World, rng: np.random.Generator) -> list[dict[str, Any]]:
    luck = rng.random((len(world.items), 5))
    items = (world.items[name] for name in ("item", "title", "year", "genres"))
    games = [
        _game(item, title, year, genres, chances)
        for item, title, year, genres, chances in zip(*items, luck, strict=True)
    ]
    games.insert(len(games) // 2, {"url": "http://store.example.org/", "price": 19.99})
    games.append(dict(games[0]))
    return games


def _game(item: int, title: str, year: int, genres: list[str], luck: np.ndarray) -> dict[str, Any]:
    """Return a game; the random numbers decide which quirks it has."""
    names = [title, f"{title}'s Tale", f'The "{title}"', f"{title} \N{TRADE MARK SIGN}"]
    name = names[int(np.searchsorted([0.97, 0.98, 0.99], luck[0]))]
    year += 40  # there were no such games in 1950
    dates = [f"{year}-01-04", str(year), f"Jun {year}", "Soon.."]
    prices: list[Any] = [4.99, 19.99, 0.49, "Free", "Free To Play", "Third-party"]
    game: dict[str, Any] = {"publisher": f"{genres[0]} House"}
    if luck[1] > _QUIRKY:
        game["genres"] = genres
    game |= {
        "app_name": name,
        "sentiment": "Mostly Positive" if luck[2] > _QUIRKY else "3 user reviews",
        "url": f"http://store.example.org/app/{game_id(item)}/",
        "release_date": dates[int(np.searchsorted([0.97, 0.98, 0.99], luck[2]))],
        "tags": [*genres, "Replay Value"],
    }
    if luck[3] > _QUIRKY:
        game["title"] = name
    if luck[4] > 0.05:
        game["price"] = prices[int((luck[4] * 997) % len(prices))]
    return game | {"early_access": False, "id": str(game_id(item)), "developer": "One & Sons"}


def _reviews(world: World, rows: pd.DataFrame, rng: np.random.Generator) -> pa.Array:
    """Return a dictionary for each of some interactions."""
    count = len(rows)
    endings = choice(_PLAIN_ENDINGS, _PLAIN_CHANCES, rng, count)
    text = join("u'", review_texts(world, rows, rng), endings, "'")
    plain = pc.utf8_slice_codeunits(text, 2, -1)
    luck = rng.random(count)
    for below, start, end in (
        (0.03, 'u"', _WITH_APOSTROPHE),
        (0.02, "u'", _WITH_QUOTES),
        (0.01, "u'", _WITH_BOTH),
    ):
        text = pc.if_else(pa.array(luck < below), join(start, plain, end), text)
    day = (rows["time"].to_numpy() // 86_400).astype("datetime64[D]")
    extra = [
        "",
        "u'compensation': u'Product received for free', ",
        "u'found_funny': 2, ",
        "u'user_id': u'76561197970982479', ",
    ]
    return join(
        "{", choice(extra, [0.6, 0.02, 0.08, 0.3], rng, count),
        "u'username': u'", user_name(rows["user"].to_numpy()),
        "', u'hours': ", rng.integers(0, 9999, count) / 10,
        ", u'products': ", rng.integers(1, 500, count),
        ", u'product_id': u'", game_id(rows["item"].to_numpy()),
        "', u'page_order': 0, u'date': u'", pa.array(day).cast(pa.string()),
        "', u'text': ", text,
        ", u'early_access': ", choice(["False", "True"], [0.9, 0.1], rng, count),
        ", u'page': ", rng.integers(1, 20, count), "}",
    )  # fmt: skip


def user_name(user: np.ndarray) -> pa.Array:
    """Return the names of users by their numbers in the world, as they stand in the file."""
    names = join("player", user)
    return pc.if_else(pa.array(user % 37 == 5), join(names, " \\xe4"), names)
