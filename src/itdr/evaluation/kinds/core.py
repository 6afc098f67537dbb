"""What a kind of answer is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from itdr.evaluation.answers import Form, ParsedAnswer, Reading
from itdr.instructions.tasks import TaskSettings
from itdr.registry import ANSWER_KINDS


@dataclass(frozen=True)
class Example:
    """One answer with the form that was asked for and what is true.

    answer: the text, or the likelihoods of choices. truth: the number, the titles of the positives,
    the attributes by name, the right choice or the text. user_id: whose example it is, where known.
    """

    id: str
    answer: Any
    asked: bool
    form: Form
    truth: Any
    user_id: str | None = None


@dataclass(frozen=True)
class AnswerKind:
    """How answers of one kind are asked for and read.

    Attributes:
        name: what task files call it.
        ask: from a row of predictions, the task and the dataset to the form of answer and the
            truth; it raises DataError naming the column that is wrong.
        read: from an answer and a form, strictly or leniently, to what the answer says; no text
            whatever raises an error.
        write: from a sampled example, the task and the dataset to the true answer in the form asked
            for; None where a teacher writes it.
        given: from a row of predictions and the form to the answer.
        faults: fields of an answer that count what can be wrong with a readable one.
        taught: whether a teacher writes the true answers.
    """

    name: str
    ask: Callable[[Mapping[str, Any], TaskSettings, str], tuple[Form, Any]]
    read: Callable[[Any, Form, bool], ParsedAnswer]
    write: Callable[[Mapping[str, Any], TaskSettings, str], str | None]
    given: Callable[[Mapping[str, Any], Form], Any] = lambda row, form: row["answer"]
    faults: tuple[str, ...] = ()
    taught: bool = False


def read(answer: Any, form: Form, reading: Reading) -> ParsedAnswer:
    """Return what an answer says; no text whatever raises an error."""
    kind: AnswerKind = ANSWER_KINDS[form.kind]
    return kind.read(answer, form, reading == Reading.LENIENT)
