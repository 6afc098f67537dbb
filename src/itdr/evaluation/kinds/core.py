"""What a kind of answer is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from itdr.evaluation.answers import Form, ParsedAnswer, Reading
from itdr.instructions.tasks import DatasetTemplate, TaskSettings
from itdr.registry import ANSWER_KINDS


@dataclass(frozen=True)
class Example:
    """One answer with the form that was asked for and what is true.

    truth: the number, the titles of the positives, the attributes by name or the text.
    """

    id: str
    answer: str
    asked: bool
    form: Form
    truth: Any


@dataclass(frozen=True)
class AnswerKind:
    """How answers of one kind are asked for and read.

    Attributes:
        name: what task files call it.
        ask: from a row of predictions, the task and the dataset to the form of answer and the
            truth; it raises DataError naming the column that is wrong.
        read: from a text and a form, strictly or leniently, to what the text says; no text
            whatever raises an error.
        write: from a sampled example and what the dataset adds to the task to the true answer in
            the form asked for; None where a teacher writes it.
        faults: fields of an answer that count what can be wrong with a readable one.
        taught: whether a teacher writes the true answers.
    """

    name: str
    ask: Callable[[Mapping[str, Any], TaskSettings, str], tuple[Form, Any]]
    read: Callable[[str, Form, bool], ParsedAnswer]
    write: Callable[[Mapping[str, Any], DatasetTemplate], str | None]
    faults: tuple[str, ...] = ()
    taught: bool = False


def read(text: str, form: Form, reading: Reading) -> ParsedAnswer:
    """Return what an answer says; no text whatever raises an error."""
    kind: AnswerKind = ANSWER_KINDS[form.kind]
    return kind.read(text, form, reading == Reading.LENIENT)
