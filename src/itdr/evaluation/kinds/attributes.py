"""Attributes of a user as name:value, joined by commas."""

from collections.abc import Mapping
from typing import Any

from itdr.errors import DataError
from itdr.evaluation.answers import Form
from itdr.evaluation.answers.attributes import read_attributes, reference_attributes
from itdr.evaluation.kinds.core import AnswerKind
from itdr.instructions.tasks import TaskSettings
from itdr.registry import ANSWER_KINDS


@ANSWER_KINDS.register(
    "attributes",
    AnswerKind,
    read=lambda text, form, lenient: read_attributes(text, form.attributes, form.ranges, lenient),
    write=lambda example, task, dataset: ", ".join(
        f"{name}:{value}" for name, value in example["attributes"].items()
    ),
    faults=("duplicated", "missing"),
)
def _attributes(
    row: Mapping[str, Any], task: TaskSettings, dataset: str
) -> tuple[Form, dict[str, str]]:
    template, reference = task.of(dataset), row["reference"]
    truth = reference_attributes(reference, template.attributes, template.ranges)
    if not truth:
        raise DataError(
            f"column 'reference': {reference!r} holds none of the attributes "
            f"{', '.join(template.attributes)} as name:value, joined by commas."
        )
    for name, (low, high) in template.ranges.items():
        if name in truth and not low <= float(truth[name]) <= high:
            raise DataError(
                f"column 'reference': {reference!r}: {name} is not from {low:g} to {high:g}. Leave "
                f"the example out, or widen datasets.{dataset}.ranges in {task.task}.yaml."
            )
    return Form("attributes", attributes=tuple(truth), ranges=template.ranges), truth
