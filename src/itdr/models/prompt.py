"""The one place where an example becomes the tokens that a model sees.

Training and inference both come here, so the prompt of the one is the prompt of the other.
"""

from dataclasses import dataclass
from typing import Any

from itdr.errors import ModelError


@dataclass(frozen=True)
class TokenizedExample:
    """An example as token ids.

    Attributes:
        ids: prompt and answer, the answer ending with the token that ends a turn.
        prompt_length: how many of them are the prompt.
    """

    ids: list[int]
    prompt_length: int


class PromptRenderer:
    """Writes examples with the chat template of a tokenizer."""

    def __init__(self, tokenizer: Any) -> None:
        """Keep the tokenizer, which must have a chat template."""
        self._tokenizer = tokenizer

    def prompt(self, instruction: str, text: str) -> list[int]:
        """Return the token ids of a prompt, up to where the answer begins."""
        return self._apply([_user(instruction, text)], add_generation_prompt=True)

    def example(self, instruction: str, text: str, answer: str) -> TokenizedExample:
        """Return the token ids of a prompt with its answer.

        Raises:
            ModelError: the template writes the prompt otherwise when an answer follows.
        """
        prompt = self.prompt(instruction, text)
        messages = [_user(instruction, text), {"role": "assistant", "content": answer}]
        ids = self._apply(messages, add_generation_prompt=False)
        if ids[: len(prompt)] != prompt:
            raise ModelError(
                f"{self._tokenizer.name_or_path}: the chat template writes another prompt when an "
                "answer follows, so training and inference would differ. Use a template whose "
                "generation prompt is the beginning of the assistant's turn."
            )
        return TokenizedExample(self._ended(ids, len(prompt)), len(prompt))

    def _apply(self, messages: list[dict[str, str]], *, add_generation_prompt: bool) -> list[int]:
        return list(
            self._tokenizer.apply_chat_template(
                messages, add_generation_prompt=add_generation_prompt, return_dict=False
            )
        )

    def _ended(self, ids: list[int], prompt_length: int) -> list[int]:
        """Return ids up to the first end of turn after the prompt, or with one put there."""
        end = self._tokenizer.eos_token_id
        if end in ids[prompt_length:]:
            return ids[: ids.index(end, prompt_length) + 1]
        return [*ids, end]


def _user(instruction: str, text: str) -> dict[str, str]:
    return {"role": "user", "content": f"{instruction}\n\n{text}" if instruction else text}
