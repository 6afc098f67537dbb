"""What the demo's table shows: five figures, each with the bound that it has to reach.

    PYTHONPATH=src:. python tests/benchmarks/demo_table.py [results/demo]

- fewest test rows of a cell (a task, a dataset and a metric): 30
- readable answers of the tuned model, in the worst task: 95%
- cells in which the tuned model is better than the base model: 95%
- cells in which it is better than the best trivial answer of the task: 50%
- its ranked lists that have every candidate once and nothing else: 90%

A base model that answers three questions of a hundred may be lucky with them, so errors are
compared with each unreadable answer counted as the middle of the scale (rmse-midpoint). Values of
repaired lists are left out; the recommenders are models of their own and not compared. Exits with 1
where a bound is missed.
"""

import csv
import sys
from collections import defaultdict
from pathlib import Path

import pyarrow.parquet as pq

from itdr.evaluation.answers.rankings import read_ranking
from itdr.instructions.tasks import load_tasks

ROOT = Path(__file__).parents[2]
Values = dict[str, dict[str, str]]  # a row of the table by "base", "itdr" or the trivial answer


def main(words: list[str]) -> int:
    """Print the figures of a demo's folder and return the exit status."""
    folder = Path(words[0] if words else "results/demo")
    cells = read_cells(folder / "report" / "tables" / "main.csv")
    tasks = load_tasks(folders=[ROOT / "config"])
    readable: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    over_base, over_trivial, rows, lost = [], [], [], []
    for (task, dataset, metric), values in cells.items():
        tuned = values["itdr"]
        rows.append(int(tuned["n"]))
        readable[task][0] += int(tuned["n"]) - int(tuned["n_unreadable"])
        readable[task][1] += int(tuned["n"])
        over_base.append(is_better(metric, tuned, values["base"]))
        trivial = [values[name] for name in tasks[task].trivial_answers if name in values]
        over_trivial.append(all(is_better(metric, tuned, other) for other in trivial))
        lost += [] if over_base[-1] else [f"{task} {dataset} {metric}"]
    complete = complete_lists(folder / "predictions" / "tiny" / "itdr" / "42.parquet")
    per_task = {task: 100 * read / of for task, (read, of) in readable.items()}
    print(f"{len(cells)} cells")
    reached = [
        tell("fewest test rows of a cell", min(rows), 30, ""),
        tell("readable answers, worst task", min(per_task.values()), 95, "%"),
        tell("better than base", 100 * sum(over_base) / len(cells), 95, "%"),
        tell("better than the best trivial answer", 100 * sum(over_trivial) / len(cells), 50, "%"),
        tell("complete ranked lists", 100 * complete, 90, "%"),
    ]
    print("readable by task: " + ", ".join(f"{t} {share:.1f}%" for t, share in per_task.items()))
    won: dict[str, list[bool]] = defaultdict(list)
    for (task, *_), better in zip(cells, over_trivial, strict=True):
        won[task].append(better)
    print("over trivial by task: " + ", ".join(f"{t} {sum(w)}/{len(w)}" for t, w in won.items()))
    print("not over base: " + (", ".join(lost) or "none"))
    return 0 if all(reached) else 1


def read_cells(path: Path) -> dict[tuple[str, str, str], Values]:
    """Return the rows of the table by task, dataset and metric, then by variant."""
    cells: dict[tuple[str, str, str], Values] = defaultdict(dict)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if not (row["metric"].endswith("-repaired") or row["metric"].split(":")[0] == "rmse"):
                cells[row["task"], row["dataset"], row["metric"]][row["variant"]] = row
    return cells


def is_better(metric: str, one: dict[str, str], other: dict[str, str]) -> bool:
    """Return whether the first row has the better value; none is worse than any."""
    if not (one["value"] and other["value"]):
        return bool(one["value"])
    sign = -1 if metric.startswith("rmse") else 1
    return sign * float(one["value"]) > sign * float(other["value"])


def complete_lists(path: Path) -> float:
    """Return the share of ranked lists that name every candidate once and nothing else."""
    table = pq.read_table(path, columns=["task", "answer", "candidates"]).to_pylist()
    lists = [row for row in table if row["task"] in ("TKR", "CDR")]
    read = [read_ranking(row["answer"], row["candidates"], lenient=False) for row in lists]
    whole = [
        one.readable and not (one.duplicated or one.out_of_list or one.missing) for one in read
    ]
    return sum(whole) / len(whole)


def tell(name: str, value: float, bound: float, unit: str) -> bool:
    """Print a figure beside its bound and return whether it is reached."""
    mark = "reached" if value >= bound else "MISSED"
    print(f"{name:38} {value:6.1f}{unit:1}  at least {bound}{unit}  {mark}")
    return value >= bound


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
