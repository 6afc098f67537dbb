"""Normalise Amazon Reviews 2023 with pandas: python amazon_2023.py RAW OUT."""

import html
import re
import sys
from pathlib import Path

import pandas as pd

raw, out = Path(sys.argv[1]), Path(sys.argv[2])
out.mkdir()
tag = re.compile(r"<[^>]+>")


def plain(text):
    """Return text without markup; None if nothing is left."""
    if not isinstance(text, str):
        return None
    return " ".join(html.unescape(tag.sub(" ", text)).split()) or None


def lines(path, numbers):
    """Return the lines of a file with these numbers (from 0)."""
    wanted = set(numbers)
    with path.open(encoding="utf-8") as file:
        return [line.rstrip("\n") for number, line in enumerate(file) if number in wanted]


reviews, products = [], []
for path in sorted(raw.rglob("*.jsonl")):
    frame = pd.read_json(path, lines=True, dtype=False)
    if path.name.startswith("meta_"):
        products.append(frame.assign(domain=path.stem.removeprefix("meta_")))
    else:
        columns = ["user_id", "parent_asin", "rating", "timestamp", "title", "text"]
        frame = frame[columns].assign(domain=path.stem, file=str(path), line=range(len(frame)))
        reviews.append(frame)

rows = pd.concat(reviews, ignore_index=True)
rows = rows.rename(columns={"parent_asin": "item_id", "title": "review_title", "text": "review"})
wrong = rows["user_id"].isna() | rows["item_id"].isna()
wrong |= ~(rows["rating"].between(1, 5) & (rows["rating"] % 1 == 0))
wrong |= ~rows["timestamp"].between(631152000000, 4102444799999)
repeated = rows.duplicated(["user_id", "item_id"])
bad = rows.loc[wrong | repeated, ["file", "line"]].sort_values(["file", "line"])
found = (lines(Path(name), part["line"]) for name, part in bad.groupby("file"))
bad["raw"] = [line for part in found for line in part]
bad.to_parquet(out / "rejected.parquet", index=False, compression="zstd")
rows = rows[~(wrong | repeated)].drop(columns=["file", "line"])
rows["timestamp"] = pd.to_datetime(rows["timestamp"], unit="ms", utc=True)
rows["review_title"] = rows["review_title"].map(plain)
rows["review"] = rows["review"].map(plain)
rows = rows.sort_values(["user_id", "timestamp", "item_id"], kind="stable")
rows.to_parquet(out / "interactions.parquet", index=False, compression="zstd")
rows[["user_id"]].drop_duplicates().to_parquet(out / "users.parquet", index=False)

items = pd.concat(products, ignore_index=True).drop_duplicates("parent_asin")
items = items.sort_values("parent_asin")
attributes = items[["main_category", "average_rating", "rating_number", "features"]].copy()
attributes["features"] = attributes["features"].map("; ".join).map(plain)
years = items["details"].map(lambda details: details.get("Release date"))
pd.DataFrame(
    {
        "item_id": items["parent_asin"],
        "domain": items["domain"],
        "title": items["title"].map(plain),
        "categories": [
            found or ([department] if isinstance(department, str) else [])
            for found, department in zip(items["categories"], items["main_category"], strict=True)
        ],
        "description": items["description"].map(" ".join).map(plain),
        "creator": items["store"],
        "year": years.str.extract(r"(\d{4})$")[0].astype("Int32"),
        "price": pd.to_numeric(items["price"], errors="coerce"),
        "attributes": attributes.to_dict("records"),
    }
).to_parquet(out / "items.parquet", index=False, compression="zstd")
