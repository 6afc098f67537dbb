"""What normalising each of the 13 sources reads, keeps and rejects, and what it takes.

    python tests/benchmarks/sources.py [--users N] [--items N] [--samples FOLDER]

Every source is normalised from its simulated raw files, and from its real sample where there is one
(ITDR_REAL_SAMPLES, or --samples), also with the variants of its files that people keep. Each run is
a process of its own; seconds include its start. Prints a table and writes it to
results/sources.csv.
"""

import argparse
import csv
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from itdr.demo.raw_files import write_raw_files
from itdr.demo.world import simulate
from itdr.files.formats import read_json
from itdr.provenance import provenance
from itdr.settings.folders import settings_files

RESULTS = Path(__file__).parent / "results" / "sources.csv"
SAMPLES = {
    "movielens-32m": "ml-latest-small",
    "movielens-1m": "ml-1m",
    "anime-2023": "myanimelist-2023",
    "amazon-2023": "amazon-reviews-2023",
    "amazon-books": "amazon-books-reviews",
}
PLAYS = "usersha1-artmbid-artname-plays"
VARIANTS = {
    "lastfm-360k": {f"{PLAYS}.5_real_rows_from_readme.tsv": f"{PLAYS}.tsv"},
    "bookcrossing": {
        "as-found-variants/BX-Books.semicolon_minimal_quotes_int_header.csv": "BX-Books.csv",
        "as-found-variants/BX_Books.comma_utf8.csv": "BX-Books.csv",
        "as-found-variants/BX-Users.semicolon_unquoted.csv": "BX-Users.csv",
        "as-found-variants/BX-Book-Ratings.semicolon_unquoted_lost_zeros.csv": (
            "BX-Book-Ratings.csv"
        ),
    },
    "yelp": {
        "as-found-variants/yelp_academic_dataset_business.older_2018_schema.json": (
            "yelp_academic_dataset_business.json"
        )
    },
    "lastfm-1k": {
        "as-found-variants/userid-timestamp-artid-artname-traid-traname.with_added_header.tsv": (
            "userid-timestamp-artid-artname-traid-traname.tsv"
        )
    },
}
"""Files of a sample that are tried in place of the one that has the original's name."""
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
        for dataset in settings_files("datasets"):
            raw = Path(folder) / dataset / "raw"
            write_raw_files(world, dataset, raw, 1)
            rows.append(measure(dataset, "simulated", raw, Path(folder) / dataset / "tables"))
            sample = args.samples and Path(args.samples) / SAMPLES.get(dataset, dataset)
            if sample and sample.is_dir():
                rows += measure_sample(dataset, sample, Path(folder) / dataset)
    write(rows)


def measure_sample(dataset: str, sample: Path, folder: Path) -> list[dict[str, object]]:
    """Normalise a real sample, then with each variant in place of the file it was made from."""
    rows = [measure(dataset, "real sample", sample, folder / "sample")]
    for number, (variant, name) in enumerate(VARIANTS.get(dataset, {}).items()):
        raw = folder / f"variant{number}"
        ignored = shutil.ignore_patterns("as-found-variants")
        shutil.copytree(sample, raw, ignore=ignored, copy_function=shutil.copyfile)
        shutil.copyfile(sample / variant, raw / name)
        label = f"real sample with {Path(variant).name}"
        rows.append(measure(dataset, label, raw, folder / f"tables{number}"))
    return rows


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
        return row | {
            "by_reason": "refused: "
            + complaint.strip().splitlines()[-1].replace(str(raw), "RAW")[:300]
        }
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
