"""The simulated world as PixelRec: interaction.csv and item_info.csv; its films are the videos.

Quirks of the real files: the item stands before the user; titles and descriptions with commas,
quotes and letters beyond ASCII; empty titles, many empty descriptions, and videos of which nothing
but the title is known; whole counters written as 799668.0; rows in no order.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from itdr.demo.raw_files.columns import write_columns
from itdr.demo.world import World

_QUIRKY = 0.03
_NO_TITLE = 0.002
_NO_DESCRIPTION = 0.238
_NOTHING_KNOWN = 0.002
_COUNTERS = {
    **{"view_number": 1.0, "comment_number": 0.004, "thumbup_number": 0.06, "share_number": 0.008},
    **{"coin_number": 0.02, "favorite_number": 0.02, "barrage_number": 0.006},
}
"""Counters in the file's order, with their usual share of the views."""


def write_pixelrec(world: World, out: Path, seed: int) -> None:
    """Write interaction.csv and item_info.csv."""
    rng = np.random.default_rng([seed, 50])
    items = _ids(rng, len(world.items), "i")
    users = _ids(rng, len(world.users), "u")
    rows = world.interactions
    order = rng.permutation(len(rows))
    write_columns(
        out / "interaction.csv",
        (
            items.take(pa.array(rows["item"].to_numpy()[order])),
            users.take(pa.array(rows["user"].to_numpy()[order])),
            rows["time"].to_numpy()[order],
        ),
        separator=",",
        header="item_id,user_id,timestamp",
    )
    _write_items(world, items, rng, out / "item_info.csv")


def _ids(rng: np.random.Generator, count: int, letter: str) -> pa.Array:
    """Return different ids of digits behind a letter, in no order."""
    numbers = rng.choice(count * 5, count, replace=False) + 1
    return pa.array([f"{letter}{number}" for number in numbers])


def _write_items(world: World, ids: pa.Array, rng: np.random.Generator, path: Path) -> None:
    count = len(world.items)
    views = 1 + np.floor(rng.lognormal(12, 1.5, count))
    blank = rng.random(count) < _NOTHING_KNOWN
    counters = [
        _blanked([f"{np.floor(v * share):.1f}" for v in views], blank)
        for share in _COUNTERS.values()
    ]
    tags = [" and ".join(names) for names in world.items["genres"]]
    stories = [
        f'A video about "{title}", made for all who like {names[0].lower()}, and more.'
        for title, names in zip(world.items["title"], world.items["genres"], strict=True)
    ]
    silent = blank | (rng.random(count) < _NO_DESCRIPTION)
    titles = _blanked(_titles(world, rng), rng.random(count) < _NO_TITLE)
    write_columns(
        path,
        (
            *(ids, *counters, _quoted(titles)),
            _quoted(_blanked(tags, blank)),
            _quoted(_blanked(stories, silent)),
        ),
        separator=",",
        header=",".join(("item_id", *_COUNTERS, "title", "tag", "description")),
    )


def _titles(world: World, rng: np.random.Generator) -> list[str]:
    quirks = (
        lambda title: f'"{title}',
        lambda title: f"{title}, part 2, uncut",
        lambda title: f"【{title}】烎!",
        lambda title: f" {title} ",
    )
    count = len(world.items)
    kind = np.where(rng.random(count) < _QUIRKY, rng.integers(0, len(quirks), count), -1)
    return [
        title if k < 0 else quirks[k](title)
        for title, k in zip(world.items["title"], kind, strict=True)
    ]


def _blanked(cells: list[str], blank: np.ndarray) -> pa.Array:
    return pc.if_else(pa.array(blank), "", pa.array(cells))


def _quoted(cells: pa.Array) -> pa.Array:
    """Return CSV cells, in quotes where they have to be."""
    inside = pc.replace_substring(cells, '"', '""')
    quoted = pc.binary_join_element_wise('"', inside, '"', "")
    return pc.if_else(pc.match_substring_regex(cells, '[,"]'), quoted, cells)
