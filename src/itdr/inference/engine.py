"""What every engine does: it answers prompts."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from itdr.instructions.choices import ChoiceLikelihood


@dataclass(frozen=True)
class Prompt:
    """One question.

    Attributes:
        id: the example's, for messages.
        instruction, text: those of the example; the prompt renderer joins them.
        max_answer_tokens: output limit; of no meaning where there are choices.
        choices: the texts whose likelihoods are asked for; none: an answer shall be generated.
    """

    id: str
    instruction: str
    text: str
    max_answer_tokens: int
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class GeneratedAnswer:
    """One answer.

    Attributes:
        text: as it came, special tokens removed; of choices, the most probable one.
        finish_reason: "stop" (the model ended), "length" (the output limit), "refused" (an endpoint
            gave no answer, because of its rules or the prompt's length) or "skipped" (not asked,
            because the prompt leaves no room for an answer).
        tokens: length of the answer, the end of turn not counted, or as an endpoint counts it; None
            where it is not known.
        prompt_tokens: length of the prompt with the chat template; None where it is not known.
        choices: likelihoods in the order asked for; None where there are none.
    """

    text: str
    finish_reason: str
    tokens: int | None
    prompt_tokens: int | None
    choices: tuple[ChoiceLikelihood, ...] | None = None


def chosen(choices: Sequence[ChoiceLikelihood], prompt_tokens: int | None) -> GeneratedAnswer:
    """Return the answer that likelihoods are; of equal ones the first counts as the best."""
    best = max(choices, key=lambda choice: choice.logprob)
    return GeneratedAnswer(best.text, "stop", best.tokens, prompt_tokens, tuple(choices))


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
