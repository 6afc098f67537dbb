"""Aggregates: numbers that sum up many metrics by a formula that a paper's layout states."""

from collections.abc import Mapping
from math import nan

import numpy as np
import pandas as pd

from itdr.settings.paper import Aggregate, Term

_EVERY = ":*"

Values = Mapping[tuple[str, str], list[float]]
"""Task and metric to the values of all datasets."""


def aggregate(scores: pd.DataFrame, formulas: Mapping[str, Aggregate]) -> pd.DataFrame:
    """Return the aggregates of one model and variant.

    scores: columns task, dataset, metric, value, with one reading alone, as `score` gives or as
    a paper's results.csv holds. Where no answer at all could be read, rmse-midpoint stands in for
    rmse.

    Returns:
        Columns aggregate, value, cells (dataset-metric values that entered it) and missing (terms
        without any value, joined by spaces). The value is empty where a term is missing: means over
        different terms cannot be compared.
    """
    values = _values(scores)
    rows = []
    for name, formula in formulas.items():
        parts = [(term, _metrics(term, values)) for term in formula.terms]
        wanted = [(term.task, metric) for term, metrics in parts for metric in metrics]
        missing = [f"{task}:{metric}" for task, metric in wanted if (task, metric) not in values]
        rows.append(
            {
                "aggregate": name,
                "value": nan if missing else _sum(formula.offset, parts, values),
                "cells": sum(len(values.get(term, ())) for term in wanted),
                "missing": " ".join(missing),
            }
        )
    return pd.DataFrame(rows, columns=["aggregate", "value", "cells", "missing"])


def _sum(offset: float, parts: list[tuple[Term, list[str]]], values: Values) -> float:
    total = offset
    for term, metrics in parts:
        means = [np.mean(values[term.task, metric]) for metric in metrics]
        total += term.weight * float(np.mean(means))
    return total


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


def _values(scores: pd.DataFrame) -> dict[tuple[str, str], list[float]]:
    """Return the values of every task and metric, one a dataset."""
    by_cell = {
        (str(task), str(metric), str(dataset)): float(value)
        for task, metric, dataset, value in zip(
            scores["task"], scores["metric"], scores["dataset"], scores["value"], strict=True
        )
    }
    values: dict[tuple[str, str], list[float]] = {}
    for (task, metric, dataset), value in by_cell.items():
        unread = np.isnan(value) and metric == "rmse"
        known = by_cell.get((task, "rmse-midpoint", dataset), nan) if unread else value
        if not np.isnan(known):
            values.setdefault((task, metric), []).append(known)
    return values
