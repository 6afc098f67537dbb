"""Normalise MovieLens 32M with pandas: python movielens_32m.py RAW OUT."""

import sys
from pathlib import Path

import pandas as pd

raw, out = Path(sys.argv[1]), Path(sys.argv[2])
out.mkdir()

rows = pd.read_csv(raw / "ratings.csv", dtype={"userId": "int32", "movieId": "int32"})
rows = rows.rename(columns={"userId": "user_id", "movieId": "item_id"})
wrong = ~(rows["rating"].between(0.5, 5) & (rows["rating"] % 0.5 == 0))
wrong |= ~rows["timestamp"].between(631152000, 4102444799)
repeated = rows.duplicated(["user_id", "item_id"])
rows[wrong | repeated].to_parquet(out / "rejected.parquet")
rows = rows[~(wrong | repeated)]
rows["timestamp"] = pd.to_datetime(rows["timestamp"], unit="s", utc=True)
rows = rows.sort_values(["user_id", "timestamp", "item_id"])
users = rows[["user_id"]].drop_duplicates()
rows["user_id"] = rows["user_id"].astype(str)
rows["item_id"] = rows["item_id"].astype(str)
rows.to_parquet(out / "interactions.parquet", index=False, compression="zstd")
users.astype(str).to_parquet(out / "users.parquet", index=False, compression="zstd")

tags = pd.read_csv(raw / "tags.csv")
tags["tag"] = tags["tag"].str.strip().str.lower()
tags = tags.groupby(["movieId", "tag"]).size().reset_index(name="times")
tags = tags.sort_values(["movieId", "times", "tag"], ascending=[True, False, True])
tags = tags.groupby("movieId").head(20).groupby("movieId")["tag"].agg(", ".join)
films = pd.read_csv(raw / "movies.csv")
films = films.rename(columns={"movieId": "item_id", "genres": "categories"})
films["title"] = films["title"].str.strip()
films["year"] = films["title"].str.extract(r"\((\d{4})\)+$")[0].astype("Int32")
films["categories"] = films["categories"].replace("(no genres listed)", None).str.split("|")
films["categories"] = films["categories"].map(lambda found: found if found is not None else [])
films["attributes"] = films["item_id"].map(tags)
films = films.drop_duplicates("item_id").sort_values("item_id").astype({"item_id": str})
films.to_parquet(out / "items.parquet", index=False, compression="zstd")
