"""The simulated world as MIND: behaviors.tsv and news.tsv; its films are the news.

The first part of what a person watched is the history, the same in all rows of the person; the rest
are clicks in rows of their own, shown among news that was not clicked, sometimes two in a row.

Quirks of the real files: 12-hour times, rows in no order, empty histories, ids that come twice in a
history, news without metadata, quotes in titles, empty abstracts, "[]" or nothing for the entities.
"""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from itdr.demo.raw_files.columns import write_columns
from itdr.demo.world import World

_QUIRKY = 0.03
_IN_HISTORY = 0.7
_NO_HISTORY = 0.02
_TWICE_IN_HISTORY = 0.2  # of the histories
_SECOND_CLICK = 0.1  # share of the later clicks that happen in the row of the one before
_OTHERS_SHOWN = 4
_NO_METADATA = 0.01
"""The real file of news has a row for all, but samples of it do not."""


def write_mind(world: World, out: Path, seed: int) -> None:
    """Write behaviors.tsv and news.tsv."""
    rng = np.random.default_rng([seed, 2019])
    news = rng.choice(len(world.items) * 3, len(world.items), replace=False) + 1
    _write_news(world, news, rng, out / "news.tsv")
    _write_behaviors(world, news, rng, out / "behaviors.tsv")


def _write_behaviors(world: World, news: np.ndarray, rng: np.random.Generator, path: Path) -> None:
    rows = world.interactions
    user = rows["user"].to_numpy()
    ids = [f"N{number}" for number in news[rows["item"].to_numpy()]]
    first = np.searchsorted(user, np.arange(len(world.users) + 1))
    length = (np.diff(first) * _IN_HISTORY).astype(np.int64)
    length[rng.random(len(length)) < _NO_HISTORY] = 0
    histories = [
        " ".join(ids[start : start + count])
        for start, count in zip(first[:-1], length, strict=True)
    ]
    for number in np.flatnonzero((rng.random(len(length)) < _TWICE_IN_HISTORY) & (length > 0)):
        histories[number] += " " + ids[first[number]]
    later = np.flatnonzero(np.arange(len(rows)) >= (first[:-1] + length)[user])
    # The clicks of one row are of one user and stand next to each other.
    opens = (rng.random(len(later)) >= _SECOND_CLICK) | (user[later] != np.r_[-1, user[later]][:-1])
    shown = _shown([ids[place] for place in later], np.cumsum(opens) - 1, news, rng)
    leading = later[opens]
    order = rng.permutation(len(leading))
    users = rng.choice(len(world.users) * 2, len(world.users), replace=False) + 1
    who = user[leading[order]]
    write_columns(
        path,
        (
            np.arange(1, len(order) + 1),
            pa.array([f"U{number}" for number in users]).take(pa.array(who)),
            pa.array(_times_of_usa(rows["time"].to_numpy()[leading[order]])),
            pa.array(histories).take(pa.array(who)),
            pa.array(shown).take(pa.array(order)),
        ),
    )


def _shown(
    clicked: list[str], row: np.ndarray, news: np.ndarray, rng: np.random.Generator
) -> list[str]:
    """Return the impressions of each row: its clicked ids among others, in any order."""
    count = int(row[-1]) + 1
    others = news[rng.integers(0, len(news), count * _OTHERS_SHOWN)]
    marked = [f"{name}-1" for name in clicked] + [f"N{number}-0" for number in others]
    rows = np.r_[row, np.repeat(np.arange(count), _OTHERS_SHOWN)]
    order = np.lexsort((rng.random(len(rows)), rows))
    marked = [marked[place] for place in order]
    ends = np.searchsorted(rows[order], np.arange(count + 1))
    return [" ".join(marked[start:end]) for start, end in pairwise(ends)]


def _times_of_usa(seconds: np.ndarray) -> list[str]:
    """Return times such as 11/12/2019 2:14:46 PM."""
    at = pd.DatetimeIndex(seconds.astype("datetime64[s]"))
    half, hour = np.where(at.hour < 12, "AM", "PM"), (at.hour + 11) % 12 + 1
    parts = zip(at.month, at.day, at.year, hour, at.minute, at.second, half, strict=True)
    return [f"{mo}/{d}/{y} {h}:{mi:02d}:{s:02d} {x}" for mo, d, y, h, mi, s, x in parts]


def _write_news(world: World, news: np.ndarray, rng: np.random.Generator, path: Path) -> None:
    items = world.items
    count = len(items)
    quoted = rng.random(count) < _QUIRKY
    titles = [
        f'Why "{title} is talked about' if quirky else title
        for title, quirky in zip(items["title"], quoted, strict=True)
    ]
    abstracts = [
        f"All there is to know about {title}, for friends of {names[0].lower()}."
        for title, names in zip(items["title"], items["genres"], strict=True)
    ]
    labels = [
        json.dumps([{"Label": names[0], "Type": "U", "Confidence": 1.0}])
        for names in items["genres"]
    ]
    columns = (
        pa.array([f"N{number}" for number in news]),
        pa.array([names[0].lower() for names in items["genres"]]),
        pa.array(["".join(names).lower() for names in items["genres"]]),
        pa.array(titles),
        _replaced(abstracts, "", _QUIRKY, rng),
        pa.array([f"https://news.example/{number}.html" for number in news]),
        _replaced(labels, "[]", 0.25, rng),
        _replaced(labels, "", _QUIRKY, rng),
    )
    known = np.flatnonzero(rng.random(count) >= _NO_METADATA)
    write_columns(path, [column.take(pa.array(known)) for column in columns])


def _replaced(cells: list[str], by: str, share: float, rng: np.random.Generator) -> pa.Array:
    """Return the cells with a share of them replaced."""
    return pc.if_else(pa.array(rng.random(len(cells)) < share), by, pa.array(cells))
