"""What the answer of an example is chosen from, and how likely a model holds each choice to be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from itdr.errors import DataError

CANDIDATES: Literal["candidates"] = "candidates"
"""What `choices` says in a task file where each example brings its own: its candidates."""


@dataclass(frozen=True)
class ChoiceLikelihood:
    """How likely a choice is as the beginning of the answer.

    Attributes:
        text: the choice.
        logprob: sum of the natural logarithms of its tokens' probabilities, each given the prompt
            and the tokens before it.
        tokens: how many tokens it has; None where nobody said.
        greedy: whether each of its tokens was the most probable one at its place; None where nobody
            said.
    """

    text: str
    logprob: float
    tokens: int | None = None
    greedy: bool | None = None


def fault_of_choices(choices: Sequence[str | None]) -> str | None:
    """Return why these texts cannot be told apart or scored, or None."""
    if len(choices) < 2:
        return f"found {len(choices)}; at least two are needed"
    for place, text in enumerate(choices, start=1):
        if not text or not text.strip():
            return f"number {place} is empty; a model can give an empty text no likelihood"
        if text != text.strip():
            return f"{text!r} begins or ends with a blank, which chat templates may drop; leave it"
        if choices.index(text) < place - 1:
            return f"{text!r} stands twice; equal choices cannot be told apart"
    return None


def choices_of(
    fixed: Sequence[str] | Literal["candidates"] | None, record: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return the choices of an example (a row of RECORD); none where the task has none.

    fixed: `choices` of the task file.

    Raises:
        DataError: the candidates that are to be chosen from are missing, empty or equal.
    """
    if fixed is None:
        return ()
    if fixed != CANDIDATES:
        return tuple(fixed)
    titles = [(item["title"] or "").strip() for item in record["candidates"] or ()]
    if fault := fault_of_choices(titles):
        raise DataError(
            f"id {record['id']!r}: column 'candidates', whose titles are the choices: {fault}. "
            "Leave the example out, or give its candidates titles of their own."
        )
    return tuple(titles)
