"""Between texts and tokens, the same for every engine that has the model's weights here."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from itdr.inference.engine import Answered, GeneratedAnswer, Prompt
from itdr.models.loading import load_ends, load_tokenizer, longest_input
from itdr.models.prompt import PromptRenderer
from itdr.settings.model import ModelSettings


@dataclass(frozen=True)
class TokenPrompt:
    """A prompt as token ids.

    Attributes:
        ids: of the prompt with the chat template.
        limit: most tokens of the answer.
        instruction: prompts with the same instruction begin with the same tokens.
    """

    ids: list[int]
    limit: int
    instruction: str = ""

    @property
    def length(self) -> int:
        """Tokens of the prompt and of the longest answer to it."""
        return len(self.ids) + self.limit


class Tokens:
    """Writes prompts as tokens and reads answers from tokens.

    Attributes:
        tokenizer: the model's.
        ends: tokens that end an answer.
        max_length: most tokens of a prompt and its longest answer.
    """

    def __init__(self, model: ModelSettings, max_length: int) -> None:
        """Load the tokenizer of the model.

        max_length: most tokens of a prompt and its longest answer; the model's own limit holds too.

        Raises:
            ModelError: the model cannot be had.
        """
        self.tokenizer = load_tokenizer(model)
        self.ends = load_ends(model, self.tokenizer)
        self.max_length = min(max_length, longest_input(model))
        self._renderer = PromptRenderer(self.tokenizer)

    def prompts(self, prompts: Sequence[Prompt]) -> list[TokenPrompt]:
        """Return the prompts with the chat template around them."""
        return [
            TokenPrompt(
                self._renderer.prompt(p.instruction, p.text), p.max_answer_tokens, p.instruction
            )
            for p in prompts
        ]

    def fits(self, prompt: TokenPrompt) -> bool:
        """Say whether there is room for the prompt and the longest answer to it."""
        return prompt.length <= self.max_length

    def skipped(self, prompts: Sequence[TokenPrompt], answered: Collection[int]) -> Answered:
        """Return the answers to prompts that do not fit: none, as they are never cut."""
        return [
            (position, GeneratedAnswer("", "skipped", 0, len(prompt.ids)))
            for position, prompt in enumerate(prompts)
            if position not in answered and not self.fits(prompt)
        ]

    def answer(self, prompt: TokenPrompt, ids: Sequence[int]) -> GeneratedAnswer:
        """Return the answer that a model's output is, up to its end or the prompt's limit."""
        end = next((i for i, token in enumerate(ids) if token in self.ends), len(ids))
        stopped = end < len(ids) and end <= prompt.limit
        kept = list(ids[: min(end, prompt.limit)])
        text = self.tokenizer.decode(kept, skip_special_tokens=True)
        return GeneratedAnswer(text, "stop" if stopped else "length", len(kept), len(prompt.ids))
