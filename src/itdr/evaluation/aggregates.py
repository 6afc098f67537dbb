"""Aggregates: numbers that sum up many metrics by a formula that a paper's layout states."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from math import isnan, nan, sqrt
from typing import NamedTuple

import pandas as pd

from itdr.settings.metric import judging_metric
from itdr.settings.paper import Aggregate, Term

_EVERY = ":*"


class _Value(NamedTuple):
    """A value of one dataset; how far its interval reaches, NaN where there is none."""

    value: float
    below: float
    above: float


Values = Mapping[tuple[str, str], Mapping[str, _Value]]
"""Task and metric to the values by dataset."""

COLUMNS = ("aggregate", "value", "ci_low", "ci_high", "cells", "missing")


def aggregate(scores: pd.DataFrame, formulas: Mapping[str, Aggregate]) -> pd.DataFrame:
    """Return the aggregates of one model and variant.

    scores: columns task, dataset, metric, value, and where there are any ci_low and ci_high, with
    one reading alone, as `score` gives or as a paper's results.csv holds. Where rmse-midpoint
    stands beside rmse, it is taken: nothing is won by not answering.

    Returns:
        COLUMNS: cells counts the dataset-metric values that entered; missing names the terms
        without any value, joined by spaces. The value is empty where a term is missing: means over
        different terms cannot be compared. The interval takes cells as independent and the metrics
        of a cell as rising and falling together, which is the most that they can: it is rather too
        wide than too narrow. It is empty where an interval lacks.
    """
    values = _values(scores)
    rows = []
    for name, formula in formulas.items():
        wanted = [
            (term.task, metric) for term in formula.terms for metric in _metrics(term, values)
        ]
        missing = [f"{task}:{metric}" for task, metric in wanted if (task, metric) not in values]
        value, low, high = (nan, nan, nan) if missing else _sum(formula, values)
        cells = sum(len(values.get(term, ())) for term in wanted)
        rows.append((name, value, low, high, cells, " ".join(missing)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _sum(formula: Aggregate, values: Values) -> tuple[float, float, float]:
    """Return an aggregate with its interval: each side is the root of the cells' squared reaches.

    Zou and Donner, Construction of Confidence Limits about Effect Measures, 2008 (MOVER).
    """
    total = formula.offset
    below, above = (defaultdict[tuple[str, str], float](float) for _ in range(2))
    for cell, weight, found in _addends(formula, values):
        down, up = (found.below, found.above) if weight > 0 else (found.above, found.below)
        total += weight * found.value
        below[cell] += abs(weight) * down
        above[cell] += abs(weight) * up
    reaches = [sqrt(sum(one**2 for one in side.values())) for side in (below, above)]
    return total, total - reaches[0], total + reaches[1]


def _addends(formula: Aggregate, values: Values) -> Iterator[tuple[tuple[str, str], float, _Value]]:
    """Yield task and dataset, weight and value of everything that enters an aggregate."""
    for term in formula.terms:
        metrics = _metrics(term, values)
        for metric in metrics:
            of_datasets = values[term.task, metric]
            for dataset, found in of_datasets.items():
                yield (term.task, dataset), term.weight / len(metrics) / len(of_datasets), found


def _metrics(term: Term, values: Values) -> list[str]:
    """Return the metrics of a term, KIND:* as those of all attributes that there are."""
    metrics = []
    for name in term.metrics:
        kind = name.removesuffix(_EVERY)
        found = sorted(
            metric for task, metric in values if task == term.task and metric.startswith(f"{kind}:")
        )
        metrics += (found or [kind]) if name.endswith(_EVERY) else [name]
    return metrics


def _values(scores: pd.DataFrame) -> dict[tuple[str, str], dict[str, _Value]]:
    """Return the values of every task and metric by dataset."""
    by_cell = {
        (str(row["task"]), str(row["metric"]), str(row["dataset"])): _Value(
            float(row["value"]),
            row["value"] - row.get("ci_low", nan),
            row.get("ci_high", nan) - row["value"],
        )
        for row in scores.to_dict("records")
    }
    values: dict[tuple[str, str], dict[str, _Value]] = {}
    for (task, metric, dataset), own in by_cell.items():
        found = by_cell.get((task, judging_metric(metric), dataset), own)
        if not isnan(found.value):
            values.setdefault((task, metric), {})[dataset] = found
    return values
