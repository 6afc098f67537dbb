"""Numbers on a scale, such as ratings."""

from collections.abc import Mapping
from typing import Any

from itdr.errors import DataError, SettingsError
from itdr.evaluation.answers import Form
from itdr.evaluation.answers.numbers import plain_number
from itdr.evaluation.answers.ratings import read_rating
from itdr.evaluation.kinds.core import AnswerKind
from itdr.instructions.tasks import TaskSettings
from itdr.registry import ANSWER_KINDS


@ANSWER_KINDS.register(
    "number",
    AnswerKind,
    read=lambda text, form, lenient: read_rating(text, form.scale, lenient),
    write=lambda example, task, dataset: task.of(dataset).rating_text(example["target"]["rating"]),
)
def _number(row: Mapping[str, Any], task: TaskSettings, dataset: str) -> tuple[Form, float]:
    scale, reference = task.of(dataset).scale, row["reference"]
    if scale is None:
        raise SettingsError(
            f"{task.task}.yaml: 'datasets.{dataset}.scale' is missing; an answer that is a "
            "number needs its lowest and highest value."
        )
    low, high = scale
    value = plain_number(reference.strip())
    if value is None or not low <= value <= high:
        raise DataError(
            f"column 'reference': {reference!r} is not a number from {low:g} to {high:g}."
        )
    return Form("number", scale=(low, high)), value
