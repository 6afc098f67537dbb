"""Normalising at full size, against the obvious pandas scripts for the same output.

    PYTHONPATH=src python tests/benchmarks/normalise.py [--size SHARE] [--rounds N] [INPUT ...]

The inputs are simulated: MovieLens-32M with ratings grouped by user, as the real file is, and in
random order, the worst case; 2 GB of Amazon's JSON lines; 1 million Python literals of Steam. Both
sides write the three tables and the rejected rows, each in a process of its own, in turn, and the
tables are compared; the scripts lie in pandas_scripts/. The share of the raw read speed compares
with DuckDB's scan of the same bytes (of Steam: of the uncompressed lines as text). Prints a table
and adds it to results/normalise.csv. The goal: five times as fast; MovieLens with a quarter of the
memory.
"""

import argparse
import csv
import multiprocessing
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

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "normalise.csv"

RATINGS, USERS, FILMS = 32_000_204, 200_948, 87_585
AMAZON_BYTES, BYTES_PER_REVIEW = 2_000_000_000, 335
STEAM_LINES = 1_000_000
UNRATED_SHARE, RATINGS_PER_USER, REVIEWS_PER_USER = 0.01, 162, 25

OURS = """
import sys
from pathlib import Path
from itdr.datasets.normalise import normalise
from itdr.settings.dataset import load_dataset
normalise(load_dataset(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
"""

SCAN = """
import sys
import duckdb
dataset, raw = sys.argv[1:3]
if dataset == "movielens-32m":
    columns = {"userId": "INTEGER", "movieId": "INTEGER", "rating": "DOUBLE", "timestamp": "BIGINT"}
    rows = f"read_csv('{raw}/ratings.csv', header = true, columns = {columns})"
    names = ", ".join(f"sum({name})" for name in columns)
elif dataset == "amazon-2023":
    columns = {"user_id": "VARCHAR", "parent_asin": "VARCHAR", "rating": "DOUBLE",
               "timestamp": "BIGINT", "title": "VARCHAR", "text": "VARCHAR"}
    rows = f"read_json('{raw}/**/*.jsonl', columns = {columns}, format = 'nd')"
    names = ", ".join(f"count({name})" for name in columns)
else:
    rows = f"read_csv('{raw}/**/*.gz', columns = {{'line': 'VARCHAR'}}, header = false, " \\
        "delim = '\\x01', quote = '', escape = '')"
    names = "sum(strlen(line))"
duckdb.execute("SET enable_progress_bar = false")
duckdb.sql(f"SELECT {names} FROM {rows}").fetchall()
"""

SIMULATE = """
import sys
from pathlib import Path
from itdr.demo.raw_files import write_raw_files
from itdr.demo.world import simulate
users, items, per_user = map(int, sys.argv[3:])
write_raw_files(simulate(1, users, items, per_user), sys.argv[1], Path(sys.argv[2]), 1)
"""

DATASET = {
    "grouped": "movielens-32m",
    "random": "movielens-32m",
    "amazon": "amazon-2023",
    "steam": "steam",
}
COMPARED = {
    "interactions": (
        *("user_id", "item_id", "domain", "rating", "timestamp"),
        *("review_title", "review"),
    ),
    # Descriptions differ where a tag stands inside a line, and attributes in how they are held.
    "items": ("item_id", "domain", "title", "categories", "creator", "year", "price"),
    "users": ("user_id",),
    "rejected": ("raw",),
}
"""The columns that are the same on both sides; those that a script does not write are left out."""

VALUE = {"timestamp": "epoch_us(timestamp)"}

SIDES = ("itdr", "pandas", "scan")
MEASURES = ("wall_seconds", "cpu_seconds", "peak_mb")
COLUMNS = (
    *("input", "dataset", "megabytes", "round", "side", *MEASURES),
    *("machine", "versions", "commit"),
)


def main() -> None:
    """Write the files, run the sides in turn, print and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("inputs", nargs="*", help=f"of {', '.join(DATASET)} (default: all)")
    parser.add_argument("--size", type=float, default=1.0, help="share of full size (default: 1)")
    parser.add_argument("--rounds", type=int, default=1, help="runs of each side (default: 1)")
    parser.add_argument("--raw", type=Path, help="keep and use again simulated files in a folder")
    args = parser.parse_args()
    table: list[dict[str, object]] = []
    for name in args.inputs or DATASET:
        with tempfile.TemporaryDirectory() as folder:
            raw = (args.raw or Path(folder)) / name
            if not raw.is_dir():
                simulate(name, raw, args.size)
            for number in range(1, args.rounds + 1):
                table += run_sides(name, raw, Path(folder) / str(number), number)
    report(table)


def simulate(name: str, raw: Path, share: float) -> None:
    """Write the raw files of an input."""
    dataset = DATASET[name]
    # In a process of its own: the memory of this one would count in its children's peak.
    if name == "random":
        process = multiprocessing.Process(target=shuffle, args=(raw, share))
        process.start()
        process.join()
        if process.exitcode:
            raise SystemExit("the ratings could not be put in random order")
        return
    reviews = {"amazon": AMAZON_BYTES / BYTES_PER_REVIEW, "steam": STEAM_LINES}
    if name in reviews:
        users = max(int(reviews[name] * share) // REVIEWS_PER_USER, 10)
        size = (users, max(users // 20, 200), REVIEWS_PER_USER)
    else:
        films = max(int(FILMS * share / (1 + UNRATED_SHARE)), 500)
        size = (max(int(USERS * share), 20), films, RATINGS_PER_USER)
    subprocess.run([sys.executable, "-c", SIMULATE, dataset, str(raw), *map(str, size)], check=True)
    if name == "grouped":
        ratings, whole = raw / "ratings.csv", raw / "whole"
        ratings.rename(whole)
        lines = str(int(RATINGS * share) + 1)
        with ratings.open("wb") as file:
            subprocess.run(["head", "-n", lines, str(whole)], stdout=file, check=True)
        whole.unlink()


def shuffle(raw: Path, share: float) -> None:
    """Write MovieLens with its ratings in random order."""
    with tempfile.TemporaryDirectory(dir=raw.parent) as folder:
        grouped = Path(folder) / "grouped"
        simulate("grouped", grouped, share)
        with duckdb.connect(config={"memory_limit": "3GB"}) as connection:
            connection.execute("SET enable_progress_bar = false")
            connection.execute(
                f"COPY (SELECT * FROM read_csv('{grouped}/ratings.csv', header = true, "
                f"all_varchar = true) ORDER BY hash(userId, movieId)) "
                f"TO '{folder}/ratings.csv' (HEADER)"
            )
        (Path(folder) / "ratings.csv").replace(grouped / "ratings.csv")
        grouped.rename(raw)


def run_sides(name: str, raw: Path, out: Path, number: int) -> list[dict[str, object]]:
    """Run every side once and compare what they wrote."""
    out.mkdir()
    dataset = DATASET[name]
    facts = {"input": name, "dataset": dataset, "megabytes": size_of(raw), "round": number}
    script = str(HERE / "pandas_scripts" / f"{dataset.replace('-', '_')}.py")
    commands = {
        "itdr": ["-c", OURS, dataset, str(raw), str(out / "itdr")],
        "pandas": [script, str(raw), str(out / "pandas")],
        "scan": ["-c", SCAN, dataset, str(raw)],
    }
    rows = [facts | {"side": side} | measured(commands[side]) for side in SIDES]
    compare(out / "itdr", out / "pandas", in_order=dataset == "movielens-32m")
    return rows


def measured(command: list[str]) -> dict[str, object]:
    """Run Python in a process of its own; return what it took and under what circumstances."""
    begin = time.perf_counter()
    process = subprocess.Popen([sys.executable, *command])
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    if status:
        raise SystemExit("a side failed")
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return {
        "wall_seconds": round(wall, 2),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_mb": usage.ru_maxrss // 1024,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "versions": " ".join(f"{name} {version(name)}" for name in ("duckdb", "pandas", "pyarrow")),
        "commit": commit.stdout.strip(),
    }


def size_of(raw: Path) -> float:
    """Return the size of the raw files in megabytes."""
    return round(sum(path.stat().st_size for path in raw.rglob("*") if path.is_file()) / 1e6, 1)


def compare(ours: Path, pandas: Path, in_order: bool) -> None:
    """Check that both sides wrote the same rows, and rejected the same ones.

    in_order: whether the interactions also stand in the same order, which texts of different
    lengths do not.
    """
    duckdb.execute("SET enable_progress_bar = false")
    for table in ("interactions", "items", "users", "rejected"):
        found = [f"read_parquet('{side}/{table}.parquet', file_row_number = true)"
                 for side in (ours, pandas)]  # fmt: skip
        theirs = {row[0] for row in duckdb.sql(f"DESCRIBE FROM {found[1]}").fetchall()}
        columns = [VALUE.get(column, column) for column in COMPARED[table] if column in theirs]
        if in_order and table == "interactions":
            columns.append("file_row_number")
        hashed = f"sum(hash({', '.join(columns)}))" if columns else "0"
        sums = [duckdb.sql(f"SELECT count(*), {hashed} FROM {rows}").fetchall() for rows in found]
        if sums[0] != sums[1]:
            raise SystemExit(f"the {table} differ: {sums}")


def report(table: list[dict[str, object]]) -> None:
    """Print the rows and the ratios of the medians, and add the rows to the file of results."""
    for row in table:
        print(" ".join(f"{name}={row[name]}" for name in COLUMNS[:8]))
    for name in dict.fromkeys(row["input"] for row in table):
        median = {
            (side, what): statistics.median(
                float(str(row[what]))
                for row in table
                if (row["input"], row["side"]) == (name, side)
            )
            for side in SIDES
            for what in MEASURES
        }
        wall, cpu, memory = (median["pandas", what] / median["itdr", what] for what in MEASURES)
        share = median["scan", "wall_seconds"] / median["itdr", "wall_seconds"]
        print(
            f"{name}: {wall:.1f} times as fast as pandas ({cpu:.1f} times by CPU seconds) with "
            f"{1 / memory:.2f} of its memory; {share:.2f} of the raw read speed"
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
