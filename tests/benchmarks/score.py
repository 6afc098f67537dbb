"""Time of scoring all 33 (task, dataset) pairs with 250 rows each, intervals included.

    PYTHONPATH=src python tests/benchmarks/score.py [--rows N] [--resamples N]

Prints seconds, and the ratio to a plain loop that computes each resample's mean in Python on the
same values (timed on one cell and multiplied by the number of cells and columns).
"""

import argparse
import csv
import random
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from itdr.evaluation.score import score
from itdr.evaluation.uncertainty import Resampling, estimates
from itdr.instructions.record import PREDICTION
from itdr.settings.scoring import ScoringSettings

PAPER = Path(__file__).parents[2] / "config" / "paper"
ANSWERS = {
    "RP": "number", "TKR": "ranked_list", "CDR": "ranked_list", "NIR": "title",
    "UAP": "attributes", "IR": "text", "TUI": "text",
}  # fmt: skip
RNG = random.Random(1)
WORDS = ["".join(RNG.choices("abcdefghijklmnop", k=RNG.randint(2, 9))) for _ in range(2000)]


def main() -> None:
    """Make the predictions, score them, print the time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=250, help="rows per pair (default: 250)")
    parser.add_argument("--resamples", type=int, default=1000, help="(default: 1000)")
    args = parser.parse_args()
    metrics = published_metrics()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_tasks(folder, metrics)
        rows = [row(*pair, metrics[pair], at) for pair in metrics for at in range(args.rows)]
        path = folder / "predictions.parquet"
        pq.write_table(pa.Table.from_pylist(rows, schema=PREDICTION), path)
        begin = time.perf_counter()
        scores = score(path, folder, ScoringSettings(resamples=args.resamples))
        seconds = time.perf_counter() - begin
    loop = plain_loop(args.rows, args.resamples) * len(scores)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{len(metrics)} pairs x {args.rows} rows, {args.resamples} resamples: {seconds:.1f} s, "
          f"{len(scores)} scores, peak memory {memory:.2f} GiB")  # fmt: skip
    vectorised = our_interval(args.rows, args.resamples) * len(scores)
    print(f"a plain loop needs {loop:.0f} s for the intervals alone: ours take "
          f"{vectorised / loop:.4f} of that, all of scoring {seconds / loop:.3f}")  # fmt: skip


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
    """Return the seconds that one column's interval takes as scoring does it."""
    values = np.random.default_rng(1).random((rows, 1))
    begin = time.perf_counter()
    estimates(values, [False], Resampling(resamples, 0.95, 1))
    return time.perf_counter() - begin


def published_metrics() -> dict[tuple[str, str], list[str]]:
    """Return the metrics of every published pair."""
    found: dict[tuple[str, str], list[str]] = {}
    with (PAPER / "results.csv").open(encoding="utf-8") as file:
        for line in csv.DictReader(file):
            metrics = found.setdefault((line["task"], line["dataset"]), [])
            if line["metric"] not in metrics:
                metrics.append(line["metric"])
    return found


def write_tasks(folder: Path, metrics: dict[tuple[str, str], list[str]]) -> None:
    """Write task files that hold what scoring needs."""
    for task, answer in ANSWERS.items():
        datasets = {
            dataset: {"examples": 1, "template": "x", "metrics": names, "scale": [0.5, 10],
                      "attributes": [name.partition(":")[2] for name in names if ":" in name]}
            for (of, dataset), names in metrics.items() if of == task
        }  # fmt: skip
        settings = {
            "task": task, "version": 1, "description": "Do.", "answer": answer,
            "sampling": {"kind": "rating", "history": 1, "min_history": 1},
            "max_answer_tokens": 8, "datasets": datasets,
            "teacher_prompt": "Write." if answer == "text" else None,
        }  # fmt: skip
        (folder / f"{task}.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")


def row(task: str, dataset: str, metrics: list[str], number: int) -> dict[str, Any]:
    """Return a prediction: 60% in the asked-for form, 25% nearly so, 15% beside the point."""
    kind = ANSWERS[task]
    base = {"id": f"{task}/{dataset}/{number}", "task": task, "dataset": dataset,
            "finish_reason": "stop"}  # fmt: skip
    luck = RNG.random()
    if kind == "number":
        base |= {"reference": "4", "answer": str(RNG.randint(1, 5))}
    elif kind == "text":
        base |= {"reference": text(250), "answer": text(250)}
    elif kind == "attributes":
        names = [metric.partition(":")[2] for metric in metrics]
        output = ", ".join(f"{name}:{RNG.randint(1, 60)}" for name in names)
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
