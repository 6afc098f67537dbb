"""Building examples: all 33 pairs of the demo's world, and TKR out of 32 million interactions.

    PYTHONPATH=src python tests/benchmarks/build.py [--rows N] [--folder DIR] [--only demo|large]

The goals: all pairs in 60 s; 6,250 users out of 32 million interactions in 60 s and 4 GiB, both on
two cores. Each side is a process of its own, started when its tables are there; its seconds and
memory include its start. Pairs of the demo are built one after the other. Prints a table and adds
it to results/build.csv, by pair and in all.
"""

import argparse
import csv
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import duckdb
import pyarrow as pa

from itdr.datasets.normalise import normalise
from itdr.datasets.tables.schema import INTERACTIONS, ITEMS, USERS
from itdr.demo.raw_files import write_raw_files
from itdr.demo.world import simulate
from itdr.settings.dataset import load_dataset
from itdr.settings.experiment import load_experiment
from itdr.settings.folders import settings_files

RESULTS = Path(__file__).parent / "results" / "build.csv"
CONFIG = Path("config")
FULL_SIZE = 32_000_204
USERS_OF_32M, FILMS = 200_948, 87_585
THREADS = 2

BUILD = """
import json, resource, sys, time
from pathlib import Path
from itdr.instructions.build import build
from itdr.settings.experiment import BuildSettings
from itdr.instructions.tasks import load_task

def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime

tables, out, most, threads, pairs = json.loads(sys.argv[1])
for pair in pairs:
    task, dataset = pair.split("/")
    wall, used = time.perf_counter(), cpu()
    count = build(load_task(task), dataset, Path(tables) / dataset,
                  Path(out) / f"{task}-{dataset}.parquet", BuildSettings(max_examples=most),
                  seed=42, threads=threads)
    print(json.dumps({"what": pair, "examples": count,
                      "wall_seconds": round(time.perf_counter() - wall, 2),
                      "cpu_seconds": round(cpu() - used, 2)}))
"""

COLUMNS = ("benchmark", "what", "interactions", "examples", "wall_seconds", "cpu_seconds",
           "peak_mb", "threads", "machine", "versions", "commit")  # fmt: skip


def main() -> None:
    """Run both benchmarks, print and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=FULL_SIZE, help=f"(default: {FULL_SIZE})")
    parser.add_argument("--folder", help="where the tables go (default: the temporary folder)")
    parser.add_argument("--only", choices=("demo", "large"), help="one of the two (default: both)")
    args = parser.parse_args()
    table: list[dict[str, object]] = []
    for name, run in (("demo", demo), ("large", large)):
        if args.only in (None, name):
            with tempfile.TemporaryDirectory(dir=args.folder) as folder:
                table += run(Path(folder), args.rows)
    for row in table:
        print(" ".join(f"{name}={row.get(name, '')}" for name in COLUMNS[:7]))
    new = not RESULTS.exists()
    with RESULTS.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerows(table)


def demo(folder: Path, _: int) -> list[dict[str, object]]:
    """Build all pairs of the paper out of a world of the demo's size."""
    experiment = load_experiment([CONFIG / "config.yaml", CONFIG / "demo.yaml"])
    size = experiment.simulated_world
    assert size is not None
    world = simulate(experiment.seed, size.users, size.items, size.interactions_per_user)
    for dataset in settings_files("datasets"):
        write_raw_files(world, dataset, folder / "raw" / dataset, experiment.seed)
        normalise(
            load_dataset(dataset),
            folder / "raw" / dataset,
            folder / "tables" / dataset,
            threads=THREADS,
        )
    pairs = load_experiment([CONFIG / "config.yaml"]).pairs
    facts = {"benchmark": "demo", "interactions": len(world.interactions)}
    return measured(facts, folder, experiment.build.max_examples, pairs)


def large(folder: Path, rows: int) -> list[dict[str, object]]:
    """Build TKR of the published size out of tables of MovieLens-32M's shape."""
    tables = folder / "tables" / "movielens-32m"
    tables.mkdir(parents=True)
    users = max(USERS_OF_32M * rows // FULL_SIZE, 20)
    # Everyone rates about as many films as the mean, some of them far more often than others.
    write(tables / "interactions.parquet", INTERACTIONS, f"""
        SELECT user_id::VARCHAR AS user_id, item::VARCHAR AS item_id, NULL AS domain,
            (1 + hash(row, 1) % 10) / 2 AS rating, to_timestamp(946684800 + row) AS timestamp,
            NULL AS position, NULL AS plays, NULL AS review_title, NULL AS review
        FROM (SELECT row, row * {users} // {rows} AS user_id,
            floor({FILMS} * pow((hash(row) >> 11) / pow(2, 53), 2.5))::BIGINT AS item
            FROM range({rows}) AS rows(row)) ORDER BY row
        """)  # fmt: skip
    write(tables / "items.parquet", ITEMS, f"""
        SELECT item::VARCHAR AS item_id, NULL AS domain, 'Film ' || item || ' (1999)' AS title,
            ['Drama', 'Comedy'] AS categories, NULL AS description, NULL AS creator, 1999 AS year,
            NULL AS price, NULL AS attributes
        FROM range({FILMS}) AS items(item)
        """)  # fmt: skip
    blank = ", ".join(f"NULL AS {name}" for name in USERS.names[1:])
    everyone = f"SELECT person::VARCHAR AS user_id, {blank} FROM range({users}) AS users(person)"
    write(tables / "users.parquet", USERS, everyone)
    facts = {"benchmark": "large", "interactions": rows}
    return measured(facts, folder, None, ["TKR/movielens-32m"])[:1]


def write(path: Path, schema: pa.Schema, query: str) -> None:
    """Write the rows of a query as a table of the schema's types."""
    empty = schema.empty_table()
    with duckdb.connect(config={"threads": THREADS, "memory_limit": "3GB"}) as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute("CREATE TABLE shape AS FROM empty")
        kinds = connection.execute("DESCRIBE shape").fetchall()
        columns = ", ".join(f"{name}::{kind} AS {name}" for name, kind, *_ in kinds)
        connection.execute(f"COPY (SELECT {columns} FROM ({query})) TO '{path}' (CODEC 'zstd')")
    del empty


def measured(
    facts: dict[str, object], folder: Path, most: int | None, pairs: Sequence[str]
) -> list[dict[str, object]]:
    """Build pairs in a process of its own; return a row for each and one for all of them."""
    given = json.dumps([str(folder / "tables"), str(folder / "out"), most, THREADS, list(pairs)])
    begin = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", BUILD, given], stdout=subprocess.PIPE,
                               text=True)  # fmt: skip
    assert process.stdout is not None
    rows = [json.loads(line) for line in process.stdout]
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    if status:
        raise SystemExit("a build failed")
    whole = {
        "what": f"all {len(rows)} pairs",
        "examples": sum(row["examples"] for row in rows),
        "wall_seconds": round(wall, 2),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_mb": usage.ru_maxrss // 1024,
    }
    rows = [*rows, whole] if len(rows) > 1 else [whole | {"what": rows[0]["what"]}]
    return [facts | row | {"threads": THREADS} | circumstances() for row in rows]


def circumstances() -> dict[str, object]:
    """Return the machine, the versions and the commit."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    load = os.getloadavg()[0]
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f}",
        "versions": " ".join(f"{name} {version(name)}" for name in ("duckdb", "pyarrow")),
        "commit": commit.stdout.strip(),
    }


if __name__ == "__main__":
    main()
