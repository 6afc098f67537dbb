"""Every example's value in every metric of one cell."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import nan

import numpy as np

from itdr.evaluation.answers import ParsedAnswer, Reading
from itdr.evaluation.kinds.core import Example, read
from itdr.evaluation.metrics.errors import squared_errors
from itdr.evaluation.metrics.scorers import Scorers, Whole
from itdr.evaluation.predictions import Cell
from itdr.evaluation.text_metrics import TextScorer
from itdr.evaluation.uncertainty import Floats
from itdr.registry import ANSWER_KINDS
from itdr.settings.metric import REPAIRED, Metric, parse_metric
from itdr.settings.scoring import ScoringSettings


@dataclass(frozen=True)
class MetricValues:
    """One metric over the examples of a cell.

    values: shape (examples,); NaN where the example does not count, and in metrics of the whole
    cell. root: whether they are squared errors. n: examples that ask for this metric; n_unreadable:
    those of them without an answer. signature: package, version and choices. whole: of a metric of
    the whole cell. rate: whether values are from 0 to 1.
    """

    metric: str
    values: Floats
    root: bool
    n: int
    n_unreadable: int
    signature: str = ""
    whole: Whole | None = None
    rate: bool = True


@dataclass(frozen=True)
class CellScores:
    """All metrics of a cell under one reading.

    answers: what was read, in the order of the examples. faults: share of the answers with at least
    one duplicated, out-of-list or missing entry; NaN where answers of this kind cannot have that
    fault.
    """

    cell: Cell
    reading: Reading
    columns: tuple[MetricValues, ...]
    answers: tuple[ParsedAnswer, ...]
    faults: dict[str, float]


def score_cell(
    cell: Cell, reading: Reading, settings: ScoringSettings, texts: TextScorer
) -> CellScores:
    """Return the values of all metrics that the task's file names, of lists repaired ones too."""
    answers = [
        read(example.answer, example.form, reading)
        if example.asked
        else ParsedAnswer("not asked", missing=1)
        for example in cell.examples
    ]
    scorers = Scorers(reading == Reading.LENIENT, texts, settings.unreadable == "left-out")
    columns = _columns(cell, answers, scorers)
    if cell.settings.answer == "ranked_list":
        repaired = [
            _repaired(answer, len(example.form.candidates))
            for answer, example in zip(answers, cell.examples, strict=True)
        ]
        columns += [
            replace(column, metric=f"{column.metric}{REPAIRED}")
            for column in _columns(cell, repaired, scorers)
        ]
    return CellScores(cell, reading, tuple(columns), tuple(answers), _faults(cell, answers))


def _columns(cell: Cell, answers: Sequence[ParsedAnswer], scorers: Scorers) -> list[MetricValues]:
    columns: list[MetricValues] = []
    for name in cell.settings.metrics_of(cell.dataset):
        metric = parse_metric(name)
        if metric.kind.whole:
            columns.append(_whole_column(metric, cell.examples, answers, scorers))
        elif metric.kind.squared_error:
            columns += _error_columns(metric, cell.examples, answers, scorers)
        else:
            columns.append(_rate_column(metric, cell.examples, answers, scorers))
    return columns


def _repaired(answer: ParsedAnswer, candidates: int) -> ParsedAnswer:
    """Return a readable answer as a ranking of all candidates, as RankGPT makes it.

    Source: Sun et al. 2023, "Is ChatGPT Good at Search?", and the code published with it.
    """
    if not answer.readable:
        return answer
    listed = [place for place in answer.ranking if place is not None]
    rest = [place for place in range(candidates) if place not in listed]
    return replace(answer, ranking=(*listed, *rest))


def _error_columns(
    metric: Metric, examples: Sequence[Example], answers: Sequence[ParsedAnswer], scorers: Scorers
) -> list[MetricValues]:
    """Return rmse over what could be read, and rmse-midpoint over everything."""
    true = np.array([_true_number(example, metric) for example in examples])
    given = np.array(
        [
            metric.kind.value(answer, example, metric, scorers)
            for answer, example in zip(answers, examples, strict=True)
        ]
    )
    asked = ~np.isnan(true)
    unreadable = asked & np.isnan(given)
    filled = np.where(np.isnan(given), _midpoint(metric, examples, true), given)
    counts = int(asked.sum()), int(unreadable.sum())
    suffix = f":{metric.attribute}" if metric.attribute else ""
    return [
        MetricValues(metric.id, squared_errors(given, true), True, *counts),
        MetricValues(f"rmse-midpoint{suffix}", squared_errors(filled, true), True, *counts),
    ]


def _true_number(example: Example, metric: Metric) -> float:
    if metric.attribute:
        return float(example.truth.get(metric.attribute, nan))
    return float(example.truth)


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
    answers: Sequence[ParsedAnswer],
    scorers: Scorers,
) -> MetricValues:
    # 0 would be the best value of an error, and silence must not win.
    is_rate = not metric.kind.lower_is_better
    unreadable = 0.0 if is_rate and not scorers.left_out else nan
    values = np.full(len(examples), nan)
    n = n_unreadable = 0
    for place, (example, answer) in enumerate(zip(examples, answers, strict=True)):
        if metric.attribute and metric.attribute not in example.truth:
            continue
        n += 1
        if answer.readable and (not metric.attribute or metric.attribute in answer.attributes):
            values[place] = metric.kind.value(answer, example, metric, scorers)
        else:
            n_unreadable += 1
            values[place] = unreadable
    signature = _signature(metric, examples, scorers)
    return MetricValues(metric.id, values, False, n, n_unreadable, signature, rate=is_rate)


def _whole_column(
    metric: Metric, examples: Sequence[Example], answers: Sequence[ParsedAnswer], scorers: Scorers
) -> MetricValues:
    """Return a metric of all answers together."""
    return MetricValues(
        metric.id,
        np.full(len(examples), nan),
        root=False,
        n=len(examples),
        n_unreadable=sum(not answer.readable for answer in answers),
        signature=_signature(metric, examples, scorers),
        whole=metric.kind.value(answers, examples, metric, scorers),
    )


def _signature(metric: Metric, examples: Sequence[Example], scorers: Scorers) -> str:
    parts = [metric.kind.signature(metric, scorers.texts)] if metric.kind.signature else []
    if examples[0].form.kind == "choice":
        parts.append(f"logprob:{'per token' if metric.per_token else 'sum'}")
    return "|".join(parts)


def _faults(cell: Cell, answers: Sequence[ParsedAnswer]) -> dict[str, float]:
    applicable = ANSWER_KINDS[cell.settings.answer].faults
    return {
        fault: float(np.mean([getattr(answer, fault) > 0 for answer in answers]))
        if fault in applicable
        else nan
        for fault in ("duplicated", "out_of_list", "missing")
    }
