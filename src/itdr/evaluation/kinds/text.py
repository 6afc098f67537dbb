"""Free texts, whose references a teacher writes."""

from collections.abc import Mapping
from typing import Any

from itdr.errors import DataError
from itdr.evaluation.answers import Form
from itdr.evaluation.answers.texts import read_text
from itdr.evaluation.kinds.core import AnswerKind
from itdr.instructions.tasks import TaskSettings
from itdr.registry import ANSWER_KINDS


@ANSWER_KINDS.register(
    "text",
    AnswerKind,
    read=lambda text, form, lenient: read_text(text, lenient),
    write=lambda example, task, dataset: None,
    taught=True,
)
def _text(row: Mapping[str, Any], task: TaskSettings, dataset: str) -> tuple[Form, str]:
    if not row["reference"].strip():
        raise DataError("column 'reference' is empty; a text is needed.")
    return Form("text"), row["reference"].strip()
