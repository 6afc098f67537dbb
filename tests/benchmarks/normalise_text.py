"""Normalising Amazon's JSON lines and Steam's Python literals, against the obvious pandas scripts.

    PYTHONPATH=src python tests/benchmarks/normalise_text.py [--size-gb N] [--lines N] [--rounds N]

Both sides read the same simulated files and write interactions and items, each in a process of its
own, in turn. Prints a table and adds it to results/normalise_text.csv. The share of the raw read
speed compares with DuckDB's scan (for Steam: of the uncompressed lines as text) of the same bytes.
The goal is five times as fast as pandas.
"""

import argparse
import csv
import gzip
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "normalise_text.csv"
BYTES_PER_REVIEW = 335
PER_USER = 25

OURS = """
import sys
from pathlib import Path
from itdr.sources.normalise import normalise
normalise(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
"""

PANDAS_HEAD = """
import ast, gzip, html, re, sys
from pathlib import Path
import pandas as pd
raw, out = Path(sys.argv[2]), Path(sys.argv[3])
out.mkdir()
tag = re.compile(r"<[^>]+>")
def plain(text):
    return " ".join(html.unescape(tag.sub(" ", text)).split()) if isinstance(text, str) else text
"""

PANDAS_AMAZON = """
reviews, products = [], []
for path in sorted(raw.rglob("*.jsonl")):
    frame = pd.read_json(path, lines=True, dtype=False)
    if path.name.startswith("meta_"):
        products.append(frame.assign(domain=path.stem.removeprefix("meta_")))
    else:
        columns = ["user_id", "parent_asin", "rating", "timestamp", "title", "text"]
        reviews.append(frame[columns].assign(domain=path.stem))
rows = pd.concat(reviews, ignore_index=True).rename(columns={"parent_asin": "item_id"})
rows = rows[rows["rating"].between(1, 5)].drop_duplicates(["user_id", "item_id"])
rows["timestamp"] = pd.to_datetime(rows["timestamp"], unit="ms", utc=True)
for name in ("title", "text"):
    rows[name] = rows[name].map(plain)
items = pd.concat(products, ignore_index=True).drop_duplicates("parent_asin")
for name in ("description", "features"):
    items[name] = items[name].map(" ".join).map(plain)
items["title"] = items["title"].map(plain)
items = items.drop(columns=["images", "videos", "details"]).sort_values("parent_asin")
"""

PANDAS_STEAM = """
def lines(name):
    with gzip.open(next(raw.rglob(name)), "rt", encoding="utf-8") as file:
        return pd.DataFrame([ast.literal_eval(line) for line in file])
rows = lines("steam_reviews.json.gz")[["username", "product_id", "date", "text"]]
rows.columns = ["user_id", "item_id", "timestamp", "text"]
rows = rows.dropna().drop_duplicates(["user_id", "item_id"])
rows["timestamp"] = pd.to_datetime(rows["timestamp"], utc=True)
rows["text"] = rows["text"].map(plain)
items = lines("steam_games.json.gz").dropna(subset="id").drop_duplicates("id").sort_values("id")
items["price"] = pd.to_numeric(items["price"], errors="coerce")
"""

PANDAS_TAIL = """
rows = rows.sort_values(["user_id", "timestamp", "item_id"], kind="stable")
rows.to_parquet(out / "interactions.parquet", index=False, compression="zstd")
items.to_parquet(out / "items.parquet", index=False, compression="zstd")
rows[["user_id"]].drop_duplicates().to_parquet(out / "users.parquet", index=False)
"""

SCAN = """
import sys
import duckdb
columns = {"user_id": "VARCHAR", "parent_asin": "VARCHAR", "rating": "DOUBLE",
           "timestamp": "BIGINT", "title": "VARCHAR", "text": "VARCHAR"}
if sys.argv[1] == "amazon-2023":
    rows = f"read_json('{sys.argv[2]}/**/*.jsonl', columns = {columns}, format = 'nd')"
    names = " + ".join(f"count({name})" for name in columns)
else:
    rows = f"read_csv('{sys.argv[2]}/**/*.gz', columns = {{'line': 'VARCHAR'}}, header = false, " \\
        "delim = '\\x01', quote = '', escape = '')"
    names = "sum(strlen(line))"
duckdb.sql(f"SELECT {names} FROM {rows}").fetchall()
"""

SIMULATE = f"""
import sys
from pathlib import Path
from itdr.synthetic.raw_files import write_raw_files
from itdr.synthetic.world import simulate
users = int(sys.argv[3])
world = simulate(1, users, max(users // 20, 200), {PER_USER})
write_raw_files(world, sys.argv[1], Path(sys.argv[2]), 1)
"""

SIDES = {
    "amazon-2023": {
        "itdr": OURS, "pandas": PANDAS_HEAD + PANDAS_AMAZON + PANDAS_TAIL, "scan": SCAN,
    },
    "steam": {"itdr": OURS, "pandas": PANDAS_HEAD + PANDAS_STEAM + PANDAS_TAIL, "scan": SCAN},
}  # fmt: skip

COLUMNS = (
    "dataset", "megabytes", "rows", "round", "side", "wall_seconds", "cpu_seconds", "peak_mb",
    "machine", "versions", "commit",
)  # fmt: skip


def main() -> None:
    """Write the files, run both sides in turn, print and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size-gb", type=float, default=2.0, help="of Amazon (default: 2)")
    parser.add_argument("--lines", type=int, default=1_000_000, help="of Steam (default: 1000000)")
    parser.add_argument("--rounds", type=int, default=1, help="runs of each side (default: 1)")
    args = parser.parse_args()
    counts = {"amazon-2023": int(args.size_gb * 1e9 / BYTES_PER_REVIEW), "steam": args.lines}
    table: list[dict[str, object]] = []
    for dataset, rows in counts.items():
        with tempfile.TemporaryDirectory() as name:
            raw = Path(name) / "raw"
            # In a process of its own: the memory of this one would count in its children's peak.
            subprocess.run(
                [sys.executable, "-c", SIMULATE, dataset, str(raw), str(max(rows // PER_USER, 10))],
                check=True,
            )
            for number in range(args.rounds):
                for side, script in SIDES[dataset].items():
                    out = Path(name) / f"{side}{number}"
                    table.append(
                        {"dataset": dataset, "round": number + 1, "side": side}
                        | size_of(raw)
                        | measured(script, dataset, raw, out)
                        | circumstances()
                    )
    report(table)


def measured(script: str, dataset: str, raw: Path, out: Path) -> dict[str, object]:
    """Run a script in a process of its own; return what it took."""
    begin = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", script, dataset, str(raw), str(out)])
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    if status:
        raise SystemExit(f"{dataset}: a side failed")
    return {
        "wall_seconds": round(wall, 2),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_mb": usage.ru_maxrss // 1024,
    }


def size_of(raw: Path) -> dict[str, object]:
    """Return the size (not compressed) and the number of rows of the raw files."""
    size = rows = 0
    for path in (path for path in raw.rglob("*") if path.is_file()):
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            while chunk := file.read(1 << 24):
                size += len(chunk)
                rows += chunk.count(b"\n")
    return {"megabytes": round(size / 1e6, 1), "rows": rows}


def circumstances() -> dict[str, object]:
    """Return the machine, the versions and the commit."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    load = os.getloadavg()[0]
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f}",
        "versions": " ".join(f"{name} {version(name)}" for name in ("duckdb", "pandas", "pyarrow")),
        "commit": commit.stdout.strip(),
    }


def report(table: list[dict[str, object]]) -> None:
    """Print the rows and the ratios, and add the rows to the file of results."""
    for row in table:
        print(json.dumps({name: row[name] for name in COLUMNS[:8]}))
    for dataset in SIDES:
        best = {
            side: {
                what: min(float(str(row[what])) for row in table
                          if (row["dataset"], row["side"]) == (dataset, side))
                for what in ("wall_seconds", "cpu_seconds", "peak_mb")
            }
            for side in SIDES[dataset]
        }  # fmt: skip
        ours, pandas, scan = best["itdr"], best["pandas"], best["scan"]
        print(
            f"{dataset}: {pandas['wall_seconds'] / ours['wall_seconds']:.1f} times as fast as "
            f"pandas with {ours['peak_mb'] / pandas['peak_mb']:.2f} of its memory; "
            f"{scan['wall_seconds'] / ours['wall_seconds']:.2f} of the raw read speed"
        )
    new = not RESULTS.exists()
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerows(table)


if __name__ == "__main__":
    main()
