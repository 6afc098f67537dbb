"""What every engine does: it answers prompts."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Prompt:
    """One question.

    Attributes:
        id: the example's, for messages.
        instruction, text: those of the example; the prompt renderer joins them.
        max_answer_tokens: output limit.
    """

    id: str
    instruction: str
    text: str
    max_answer_tokens: int


@dataclass(frozen=True)
class GeneratedAnswer:
    """One answer.

    Attributes:
        text: as it came, special tokens removed.
        finish_reason: "stop" (the model ended), "length" (the output limit), "refused" (an endpoint
            gave no answer, because of its rules or the prompt's length) or "skipped" (not asked,
            because the prompt leaves no room for an answer).
        tokens: length of the answer, the end of turn not counted, or as an endpoint counts it; None
            where it is not known.
        prompt_tokens: length of the prompt with the chat template; None where it is not known.
    """

    text: str
    finish_reason: str
    tokens: int | None
    prompt_tokens: int | None


Answered = list[tuple[int, GeneratedAnswer]]
"""Positions of prompts with their answers."""


class Engine(Protocol):
    """A way to get answers from a model."""

    def answer(
        self, prompts: Sequence[Prompt], answered: Collection[int], adapter: Path | None
    ) -> Iterator[Answered]:
        """Yield answers as they come, in any order, to the prompts that have none yet.

        prompts: all prompts of the run, the answered ones too, so that what shares a forward pass
            does not depend on where a run was stopped.
        answered: positions of the prompts that must not be asked again.
        adapter: LoRA adapter to put on the base model; None: the base model itself.

        Raises:
            ModelError: the model or the adapter cannot be used.
        """
