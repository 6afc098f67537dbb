"""What every engine does: it answers prompts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Prompt:
    """One question.

    Attributes:
        ids: token ids.
        max_answer_tokens: output limit.
    """

    ids: list[int]
    max_answer_tokens: int


@dataclass(frozen=True)
class Answer:
    """One answer.

    Attributes:
        text: as it came, special tokens removed.
        finish_reason: "stop" (the model ended), "length" (the output limit) or "skipped" (the
            prompt leaves no room for an answer, so it was not asked).
        tokens: length of the answer, the end of turn not counted.
    """

    text: str
    finish_reason: str
    tokens: int


class Engine(Protocol):
    """A way to get answers from a model."""

    def answer(self, prompts: Sequence[Prompt]) -> Iterator[tuple[int, Answer]]:
        """Yield the position of a prompt and its answer, for every prompt, in any order."""
