"""One of several texts, told by how likely the model holds each of them to be."""

from collections.abc import Mapping
from math import isnan
from typing import Any

from itdr.errors import DataError, SettingsError
from itdr.evaluation.answers import Form, ParsedAnswer
from itdr.evaluation.kinds.core import AnswerKind
from itdr.instructions.choices import CANDIDATES, ChoiceLikelihood, fault_of_choices
from itdr.instructions.tasks import TaskSettings
from itdr.registry import ANSWER_KINDS

Likelihoods = tuple[ChoiceLikelihood, ...]


def rated_choice(rating: float, task: TaskSettings, dataset: str) -> str:
    """Return which of a task's two choices a rating makes right: the first from `liked` on.

    Raises:
        SettingsError: the task file does not say so.
    """
    liked, choices = task.of(dataset).liked, task.choices
    if liked is None or not isinstance(choices, tuple) or len(choices) != 2:
        raise SettingsError(
            f"tasks/{task.task}.yaml: which choice a rating makes right is told by two 'choices' "
            f"and by 'datasets.{dataset}.liked', the lowest rating for which the first is right; "
            f"found {choices!r} and {liked!r}."
        )
    return choices[0] if rating >= liked else choices[1]


def _right_choice(example: Mapping[str, Any], task: TaskSettings, dataset: str) -> str:
    if task.choices == CANDIDATES:
        return str(example["positives"][0]["title"]).strip()
    if (rating := example.get("target", {}).get("rating")) is None:
        raise SettingsError(
            f"tasks/{task.task}.yaml: fixed 'choices' are about the rating of a target, which the "
            f"sampling {task.sampling.kind} does not give; use 'rating'."
        )
    return rated_choice(rating, task, dataset)


def _likelihoods(row: Mapping[str, Any], form: Form) -> Likelihoods:
    """Return the likelihoods in the order of the form's choices; none where there are none."""
    given = row.get("choices")
    if given is None:
        return ()
    found = {choice["text"]: choice for choice in given if choice}
    if len(found) < len(given) or found.keys() != set(form.candidates):
        raise DataError(
            f"column 'choices': found {[choice and choice['text'] for choice in given]!r}; each of "
            f"{list(form.candidates)!r} is needed once."
        )
    for text, choice in found.items():
        logprob, tokens = choice["logprob"], choice["tokens"]
        if logprob is None or isnan(logprob) or logprob == float("inf"):
            raise DataError(f"column 'choices': the logprob of {text!r} is {logprob}; a number is "
                            "needed.")  # fmt: skip
        if tokens is not None and tokens < 1:
            raise DataError(f"column 'choices': {text!r} has {tokens} tokens; at least one is "
                            "needed, or null where it is not known.")  # fmt: skip
    if all(choice["logprob"] == -float("inf") for choice in given):
        raise DataError("column 'choices': every logprob is -inf; at least one must be larger.")
    return tuple(ChoiceLikelihood(**found[text]) for text in form.candidates)


def _read(likelihoods: Likelihoods, form: Form, lenient: bool) -> ParsedAnswer:
    if not likelihoods:
        return ParsedAnswer("no log-probabilities", missing=1)
    return ParsedAnswer(likelihoods=likelihoods)


@ANSWER_KINDS.register("choice", AnswerKind, given=_likelihoods, read=_read, write=_right_choice)
def _choice(row: Mapping[str, Any], task: TaskSettings, dataset: str) -> tuple[Form, str]:
    choices: tuple[str, ...] = tuple(task.choices or ())
    if task.choices == CANDIDATES:
        choices = tuple((title or "").strip() for title in row["candidates"] or ())
        if fault := fault_of_choices(choices):
            raise DataError(f"column 'candidates', which are the choices: {fault}.")
    right = row["reference"].strip()
    if right not in choices:
        raise DataError(f"column 'reference': {right!r} is none of the choices {list(choices)!r}.")
    return Form("choice", candidates=choices), right
