"""Between texts and tokens, the same for every engine that has the model's weights here."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from itdr.inference.engine import Answered, GeneratedAnswer, Prompt, chosen
from itdr.instructions.choices import ChoiceLikelihood
from itdr.models.loading import load_ends, load_tokenizer, longest_input
from itdr.models.prompt import PromptRenderer
from itdr.settings.model import ModelSettings


@dataclass(frozen=True)
class TokenPrompt:
    """A prompt as token ids.

    Attributes:
        ids: of the prompt with the chat template.
        limit: most tokens of the answer, or of a choice.
        instruction: prompts with the same instruction begin with the same tokens.
        choices: token ids of the choices, each at least one.
    """

    ids: list[int]
    limit: int
    instruction: str = ""
    choices: tuple[tuple[int, ...], ...] = ()

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
        """Return the prompts with the chat template around them.

        Raises:
            ModelError: the template or the tokenizer writes a prompt otherwise, or changes the
                choice, when a choice follows.
        """
        return [self._prompt(prompt) for prompt in prompts]

    def _prompt(self, prompt: Prompt) -> TokenPrompt:
        if not prompt.choices:
            ids = self._renderer.prompt(prompt.instruction, prompt.text)
            return TokenPrompt(ids, prompt.max_answer_tokens, prompt.instruction)
        ids, choices = self._renderer.choices(prompt.instruction, prompt.text, prompt.choices)
        return TokenPrompt(ids, max(map(len, choices)), prompt.instruction, tuple(choices))

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

    def chosen(
        self, asked: Prompt, prompt: TokenPrompt, told: Sequence[tuple[float, bool]]
    ) -> GeneratedAnswer:
        """Return the answer that the choices' log-probabilities are.

        told: of each choice the sum, and whether it is the most probable text.
        """
        choices = [
            ChoiceLikelihood(text, logprob, len(ids), greedy)
            for text, ids, (logprob, greedy) in zip(
                asked.choices, prompt.choices, told, strict=True
            )
        ]
        return chosen(choices, len(prompt.ids))

    def answer(self, prompt: TokenPrompt, ids: Sequence[int]) -> GeneratedAnswer:
        """Return the answer that a model's output is, up to its end or the prompt's limit."""
        end = next((i for i, token in enumerate(ids) if token in self.ends), len(ids))
        stopped = end < len(ids) and end <= prompt.limit
        kept = list(ids[: min(end, prompt.limit)])
        text = self.tokenizer.decode(kept, skip_special_tokens=True)
        return GeneratedAnswer(text, "stop" if stopped else "length", len(kept), len(prompt.ids))
