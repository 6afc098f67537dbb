"""How often an interval that says 95% holds the truth, by simulation down to 37 examples.

    PYTHONPATH=src python tests/benchmarks/coverage.py [--trials N] [--resamples N]

Each world draws the values that examples would have, of which the true mean (or root of the mean)
is known; in each trial a cell of n examples is drawn and its interval made as scoring makes it, or
that of the difference of two columns as comparisons make it. Beside it stands the percentile
bootstrap of the same cells. Writes results/coverage.csv.
"""

import argparse
import csv
from collections.abc import Callable
from math import log2
from pathlib import Path

import numpy as np

from itdr.evaluation.paired import compare
from itdr.evaluation.uncertainty import Floats, Resampling, merge_seeds

RESULTS = Path(__file__).parent / "results" / "coverage.csv"
SIZES = (37, 60, 120, 250)
COLUMNS = ("world", "truth", "n", "trials", "covered", "mean_width", "percentile_covered",
           "percentile_mean_width")  # fmt: skip
World = Callable[[np.random.Generator, int], Floats]
DISCOUNTS = np.array([1 / log2(rank + 1) for rank in range(1, 11)])


def share(p: float) -> World:
    """Return a world of answers that are right with probability p."""
    return lambda rng, n: (rng.random(n) < p).astype(float)


def ndcg(skill: float, given: float = 1.0) -> World:
    """Return a world of lists of 5 true and 5 other candidates, a share of which is readable."""

    def draw(rng: np.random.Generator, n: int) -> Floats:
        scores = rng.normal(size=(n, 10))
        scores[:, :5] += skill
        hits = np.argsort(-scores, axis=1) < 5
        return (hits @ DISCOUNTS) / DISCOUNTS[:5].sum() * (rng.random(n) < given)

    return draw


def stars(rng: np.random.Generator, n: int) -> Floats:
    """Draw squared errors of ratings from 1 to 5."""
    true = rng.choice(5, n, p=[0.05, 0.1, 0.2, 0.35, 0.3])
    given = rng.choice(5, n, p=[0.05, 0.05, 0.2, 0.5, 0.2])
    return ((true - given) ** 2).astype(float)


def ages(rng: np.random.Generator, n: int) -> Floats:
    """Draw squared errors of one age said of everybody, ages being skewed to the right."""
    return (rng.gamma(4, 3, n) - 12) ** 2


MEANS: dict[str, World] = {
    **{f"share {p:g}": share(p) for p in (0.03, 0.1, 0.25, 0.5, 0.75, 0.9)},
    "NDCG, as good as chance": ndcg(0),
    "NDCG, half unreadable": ndcg(0.5, 0.5),
    "NDCG, nine of ten unreadable": ndcg(0.5, 0.1),
    "NDCG, good": ndcg(1.0),
    "NDCG, nearly perfect": ndcg(3.0),
    "NDCG, few imperfect": lambda rng, n: np.where(rng.random(n) < 0.1, rng.beta(2, 1, n), 1.0),
    "Precision@5": lambda rng, n: rng.binomial(5, 0.6, n) / 5,
    "BLEU": lambda rng, n: rng.beta(2, 8, n),
    "ROUGE-2, many near zero": lambda rng, n: rng.beta(0.4, 2, n),
}
ROOTS: dict[str, World] = {
    "RMSE, normal errors": lambda rng, n: rng.normal(size=n) ** 2,
    "RMSE of stars": stars,
    "RMSE of one age for all, skewed": ages,
    "RMSE, errors with heavy tails": lambda rng, n: rng.standard_t(5, n) ** 2,
}
DIFFERENCES: dict[str, tuple[World, bool]] = {
    "difference of shares": (share(0.5), False),
    "difference of NDCG": (ndcg(1.0), False),
    "difference of RMSE of stars": (stars, True),
}


def main() -> None:
    """Simulate all worlds, print and keep the coverage."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=2000, help="(default: 2000)")
    parser.add_argument("--resamples", type=int, default=1000, help="(default: 1000)")
    args = parser.parse_args()
    rows = []
    for n in SIZES:
        for name, world in (MEANS | ROOTS).items():
            rows.append(simulate(name, world, name in ROOTS, n, args.trials, args.resamples))
        for name, (world, root) in DIFFERENCES.items():
            rows.append(difference(name, world, root, n, args.trials))
    with RESULTS.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def simulate(
    name: str, world: World, root: bool, n: int, trials: int, resamples: int
) -> dict[str, object]:
    """Return the coverage of one world's value at one size."""
    transform = np.sqrt if root else float
    truth = transform(world(np.random.default_rng(0), 400_000).mean())
    if name.startswith("share"):
        truth = float(name.split()[1])
    rng = np.random.default_rng(1)
    ours, theirs = [], []
    for trial in range(trials):
        values = world(rng, n)[:, None]
        plan = Resampling(resamples, 0.95, trial)
        found = merge_seeds([values[:, 0]], root, plan.confidence)
        ours.append((found.low, found.high))
        drawn = plan.generator().integers(0, n, (resamples, n))
        means = values[drawn, 0].mean(axis=1)
        theirs.append(np.quantile(np.sqrt(means) if root else means, [0.025, 0.975]))
    return told(name, truth, n, ours) | {
        f"percentile_{key}": value
        for key, value in told(name, truth, n, theirs).items()
        if key in ("covered", "mean_width")
    }


def difference(name: str, world: World, root: bool, n: int, trials: int) -> dict[str, object]:
    """Return the coverage of the difference of two columns that half of the examples share."""
    rng = np.random.default_rng(1)
    found = []
    for trial in range(trials):
        first, second = world(rng, n), world(rng, n)
        second = np.where(rng.random(n) < 0.5, first, second)
        values = np.stack([first, second], axis=1)
        (pair,) = compare(values, [(0, 1)], root, Resampling(1, 0.95, trial))
        found.append((pair.low, pair.high))
    return told(name, 0.0, n, found)


def told(name: str, truth: float, n: int, intervals: list) -> dict[str, object]:
    """Return the share of intervals that hold the truth, and their mean width."""
    low, high = np.array(intervals).T
    row = {
        "world": name,
        "truth": f"{truth:.4f}",
        "n": n,
        "trials": len(low),
        "covered": f"{np.mean((low <= truth) & (truth <= high)):.4f}",
        "mean_width": f"{np.nanmean(high - low):.4f}",
    }
    print(row["n"], row["world"], row["covered"], row["mean_width"], flush=True)
    return row


if __name__ == "__main__":
    main()
