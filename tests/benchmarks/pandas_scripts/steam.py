"""Normalise Steam with pandas: python steam.py RAW OUT."""

import ast
import gzip
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


def read(name):
    """Return the lines of a file and what they say."""
    with gzip.open(next(raw.rglob(name)), "rt", encoding="utf-8") as file:
        lines = file.read().splitlines()
    return lines, pd.DataFrame([ast.literal_eval(line) for line in lines])


lines, rows = read("steam_reviews.json.gz")
rows = rows[["username", "product_id", "date", "text"]]
rows.columns = ["user_id", "item_id", "timestamp", "review"]
rows["timestamp"] = pd.to_datetime(rows["timestamp"], utc=True, errors="coerce")
bad = rows[["user_id", "item_id", "timestamp"]].isna().any(axis=1)
bad |= rows.duplicated(["user_id", "item_id"])
rejected = [pd.DataFrame({"raw": [lines[place] for place in rows.index[bad]]})]
rows = rows[~bad]
rows["review"] = rows["review"].map(plain)
rows = rows.sort_values(["user_id", "timestamp", "item_id"], kind="stable")
rows.to_parquet(out / "interactions.parquet", index=False, compression="zstd")
rows[["user_id"]].drop_duplicates().to_parquet(out / "users.parquet", index=False)

lines, games = read("steam_games.json.gz")
address = games["url"].str.extract(r"/app/([0-9]+)")[0]
games["id"] = games["id"].fillna(address)
bad = games["id"].isna() | games["id"].duplicated()
rejected.append(pd.DataFrame({"raw": [lines[place] for place in games.index[bad]]}))
pd.concat(rejected).to_parquet(out / "rejected.parquet", index=False, compression="zstd")
games = games[~bad].sort_values("id")
free = games["price"].astype(str).str.contains(r"\bfree\b", case=False)
others = ["publisher", "tags", "specs", "release_date", "sentiment", "metascore", "early_access"]
others = [name for name in others if name in games]
pd.DataFrame(
    {
        "item_id": games["id"],
        "title": games["title"].fillna(games["app_name"]).map(plain),
        "categories": games["genres"].fillna(games["tags"]),
        "creator": games["developer"].fillna(games["publisher"]),
        "year": games["release_date"].str.extract(r"((?:19|20)\d\d)")[0].astype("Int32"),
        "price": pd.to_numeric(games["price"], errors="coerce").mask(free, 0.0),
        "attributes": games[others].astype(str).to_dict("records"),
    }
).to_parquet(out / "items.parquet", index=False, compression="zstd")
