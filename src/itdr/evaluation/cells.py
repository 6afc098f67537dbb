"""Every example's value in every metric of one cell."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import nan
from typing import Any

import numpy as np

from itdr.evaluation.answers import Answer, Reading, read
from itdr.evaluation.answers.attributes import same_value
from itdr.evaluation.metrics import (
    Metric,
    accuracy,
    hit_at_k,
    hits_of,
    ndcg_at_k,
    parse_metric,
    precision_at_k,
    squared_errors,
)
from itdr.evaluation.predictions import Cell, Example
from itdr.evaluation.text_metrics import TextScorer
from itdr.evaluation.uncertainty import Floats
from itdr.settings.scoring import ScoringSettings
from itdr.vocabulary import REPAIRED

_FAULTS = {
    "ranked_list": ("duplicated", "out_of_list", "missing"),
    "title": ("out_of_list",),
    "attributes": ("duplicated", "missing"),
}


@dataclass(frozen=True)
class Column:
    """One metric over the examples of a cell.

    values: shape (examples,); NaN where the example does not count. root: whether they are squared
    errors. n: examples that ask for this metric; n_unreadable: those of them without an answer.
    """

    metric: str
    values: Floats
    root: bool
    n: int
    n_unreadable: int


@dataclass(frozen=True)
class CellScores:
    """All metrics of a cell under one reading.

    answers: what was read, in the order of the examples. faults: share of the answers with at least
    one duplicated, out-of-list or missing entry; NaN where answers of this kind cannot have that
    fault.
    """

    cell: Cell
    reading: Reading
    columns: tuple[Column, ...]
    answers: tuple[Answer, ...]
    faults: dict[str, float]


def score_cell(
    cell: Cell, reading: Reading, settings: ScoringSettings, texts: TextScorer
) -> CellScores:
    """Return the values of all metrics that the task's file names, of lists repaired ones too."""
    answers = [
        read(example.answer, example.form, reading)
        if example.asked
        else Answer("not asked", missing=1)
        for example in cell.examples
    ]
    columns = _columns(cell, answers, reading, settings, texts)
    if cell.settings.answer == "ranked_list":
        repaired = [
            _repaired(answer, len(example.form.candidates))
            for answer, example in zip(answers, cell.examples, strict=True)
        ]
        columns += [
            replace(column, metric=f"{column.metric}{REPAIRED}")
            for column in _columns(cell, repaired, reading, settings, texts)
        ]
    return CellScores(cell, reading, tuple(columns), tuple(answers), _faults(cell, answers))


def _columns(
    cell: Cell,
    answers: Sequence[Answer],
    reading: Reading,
    settings: ScoringSettings,
    texts: TextScorer,
) -> list[Column]:
    columns: list[Column] = []
    for name in cell.settings.metrics_of(cell.dataset):
        metric = parse_metric(name)
        if metric.family == "rmse":
            columns += _error_columns(metric, cell.examples, answers)
        else:
            value_of = _rate(metric, reading, texts)
            unreadable = 0.0 if settings.unreadable == "wrong" else nan
            columns.append(_rate_column(metric, cell.examples, answers, value_of, unreadable))
    return columns


def _repaired(answer: Answer, candidates: int) -> Answer:
    """Return a readable answer as a ranking of all candidates, as RankGPT makes it.

    Source: Sun et al. 2023, "Is ChatGPT Good at Search?", and the code published with it.
    """
    if not answer.readable:
        return answer
    listed = [place for place in answer.ranking if place is not None]
    rest = [place for place in range(candidates) if place not in listed]
    return replace(answer, ranking=(*listed, *rest))


def _error_columns(
    metric: Metric, examples: Sequence[Example], answers: Sequence[Answer]
) -> list[Column]:
    """Return rmse over what could be read, and rmse-midpoint over everything."""
    true = np.array([_true_number(example, metric) for example in examples])
    given = np.array([_given_number(answer, metric) for answer in answers])
    asked = ~np.isnan(true)
    unreadable = asked & np.isnan(given)
    filled = np.where(np.isnan(given), _midpoint(metric, examples, true), given)
    counts = {"n": int(asked.sum()), "n_unreadable": int(unreadable.sum())}
    suffix = f":{metric.attribute}" if metric.attribute else ""
    return [
        Column(metric.id, squared_errors(given, true), root=True, **counts),
        Column(f"rmse-midpoint{suffix}", squared_errors(filled, true), root=True, **counts),
    ]


def _true_number(example: Example, metric: Metric) -> float:
    if metric.attribute:
        return float(example.truth.get(metric.attribute, nan))
    return float(example.truth)


def _given_number(answer: Answer, metric: Metric) -> float:
    if metric.attribute:
        return float(answer.attributes.get(metric.attribute, nan))
    return nan if answer.number is None else answer.number


def _midpoint(metric: Metric, examples: Sequence[Example], true: Floats) -> float:
    """Return the middle of the scale; an attribute has none, so that of the cell's true values."""
    if metric.attribute:
        known = true[~np.isnan(true)]
        return float(known.min() + known.max()) / 2 if known.size else nan
    low, high = examples[0].form.scale
    return (low + high) / 2


def _rate_column(
    metric: Metric,
    examples: Sequence[Example],
    answers: Sequence[Answer],
    value_of: Callable[[Answer, Example], float],
    unreadable: float,
) -> Column:
    values = np.full(len(examples), nan)
    n = n_unreadable = 0
    for place, (example, answer) in enumerate(zip(examples, answers, strict=True)):
        if metric.attribute and metric.attribute not in example.truth:
            continue
        n += 1
        if answer.readable and (not metric.attribute or metric.attribute in answer.attributes):
            values[place] = value_of(answer, example)
        else:
            n_unreadable += 1
            values[place] = unreadable
    return Column(metric.id, values, root=False, n=n, n_unreadable=n_unreadable)


def _rate(
    metric: Metric, reading: Reading, texts: TextScorer
) -> Callable[[Answer, Example], float]:
    """Return the function that gives a readable answer's value."""
    name = metric.attribute
    lenient = reading == Reading.LENIENT
    functions: dict[str, Callable[[Answer, Example], float]] = {
        "ndcg": lambda answer, example: ndcg_at_k(
            _hits(answer, example), len(example.truth), metric.k
        ),
        "hit": lambda answer, example: hit_at_k(_hits(answer, example), metric.k),
        "precision": lambda answer, example: precision_at_k(_hits(answer, example), metric.k),
        "accuracy": lambda answer, example: accuracy(
            same_value(answer.attributes[name], example.truth[name], lenient)
        ),
    }
    if metric.family in functions:
        return functions[metric.family]
    return lambda answer, example: texts.scores(answer.text or "", example.truth)[metric.id]


def _hits(answer: Answer, example: Example) -> list[bool]:
    return hits_of(answer.ranking, example.form.candidates, example.truth)


def _faults(cell: Cell, answers: Sequence[Answer]) -> dict[str, float]:
    applicable: Any = _FAULTS.get(cell.settings.answer, ())
    return {
        fault: float(np.mean([getattr(answer, fault) > 0 for answer in answers]))
        if fault in applicable
        else nan
        for fault in ("duplicated", "out_of_list", "missing")
    }
