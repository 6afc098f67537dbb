"""The simulated world as the Yelp Open Dataset: businesses, reviews and users.

Quirks of the real files, on a small share of the rows: escaped slashes, line ends and letters
beyond ASCII in texts, no attributes or categories, attributes spelled as Python, ids that begin
with - or _, businesses that nobody reviewed and second reviews of a business.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from itdr.demo.raw_files.joined import choice, join, pieces, write
from itdr.demo.raw_files.reviews import review_texts
from itdr.demo.world import World

_SECOND_REVIEW = 0.02
_CITIES = (("Tampa", "FL"), ("Santa Barbara", "CA"), ("Affton", "MO"), ("Montréal", "QC"))
_ENDINGS = ["", " It was 50\\/50.", "\\n\\nDéjà vu!", ' \\"Wow\\" &amp; so on.']
_CHANCES = [0.9, 0.04, 0.04, 0.02]
_DIGITS = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"))


def write_files(world: World, out: Path, seed: int) -> None:
    """Write yelp_academic_dataset_{business,review,user}.json."""
    rng = np.random.default_rng([seed, 4])
    users, items = _ids(rng, len(world.users)), _ids(rng, len(world.items) + 1)
    _write_businesses(world, items, rng, out / "yelp_academic_dataset_business.json")
    with (out / "yelp_academic_dataset_user.json").open("wb") as file:
        names = choice(["Ann", "Bo"], [0.5, 0.5], rng, len(users))
        write(
            file, '{"user_id":"', users, '","name":"', names,
            '","review_count":', rng.integers(1, 99, len(users)),
            ',"yelping_since":"2010-07-04 17:18:40","elite":"","friends":"None","fans":0}',
        )  # fmt: skip
    with (out / "yelp_academic_dataset_review.json").open("wb") as file:
        for piece in pieces(world):
            write(file, _reviews(world, piece, users, items, rng))
            again = piece[rng.random(len(piece)) < _SECOND_REVIEW]
            again = again.assign(time=again["time"] + 90 * 86_400)
            write(file, _reviews(world, again, users, items, rng))


def _ids(rng: np.random.Generator, count: int) -> pa.Array:
    """Return different ids of 22 characters: random ones, then the number in base 64."""
    number = np.arange(count)
    places = [rng.integers(0, 64, count) for _ in range(18)]
    places += [(number >> shift) % 64 for shift in (18, 12, 6, 0)]
    codes = np.ascontiguousarray(_DIGITS[np.stack(places, axis=1)]).view(f"<U{len(places)}").ravel()
    return pa.array(codes.astype(object), pa.string())


def _reviews(
    world: World, rows: pd.DataFrame, users: pa.Array, items: pa.Array, rng: np.random.Generator
) -> pa.Array:
    """Return a JSON object for each of some interactions."""
    count = len(rows)
    stars = np.clip(np.floor(rows["stars"].to_numpy() + 0.5), 1, 5).astype(np.int64)
    time = pa.array(rows["time"].to_numpy().astype("datetime64[s]"))
    review = _ids(rng, count)
    return join(
        '{"review_id":"', review, '","user_id":"', users.take(pa.array(rows["user"].to_numpy())),
        '","business_id":"', items.take(pa.array(rows["item"].to_numpy())),
        '","stars":', stars, '.0,"useful":', rng.integers(0, 3, count),
        ',"funny":0,"cool":0,"text":"',
        review_texts(world, rows, rng), choice(_ENDINGS, _CHANCES, rng, count),
        '","date":"', time.cast(pa.string()), '"}',
    )  # fmt: skip


def _write_businesses(world: World, items: pa.Array, rng: np.random.Generator, path: Path) -> None:
    # The last one was never reviewed.
    titles = [*world.items["title"], "Nobody Came"]
    genres = [*world.items["genres"], []]
    lines = []
    for item, title, names in zip(items.to_pylist(), titles, genres, strict=True):
        business = _business(title, names, rng)
        text = json.dumps(
            {"business_id": item, **business}, ensure_ascii=False, separators=(",", ":")
        )
        lines.append(text.replace("/", "\\/"))
    # The real file ends without a line feed.
    path.write_text("\n".join(lines), encoding="utf-8")


def _business(title: str, genres: list[str], rng: np.random.Generator) -> dict[str, Any]:
    city, state = _CITIES[rng.integers(len(_CITIES))]
    names = [title, f"{title} & Sons", f"Café {title}", f"{title} 24/7"]
    attributes = {
        "WiFi": "u'free'" if rng.random() < 0.5 else "'no'",
        "BusinessParking": "{'garage': False, 'street': True, 'lot': True, 'valet': False}",
        "HasTV": "True",
        "Alcohol": "None",
    }
    return {
        "name": names[int(np.searchsorted([0.97, 0.98, 0.99], rng.random()))],
        "address": "1616 Chapala St, Ste 2",
        "city": city,
        "state": state,
        "postal_code": "01101",
        "latitude": 34.4266787,
        "longitude": -119.7111968,
        "stars": 5.0,
        "review_count": int(rng.integers(5, 500)),
        "is_open": 1,
        "attributes": None if rng.random() < 0.09 else attributes,
        "categories": ", ".join(genres) or None,
        "hours": None if rng.random() < 0.15 else {"Monday": "8:0-22:0"},
    }
