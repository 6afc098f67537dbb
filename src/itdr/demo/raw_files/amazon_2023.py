r"""The simulated world as Amazon Reviews 2023: reviews and products of twelve domains.

Everyone shops in two domains alone, those of a pair, so that histories are long enough in both.
Each item of the world is a product in one domain of every pair.

Quirks of the real files, on a small share of the rows: reviews that stand twice, a second review of
another variant (`asin`) of a product, no text, HTML in it, letters as \u escapes; products without
categories, price or metadata, and products that nobody reviewed.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from itdr.demo.raw_files.joined import choice, join, pieces, write
from itdr.demo.raw_files.reviews import review_texts, review_titles
from itdr.demo.world import World

_PAIRS = (
    ("Appliances", "Industrial_and_Scientific"),
    ("All_Beauty", "Amazon_Fashion"),
    ("CDs_and_Vinyl", "Video_Games"),
    ("Grocery_and_Gourmet_Food", "Home_and_Kitchen"),
    ("Arts_Crafts_and_Sewing", "Baby_Products"),
    ("Musical_Instruments", "Software"),
)
"""The pairs of cross-domain recommendation first."""

DOMAINS = tuple(domain for pair in _PAIRS for domain in pair)
_WITHOUT_CATEGORIES = ("All_Beauty", "Amazon_Fashion")

_REPEATED = 0.03
_SECOND_VARIANT = 0.01
_OTHER_VARIANT = 0.09
_WITH_HTML = 0.07
_EMPTY = 0.002
_WHOLE_SECOND = 0.35
_NO_METADATA = 0.03
_DIGITS = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))


def domains_of(rows: pd.DataFrame) -> np.ndarray:
    """Return the domain in which each of some interactions happens, as its number (rows,)."""
    pair = rows["user"].to_numpy() % len(_PAIRS)
    return 2 * pair + rows["item"].to_numpy() % 2


@dataclass(frozen=True)
class _Shop:
    """The world with the ids that its people and products have in the shop.

    The product of item i in the pair p of domains has the number p * (items of the world) + i.
    """

    world: World
    users: pa.Array
    products: pa.Array
    rng: np.random.Generator

    def product_of(self, rows: pd.DataFrame) -> np.ndarray:
        pair = rows["user"].to_numpy() % len(_PAIRS)
        return pair * len(self.world.items) + rows["item"].to_numpy()


def write_files(world: World, out: Path, seed: int) -> None:
    """Write review_categories/DOMAIN.jsonl and meta_categories/meta_DOMAIN.jsonl."""
    rng = np.random.default_rng([seed, 2023])
    products = _ids(rng, "B0", 10, len(_PAIRS) * len(world.items))
    shop = _Shop(world, _ids(rng, "A", 28, len(world.users)), products, rng)
    for folder in ("review_categories", "meta_categories"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    domain = domains_of(world.interactions)
    for number, name in enumerate(DOMAINS):
        rows = world.interactions[domain == number]
        _write_reviews(shop, rows, out / "review_categories" / f"{name}.jsonl")
        _write_products(shop, rows, number, out / "meta_categories" / f"meta_{name}.jsonl")


def _ids(rng: np.random.Generator, start: str, length: int, count: int) -> pa.Array:
    """Return different ids: a random start, then the number in base 32."""
    number = np.arange(count)
    places = [rng.integers(0, 32, count) for _ in range(length - len(start) - 5)]
    places += [(number >> shift) % 32 for shift in (20, 15, 10, 5, 0)]
    text = _DIGITS[np.stack(places, axis=1)]
    codes = np.ascontiguousarray(text).view(f"<U{len(places)}").ravel()
    return join(start, pa.array(codes.astype(object), pa.string()))


def _write_reviews(shop: _Shop, rows: pd.DataFrame, path: Path) -> None:
    rng = shop.rng
    with path.open("wb") as file:
        for piece in pieces(shop.world, rows):
            count = len(piece)
            lines = _reviews(shop, piece, np.where(rng.random(count) < _OTHER_VARIANT, "B1", "B0"))
            place = np.repeat(np.arange(count), np.where(rng.random(count) < _REPEATED, 2, 1))
            write(file, lines.take(pa.array(place)))
            again = piece[rng.random(count) < _SECOND_VARIANT]
            again = again.assign(time=again["time"] + 40 * 86_400)
            write(file, _reviews(shop, again, np.full(len(again), "B2")))


def _reviews(shop: _Shop, rows: pd.DataFrame, start: np.ndarray) -> pa.Array:
    """Return a JSON object for each of some interactions.

    start: of the ids of the variants, which otherwise are as those of the products.
    """
    count, rng = len(rows), shop.rng
    parent = shop.products.take(pa.array(shop.product_of(rows)))
    asin = join(start, pc.utf8_slice_codeunits(parent, 2))
    stars = np.clip(np.floor(rows["stars"].to_numpy() + 0.5), 1, 5).astype(np.int64)
    whole = rng.random(count) < _WHOLE_SECOND
    time = rows["time"].to_numpy() * 1000 + np.where(whole, 0, rng.integers(0, 1000, count))
    text = review_texts(shop.world, rows, rng)
    html = pc.replace_substring(text, ". ", ".<br /><br />")
    text = pc.if_else(pa.array(rng.random(count) < _WITH_HTML), html, text)
    text = pc.if_else(pa.array(rng.random(count) < _EMPTY), "", text)
    images = '{"small_image_url": "https://example.org/s.jpg", "attachment_type": "IMAGE"}'
    return join(
        '{"rating": ', stars, '.0, "title": "', review_titles(shop.world, rows, rng),
        choice(["", " \\ud83d\\ude44", " &amp; more"], [0.97, 0.02, 0.01], rng, count),
        '", "text": "', text,
        '", "images": [', choice(["", images], [0.92, 0.08], rng, count),
        '], "asin": "', asin, '", "parent_asin": "', parent,
        '", "user_id": "', shop.users.take(pa.array(rows["user"].to_numpy())),
        '", "timestamp": ', time,
        ', "helpful_vote": ', rng.geometric(0.5, count) - 1,
        ', "verified_purchase": ', choice(["true", "false"], [0.89, 0.11], rng, count),
        "}",
    )  # fmt: skip


def _write_products(shop: _Shop, rows: pd.DataFrame, number: int, path: Path) -> None:
    """Write the metadata of a domain's reviewed products, and of one that nobody reviewed."""
    domain, rng = DOMAINS[number], shop.rng
    count = len(shop.world.items)
    items = list(
        zip(*(shop.world.items[name] for name in ("title", "genres", "year")), strict=True)
    )
    with path.open("w", encoding="ascii") as file:
        for product in np.unique(shop.product_of(rows)):
            if rng.random() >= _NO_METADATA:
                title, genres, year = items[product % count]
                metadata = _product(title, genres, int(year), domain, rng)
                file.write(_line(metadata, shop.products[product].as_py()))
        metadata = _product("Never Sold", ["Other"], 1999, domain, rng)
        file.write(_line(metadata, f"B9UNSOLD{number:02d}"))


def _line(product: dict[str, Any], item: str) -> str:
    return json.dumps({**product, "parent_asin": item, "bought_together": None}) + "\n"


def _product(
    title: str, genres: list[str], year: int, domain: str, rng: np.random.Generator
) -> dict[str, Any]:
    """Return the metadata of a product up to its id."""
    luck = rng.random(6)
    names = [title, f"{title} &amp; More", f"{title} Édition"]
    department = domain.replace("_", " ")
    departments = [None, department.upper(), department]
    return {
        "main_category": departments[int(np.searchsorted([0.03, 0.5], luck[1]))],
        "title": names[int(np.searchsorted([0.96, 0.98], luck[0]))],
        "average_rating": round(1 + 4 * luck[2], 1),
        "rating_number": int(1 + 500 * luck[3]),
        "features": [f"Made for {genre.lower()} lovers" for genre in genres],
        "description": [] if luck[4] < 0.4 else [f"<b>{title}</b>.", f"First made in {year}."],
        "price": None if luck[5] < 0.5 else round(1 + 50 * luck[5], 2),
        "images": [{"thumb": "https://example.org/t.jpg", "variant": "MAIN", "hi_res": None}],
        "videos": [],
        "store": None if luck[2] < 0.05 else f"{genres[0]} House",
        "categories": [] if domain in _WITHOUT_CATEGORIES else [department, *genres],
        "details": {"Date First Available": "September 11, 2001", "Release date": str(year)},
    }
