"""Between texts and tokens, the same for every engine that has the model's weights here."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from itdr.inference.engine import Answer, Answered, Prompt
from itdr.models.prompt import PromptRenderer


@dataclass(frozen=True)
class TokenPrompt:
    """A prompt as token ids, with its output limit in tokens."""

    ids: list[int]
    limit: int

    @property
    def length(self) -> int:
        """Tokens of the prompt and of the longest answer to it."""
        return len(self.ids) + self.limit


class Tokens:
    """Writes prompts as tokens and reads answers from tokens."""

    def __init__(self, tokenizer: Any, ends: Collection[int], max_length: int) -> None:
        """Keep the tokenizer, the tokens that end an answer and the longest length allowed."""
        self._tokenizer, self._max_length = tokenizer, max_length
        self._renderer = PromptRenderer(tokenizer)
        self.ends = frozenset(ends)

    def prompts(self, prompts: Sequence[Prompt]) -> list[TokenPrompt]:
        """Return the prompts with the chat template around them."""
        return [
            TokenPrompt(self._renderer.prompt(p.instruction, p.text), p.max_answer_tokens)
            for p in prompts
        ]

    def fits(self, prompt: TokenPrompt) -> bool:
        """Say whether there is room for the prompt and the longest answer to it."""
        return prompt.length <= self._max_length

    def skipped(self, prompts: Sequence[TokenPrompt], answered: Collection[int]) -> Answered:
        """Return the answers to prompts that do not fit: none, as they are never cut."""
        return [
            (position, Answer("", "skipped", 0, len(prompt.ids)))
            for position, prompt in enumerate(prompts)
            if position not in answered and not self.fits(prompt)
        ]

    def answer(self, prompt: TokenPrompt, ids: Sequence[int]) -> Answer:
        """Return the answer that a model's output is, up to its end or the prompt's limit."""
        end = next((i for i, token in enumerate(ids) if token in self.ends), len(ids))
        stopped = end < len(ids) and end <= prompt.limit
        kept = list(ids[: min(end, prompt.limit)])
        text = self._tokenizer.decode(kept, skip_special_tokens=True)
        return Answer(text, "stop" if stopped else "length", len(kept), len(prompt.ids))


def end_tokens(tokenizer: Any, generation: Any, named: Sequence[str]) -> frozenset[int]:
    """Return the tokens that end an answer.

    generation: the model's generation configuration; named: tokens of the model's file.
    """
    own = generation.eos_token_id
    return frozenset(
        [
            tokenizer.eos_token_id,
            *([own] if isinstance(own, int) else own or []),
            *tokenizer.convert_tokens_to_ids(list(named)),
        ]
    )
