"""What normalising each of the 13 sources reads, keeps and rejects, and what it takes.

    python tests/benchmarks/sources.py [--users N] [--items N] [--samples FOLDER]

Every source is normalised from its simulated raw files, and from its real sample where there is one
(ITDR_REAL_SAMPLES, or --samples). Each run is a process of its own; seconds include its start.
Prints a table and writes it to results/sources.csv.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from itdr.provenance import provenance
from itdr.storage import read_json
from itdr.synthetic.raw_files import write_raw_files
from itdr.synthetic.world import simulate
from itdr.vocabulary import Dataset

RESULTS = Path(__file__).parent / "results" / "sources.csv"
SAMPLES = {
    "movielens-32m": "ml-latest-small",
    "movielens-1m": "ml-1m",
    "anime-2023": "myanimelist-2023",
    "amazon-2023": "amazon-reviews-2023",
    "amazon-books": "amazon-books-reviews",
}
COLUMNS = ("dataset", "input", "rows_read", "rows_kept", "rows_rejected", "by_reason", "tables",
           "seconds", "peak_mb")  # fmt: skip


def main() -> None:
    """Run every source and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=300, help="people of the simulated world")
    parser.add_argument("--items", type=int, default=700, help="items of the simulated world")
    parser.add_argument("--samples", type=Path, default=os.environ.get("ITDR_REAL_SAMPLES"))
    args = parser.parse_args()
    world = simulate(1, args.users, args.items, 25)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for dataset in Dataset:
            raw = Path(folder) / dataset / "raw"
            write_raw_files(world, dataset, raw, 1)
            rows.append(measure(dataset, "simulated", raw, Path(folder) / dataset / "tables"))
            sample = args.samples and Path(args.samples) / SAMPLES.get(dataset, dataset)
            if sample and sample.is_dir():
                out = Path(folder) / dataset / "sample"
                rows.append(measure(dataset, "real sample", sample, out))
    write(rows)


def measure(dataset: str, name: str, raw: Path, out: Path) -> dict[str, object]:
    """Normalise in a process of its own and return a row of the table."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "itdr", "normalise", dataset, "--raw", raw, "--out", out],
        stderr=subprocess.PIPE,
        text=True,
    )
    complaint = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    row = {
        "dataset": dataset,
        "input": name,
        "seconds": round(time.perf_counter() - began, 1),
        "peak_mb": usage.ru_maxrss // 1024,
    }
    if status:
        return row | {"by_reason": "refused: " + complaint.strip().splitlines()[-1][:300]}
    quality = read_json(out / "quality.json")
    return row | {
        **{key: quality[key] for key in ("rows_read", "rows_kept", "rows_rejected")},
        "by_reason": "; ".join(f"{n} {reason}" for reason, n in quality["by_reason"].items()),
        "tables": ", ".join(f"{n} {table}" for table, n in quality["tables"].items()),
    }


def write(rows: list[dict[str, object]]) -> None:
    """Print the table and write it with the versions that made it."""
    RESULTS.parent.mkdir(exist_ok=True)
    made = ", ".join(f"{name} {value}" for name, value in provenance(["duckdb", "pyarrow"]).items())
    with RESULTS.open("w", newline="") as file:
        file.write(f"# {made}, {os.cpu_count()} processors\n")
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        print(" | ".join(str(row.get(column, "")) for column in COLUMNS))


if __name__ == "__main__":
    main()
