"""pUII and pUIU: one number for each root task.

The paper prints both without defining them. Ours, from 0 to 100 for the usual range of values:

pUII = 100/8 * (T_rmse + the sum of seven means), where each mean is that of one task's metric over
its datasets: ndcg@10, hit@1 and precision@5 of TKR and of CDR, hit@1 of NIR; and
T_rmse = 0.2406 - 0.2811 * (mean rmse of RP over its datasets). The two numbers are the
least-squares fit to the 22 published values, which this form meets within 0.2 points each.

pUIU = 100/3 * (U + I + T): U is the mean, over the attributes of UAP, of each attribute's accuracy
averaged over the datasets that have it; I and T are the means over the five text metrics of IR and
TUI, each averaged over the datasets. The rmse of age and birth year is left out because it has a
unit. The published pUIU could not be recovered: ours is some 7 points higher, and over the 22
published columns their correlation is 0.9996.
"""

from math import nan

import numpy as np
import pandas as pd

RATING_INTERCEPT = 0.2406
RATING_SLOPE = -0.2811

Term = tuple[str, str]

_RANKING = ("ndcg@10", "hit@1", "precision@5")
_TEXT = ("bleu-1", "bleu-2", "rouge-1", "rouge-2", "rouge-l")
UII_TERMS = (
    ("RP", "rmse"),
    *(("TKR", metric) for metric in _RANKING),
    *(("CDR", metric) for metric in _RANKING),
    ("NIR", "hit@1"),
)
UIU_TEXT_TERMS = tuple((task, metric) for task in ("IR", "TUI") for metric in _TEXT)


def aggregate(scores: pd.DataFrame) -> pd.DataFrame:
    """Return pUII and pUIU of one model and variant.

    scores: columns task, dataset, metric, value, with one reading alone, as `score` gives or as
    config/paper/results.csv holds. Where no rating at all could be read, rmse-midpoint stands in
    for rmse.

    Returns:
        Columns aggregate ("pUII", "pUIU"), value, cells (dataset-metric values that entered it) and
        missing (terms without any value, joined by spaces). The value is empty where a term is
        missing: means over different terms cannot be compared.
    """
    values = _values(scores)
    means = {term: float(np.mean(found)) for term, found in values.items()}
    attributes = tuple(
        (task, metric)
        for task, metric in sorted(means)
        if task == "UAP" and metric.startswith("accuracy:")
    )
    uiu_terms = (*(attributes or (("UAP", "accuracy"),)), *UIU_TEXT_TERMS)
    rows = []
    for name, terms in (("pUII", UII_TERMS), ("pUIU", uiu_terms)):
        missing = [f"{task}:{metric}" for task, metric in terms if (task, metric) not in means]
        value = nan if missing else _puii(means) if name == "pUII" else _puiu(means, attributes)
        rows.append(
            {
                "aggregate": name,
                "value": value,
                "cells": sum(len(values.get(term, ())) for term in terms),
                "missing": " ".join(missing),
            }
        )
    return pd.DataFrame(rows)


def _puii(means: dict[Term, float]) -> float:
    rating = RATING_INTERCEPT + RATING_SLOPE * means["RP", "rmse"]
    return 100 / len(UII_TERMS) * (rating + sum(means[term] for term in UII_TERMS[1:]))


def _puiu(means: dict[Term, float], attributes: tuple[Term, ...]) -> float:
    texts = [np.mean([means[task, metric] for metric in _TEXT]) for task in ("IR", "TUI")]
    return float(100 * np.mean([np.mean([means[term] for term in attributes]), *texts]))


def _values(scores: pd.DataFrame) -> dict[Term, list[float]]:
    """Return every term's values, one a dataset."""
    by_cell = {
        (str(task), str(metric), str(dataset)): float(value)
        for task, metric, dataset, value in zip(
            scores["task"], scores["metric"], scores["dataset"], scores["value"], strict=True
        )
    }
    values: dict[Term, list[float]] = {}
    for (task, metric, dataset), value in by_cell.items():
        unread = np.isnan(value) and (task, metric) == ("RP", "rmse")
        known = by_cell.get((task, "rmse-midpoint", dataset), nan) if unread else value
        if not np.isnan(known):
            values.setdefault((task, metric), []).append(known)
    return values
