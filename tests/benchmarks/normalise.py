"""Normalising MovieLens-32M at full size, against the obvious pandas script for the same output.

    PYTHONPATH=src python tests/benchmarks/normalise.py [--rows N] [--rounds N]

Both sides read the same simulated files and write interactions, items and users, each in a process
of its own, in turn: once with the ratings grouped by user, as the real file is, and once in random
order, the worst case. The interactions of both sides are compared. Prints a table and the medians
and adds the table to results/normalise.csv. The share of the raw read speed compares with DuckDB's
typed scan of the same bytes. The goal: five times as fast with a quarter of the memory.
"""

import argparse
import csv
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import duckdb

RESULTS = Path(__file__).parent / "results" / "normalise.csv"
FULL_SIZE = 32_000_204
USERS, FILMS, UNRATED_SHARE, PER_USER = 200_948, 87_585, 0.01, 162

OURS = """
import sys
from pathlib import Path
from itdr.sources.normalise import normalise
normalise("movielens-32m", Path(sys.argv[1]), Path(sys.argv[2]))
"""

PANDAS = """
import sys
from pathlib import Path
import pandas as pd
raw, out = Path(sys.argv[1]), Path(sys.argv[2])
out.mkdir()
rows = pd.read_csv(raw / "ratings.csv", dtype={"userId": "int32", "movieId": "int32"})
rows = rows[rows["rating"].between(0.5, 5)].drop_duplicates(["userId", "movieId"])
rows["timestamp"] = pd.to_datetime(rows["timestamp"], unit="s", utc=True)
rows = rows.rename(columns={"userId": "user_id", "movieId": "item_id"})
rows = rows.sort_values(["user_id", "timestamp", "item_id"])
users = rows[["user_id"]].drop_duplicates()
rows["user_id"] = rows["user_id"].astype(str)
rows["item_id"] = rows["item_id"].astype(str)
rows.to_parquet(out / "interactions.parquet", index=False, compression="zstd")
films = pd.read_csv(raw / "movies.csv")
films = films.rename(columns={"movieId": "item_id", "genres": "categories"})
films["title"] = films["title"].str.strip()
films["year"] = films["title"].str.extract(r"\\((\\d{4})\\)$")[0].astype("Int32")
films["categories"] = films["categories"].replace("(no genres listed)", "").str.split("|")
films.drop_duplicates("item_id").sort_values("item_id").astype({"item_id": str}).to_parquet(
    out / "items.parquet", index=False, compression="zstd")
users.astype(str).to_parquet(out / "users.parquet", index=False, compression="zstd")
"""

SCAN = """
import sys
import duckdb
columns = {"userId": "INTEGER", "movieId": "INTEGER", "rating": "DOUBLE", "timestamp": "BIGINT"}
duckdb.sql(
    f"SELECT sum(userId), sum(movieId), sum(rating), sum(timestamp) "
    f"FROM read_csv('{sys.argv[1]}/ratings.csv', header = true, columns = {columns})").fetchall()
"""

SIMULATE = """
import sys
from pathlib import Path
from itdr.synthetic.raw_files import write_raw_files
from itdr.synthetic.world import simulate
users, films, per_user = map(int, sys.argv[2:])
write_raw_files(simulate(1, users, films, per_user), "movielens-32m", Path(sys.argv[1]), 1)
"""

SIDES = {"itdr": OURS, "pandas": PANDAS, "scan": SCAN}
MEASURES = ("wall_seconds", "cpu_seconds", "peak_mb")
COLUMNS = (
    "rows",
    "megabytes",
    "order",
    "round",
    "side",
    *MEASURES,
    "machine",
    "versions",
    "commit",
)


def main() -> None:
    """Write the files, run the sides in turn, print and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=FULL_SIZE, help=f"(default: {FULL_SIZE})")
    parser.add_argument("--rounds", type=int, default=1, help="runs of each side (default: 1)")
    parser.add_argument("--folder", help="where the files go (default: the temporary folder)")
    args = parser.parse_args()
    table: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        folder = Path(name)
        orders = write_files(folder, args.rows)
        for number in range(args.rounds):
            for order, raw in orders.items():
                facts = {
                    "rows": args.rows,
                    "megabytes": round((raw / "ratings.csv").stat().st_size / 1e6, 1),
                    "order": order,
                    "round": number + 1,
                }
                for side, script in SIDES.items():
                    out = folder / f"{order}-{side}-{number}"
                    table.append({**facts, "side": side, **measured(script, raw, out)})
                compare(folder / f"{order}-itdr-{number}", folder / f"{order}-pandas-{number}")
    report(table)


def write_files(folder: Path, rows: int) -> dict[str, Path]:
    """Write exactly so many ratings grouped by user, and the same in random order."""
    share = rows / FULL_SIZE
    grouped, random = folder / "grouped", folder / "random"
    size = (max(int(USERS * share), 20), max(int(FILMS * share / (1 + UNRATED_SHARE)), 500))
    subprocess.run(
        [sys.executable, "-c", SIMULATE, str(grouped), *map(str, (*size, PER_USER))], check=True
    )
    ratings = grouped / "ratings.csv"
    all_of_them = ratings.rename(folder / "all.csv")
    with ratings.open("wb") as file:
        subprocess.run(["head", "-n", str(rows + 1), str(all_of_them)], stdout=file, check=True)
    all_of_them.unlink()
    random.mkdir()
    (random / "movies.csv").symlink_to(grouped / "movies.csv")
    with duckdb.connect(config={"memory_limit": "3GB"}) as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(
            f"COPY (SELECT * FROM read_csv('{ratings}', header = true, all_varchar = true) "
            f"ORDER BY hash(userId, movieId)) TO '{random}/ratings.csv' (HEADER)"
        )
    return {"grouped": grouped, "random": random}


def measured(script: str, raw: Path, out: Path) -> dict[str, object]:
    """Run a script in a process of its own; return what it took and under what circumstances."""
    begin = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", script, str(raw), str(out)])
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    if status:
        raise SystemExit("a side failed")
    return {
        "wall_seconds": round(wall, 2),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_mb": usage.ru_maxrss // 1024,
        **circumstances(),
    }


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


def compare(ours: Path, pandas: Path) -> None:
    """Check that both sides wrote the same interactions, in the same order by user and time."""
    sums = [
        duckdb.sql(
            f"SELECT count(*), sum(hash(user_id, item_id, rating, epoch_us(timestamp), "
            f"file_row_number)) FROM read_parquet('{side}/interactions.parquet', "
            f"file_row_number = true)"
        ).fetchall()
        for side in (ours, pandas)
    ]
    if sums[0] != sums[1]:
        raise SystemExit(f"the sides differ: {sums}")


def report(table: list[dict[str, object]]) -> None:
    """Print the rows and the ratios of the medians, and add the rows to the file of results."""
    for row in table:
        print(" ".join(f"{name}={row[name]}" for name in COLUMNS[:8]))
    for order in dict.fromkeys(row["order"] for row in table):
        median = {
            (side, what): statistics.median(
                float(str(row[what]))
                for row in table
                if (row["order"], row["side"]) == (order, side)
            )
            for side in SIDES
            for what in MEASURES
        }
        ratio = {
            what: median["pandas", what] / median["itdr", what]
            for what in ("wall_seconds", "cpu_seconds")
        }
        memory = median["itdr", "peak_mb"] / median["pandas", "peak_mb"]
        speed = median["scan", "wall_seconds"] / median["itdr", "wall_seconds"]
        print(
            f"{order}: {ratio['wall_seconds']:.1f} times as fast as pandas "
            f"({ratio['cpu_seconds']:.1f} times by CPU seconds) with {memory:.2f} of its memory; "
            f"{speed:.2f} of the raw read speed"
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
