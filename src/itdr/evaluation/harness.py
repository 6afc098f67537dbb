"""What lm-evaluation-harness calls: its engine asks, our readers and metrics score."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from itdr.evaluation.answers import Reading
from itdr.evaluation.cells import score_cell
from itdr.evaluation.predictions import Cell, example_of
from itdr.evaluation.score import score_table
from itdr.evaluation.text_metrics import TextScorer
from itdr.instructions.asked import first_rows
from itdr.instructions.record import reference_columns
from itdr.instructions.tasks import TaskSettings, load_task
from itdr.models.prompt import user_message
from itdr.settings.scoring import ScoringSettings


def load(part: str, rows: int, folders: Sequence[str], **_: Any) -> dict[str, Any]:
    """Return the split "test" with the first rows of a part; what else is given is not looked at.

    Columns: instruction, input, folders (of configuration) and those of a prediction that come
    from the example.
    """
    from datasets import Dataset

    found = first_rows([Path(part)], rows)
    records = [
        {"instruction": row["instruction"], "input": row["input"], "folders": list(folders)}
        | reference_columns(row)
        for row in found
    ]
    return {"test": Dataset.from_list(records)}


def prompt(doc: Mapping[str, Any]) -> str:
    """Return what the user's turn says, as in our own training and inference."""
    return user_message(doc["instruction"], doc["input"])["content"]


def collect(doc: Mapping[str, Any], results: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return, for every metric of the task, the row with its answer: they are scored together."""
    row = {**doc, "answer": results[0], "finish_reason": "stop"}
    return dict.fromkeys(_task(doc).metrics_of(doc["dataset"]), row)


def aggregation(metric: str) -> Callable[[Iterable[Mapping[str, Any]]], float]:
    """Return what takes answered rows of one cell to the value of a metric, read strictly."""

    def value(rows: Iterable[Mapping[str, Any]]) -> float:
        scores = _scores(list(rows))
        return float(scores["value"][scores["metric"] == metric].iloc[0])

    return value


def _scores(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    task, dataset, settings = _task(rows[0]), rows[0]["dataset"], ScoringSettings()
    examples = sorted((example_of(row, task) for row in rows), key=lambda example: example.id)
    cell = Cell(task.task, dataset, task, tuple(examples))
    return score_table([score_cell(cell, Reading.STRICT, settings, TextScorer(settings))], settings)


def _task(row: Mapping[str, Any]) -> TaskSettings:
    return load_task(row["task"], [Path(folder) for folder in row["folders"]])
