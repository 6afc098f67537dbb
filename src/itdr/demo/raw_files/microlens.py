"""The simulated world as MicroLens-100K.

Quirks of the real files: titles without quotes that hold commas and letters beyond ASCII, empty
titles, a blank behind the separator, line ends of two characters, times in milliseconds.
"""

from pathlib import Path

import numpy as np

from itdr.demo.raw_files.joined import pieces, write
from itdr.demo.world import World

_QUIRKY = 0.03
_QUIRKS = (
    lambda title: "",
    lambda title: f"{title}, part 2, the end",
    lambda title: f"{title} 😀 très bon",
    lambda title: f"  {title}!!!",
)


def write_microlens(world: World, out: Path, seed: int) -> None:
    """Write the pairs, the titles, the tags, and the likes and views."""
    rng = np.random.default_rng([seed, 50])
    count = len(world.items)
    items = np.arange(1, count + 1)
    titles = world.items["title"].tolist()
    for number in np.flatnonzero(rng.random(count) < _QUIRKY):
        titles[number] = _QUIRKS[number % len(_QUIRKS)](titles[number])
    tags = [genres[0] for genres in world.items["genres"]]
    likes = rng.integers(10_000, 900_000, count)
    lines = {
        "MicroLens-100k_title_en.csv": map("{}, {}\r\n".format, items, titles),
        "tags_to_summary.csv": map("{}, {}\r\n".format, items, tags),
        "MicroLens-100k_likes_and_views.txt": map("{}\t{}\t{}\n".format, items, likes, likes * 30),
    }
    for name, content in lines.items():
        with (out / name).open("w", encoding="utf-8", newline="") as file:
            file.writelines(content)
    with (out / "MicroLens-100k_pairs.csv").open("wb") as file:
        file.write(b"user,item,timestamp\n")
        for rows in pieces(world):
            milliseconds = rows["time"].to_numpy() * 1000 + rng.integers(0, 1000, len(rows))
            user, item = rows["user"].to_numpy() + 1, items[rows["item"].to_numpy()]
            write(file, user, ",", item, ",", milliseconds)
