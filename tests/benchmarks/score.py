"""Time of scoring all 33 (task, dataset) pairs with 250 rows each, intervals included.

    PYTHONPATH=src python tests/benchmarks/score.py [--rows N] [--resamples N] [--permutations N]
        [--rounds N]

Then two columns are compared: both are read and scored, and every metric is tested by swapping.

Answers are 60% in the asked-for form, 25% nearly so, 15% beside the point. Prints the median of the
rounds, and the ratio to a plain loop that computes each resample's mean in Python on the same
values (timed on one column and multiplied by the number of scores). Writes results/score.csv. The
goal is 60 seconds on two cores.
"""

import argparse
import csv
import os
import platform
import random
import resource
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from itdr.evaluation.comparisons import compare_columns
from itdr.evaluation.score import score
from itdr.evaluation.uncertainty import Resampling, mean_of, whole_estimate
from itdr.instructions.record import PREDICTION
from itdr.instructions.tasks import TaskSettings, load_tasks
from itdr.provenance import provenance
from itdr.settings.folders import FOLDERS
from itdr.settings.scoring import ScoringSettings

RESULTS = Path(__file__).parent / "results" / "score.csv"
COLUMNS = ("pairs", "rows_per_pair", "resamples", "scores", "seconds", "permutations", "tests",
           "compare_seconds", "peak_mb",
           "intervals_seconds", "plain_loop_seconds", "machine", "versions",
           "commit")  # fmt: skip
RNG = random.Random(1)
WORDS = ["".join(RNG.choices("abcdefghijklmnop", k=RNG.randint(2, 9))) for _ in range(2000)]


def main() -> None:
    """Make the predictions, score them, print and keep the time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=250, help="rows per pair (default: 250)")
    parser.add_argument("--resamples", type=int, default=1000, help="(default: 1000)")
    parser.add_argument("--permutations", type=int, default=10_000, help="(default: 10000)")
    parser.add_argument("--rounds", type=int, default=3, help="(default: 3)")
    args = parser.parse_args()
    pairs = [
        (settings, dataset) for settings in load_tasks().values() for dataset in settings.datasets
    ]
    rows = [row(*pair, number) for pair in pairs for number in range(args.rows)]
    answers = [one["answer"] for one in rows]
    other = [one | {"answer": RNG.choice((one["answer"], answers[at - 1]))}
             for at, one in enumerate(rows)]  # fmt: skip
    settings = ScoringSettings(resamples=args.resamples, permutations=args.permutations)
    seconds, compare_seconds = [], []
    with tempfile.TemporaryDirectory() as name:
        path, second = Path(name) / "first.parquet", Path(name) / "second.parquet"
        pq.write_table(pa.Table.from_pylist(rows, schema=PREDICTION), path)
        pq.write_table(pa.Table.from_pylist(other, schema=PREDICTION), second)
        for _ in range(args.rounds):
            begin = time.perf_counter()
            scores = score(path, FOLDERS, settings)
            seconds.append(time.perf_counter() - begin)
            begin = time.perf_counter()
            compared = compare_columns({"first": path, "second": second}, FOLDERS, settings)
            compare_seconds.append(time.perf_counter() - begin)
    found = {
        "pairs": len(pairs),
        "rows_per_pair": args.rows,
        "resamples": args.resamples,
        "scores": len(scores),
        "seconds": round(median(seconds), 1),
        "permutations": args.permutations,
        "tests": len(compared),
        "compare_seconds": round(median(compare_seconds), 1),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "intervals_seconds": round(our_interval(args.rows, args.resamples) * len(scores), 2),
        "plain_loop_seconds": round(plain_loop(args.rows, args.resamples) * len(scores)),
    }
    print("{pairs} pairs x {rows_per_pair} rows, {resamples} resamples: {seconds} s, {scores} "
          "scores; two columns compared with {permutations} permutations: {compare_seconds} s, "
          "{tests} tests; peak memory {peak_mb} MB; the intervals alone {intervals_seconds} s, in "
          "a plain loop {plain_loop_seconds} s".format(**found))  # fmt: skip
    with RESULTS.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerow(found | circumstances())


def circumstances() -> dict[str, str]:
    """Return the machine, the versions and the commit."""
    versions = provenance(("numpy", "sacrebleu", "rouge-score"))
    commit = versions.pop("commit")
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "versions": " ".join(f"{name} {version}" for name, version in versions.items()),
        "commit": commit,
    }


def plain_loop(rows: int, resamples: int) -> float:
    """Return the seconds that one column's interval takes without numpy."""
    values = [RNG.random() for _ in range(rows)]
    begin = time.perf_counter()
    means = sorted(
        sum(values[RNG.randrange(rows)] for _ in range(rows)) / rows for _ in range(resamples)
    )
    _ = means[int(0.025 * resamples)], means[int(0.975 * resamples)]
    return time.perf_counter() - begin


def our_interval(rows: int, resamples: int) -> float:
    """Return the seconds that one column's interval takes by the bootstrap of whole values."""
    values = np.random.default_rng(1).random(rows)
    begin = time.perf_counter()
    whole_estimate([mean_of(values)], rows, Resampling(resamples, 0.95, 1))
    return time.perf_counter() - begin


def row(task: TaskSettings, dataset: str, number: int) -> dict[str, Any]:
    """Return a prediction."""
    kind = task.answer
    base: dict[str, Any] = {"id": f"{task.task}/{dataset}/{number}", "task": task.task,
                            "dataset": dataset, "finish_reason": "stop"}  # fmt: skip
    luck = RNG.random()
    if kind == "number":
        base |= {"reference": "4", "answer": str(RNG.randint(1, 5))}
    elif kind == "text":
        base |= {"reference": text(250), "answer": text(250)}
    elif kind == "attributes":
        asked = task.of(dataset)
        ends = {name: map(int, asked.ranges.get(name, (1, 60))) for name in asked.attributes}
        output = ", ".join(f"{name}:{RNG.randint(*both)}" for name, both in ends.items())
        base |= {"reference": output, "answer": output}
    else:
        candidates = [text(RNG.randint(2, 12)).title() for _ in range(10)]
        shuffled = RNG.sample(candidates, 10)
        listed = "\n".join(f"{place}. {title}" for place, title in enumerate(shuffled, start=1))
        answer = listed if kind == "ranked_list" else shuffled[0]
        base |= {"reference": "-", "answer": answer, "candidates": candidates,
                 "targets": candidates[:5]}  # fmt: skip
    if luck > 0.85:
        base["answer"] = text(60)
    elif luck > 0.6:
        base["answer"] = f"Here it is:\n{base['answer']}".replace("a", "e", 1).lower()
    return base


def text(count: int) -> str:
    """Return so many words."""
    return " ".join(RNG.choices(WORDS, k=count))


if __name__ == "__main__":
    main()
