"""The one place where an example becomes the tokens that a model sees.

Training and inference both come here, so the prompt of the one is the prompt of the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from itdr.errors import ModelError
from itdr.rendering.template import Template, TemplateFaultError


@dataclass(frozen=True)
class TokenizedExample:
    """An example as token ids.

    Attributes:
        ids: prompt and answer, the answer ending with the token that ends a turn.
        prompt_length: how many of them are the prompt.
        learns_prompt: whether a loss is over the prompt's tokens too.
    """

    ids: Sequence[int]
    prompt_length: int
    learns_prompt: bool = False

    @property
    def unlearnt(self) -> int:
        """How many tokens at the beginning a loss leaves out; nothing foretells the first one."""
        return 1 if self.learns_prompt else self.prompt_length


class PromptRenderer:
    """Writes examples with the chat template of a tokenizer."""

    def __init__(self, tokenizer: Any) -> None:
        """Keep the tokenizer and read its chat template.

        Raises:
            ModelError: it has none that can be used.
        """
        self._tokenizer = tokenizer
        try:
            self._template = Template(tokenizer.get_chat_template(), is_chat=True)
        except (TemplateFaultError, ValueError) as error:
            raise self._unusable(error) from error

    def prompt(self, instruction: str, text: str) -> list[int]:
        """Return the token ids of a prompt, up to where the answer begins."""
        return self._apply([[user_message(instruction, text)]], add_generation_prompt=True)[0]

    def example(self, instruction: str, text: str, answer: str) -> TokenizedExample:
        """Return the token ids of a prompt with its answer.

        Raises:
            ModelError: the template writes the prompt otherwise when an answer follows.
        """
        return self.examples([(instruction, text, answer)])[0]

    def examples(self, rows: Sequence[tuple[str, str, str]]) -> list[TokenizedExample]:
        """Return what example() returns for each (instruction, input, answer), in less time."""
        asked = [[user_message(instruction, text)] for instruction, text, _ in rows]
        told = [
            [*messages, {"role": "assistant", "content": answer}]
            for messages, (_, _, answer) in zip(asked, rows, strict=True)
        ]
        prompts = self._apply(asked, add_generation_prompt=True)
        wholes = self._apply(told, add_generation_prompt=False)
        return [self._joined(*both) for both in zip(prompts, wholes, strict=True)]

    def choices(
        self, instruction: str, text: str, choices: Sequence[str]
    ) -> tuple[list[int], list[tuple[int, ...]]]:
        """Return the token ids of a prompt and of each choice as the beginning of its answer.

        Raises:
            ModelError: a choice changes the prompt's tokens, is changed by the template, or has the
                tokens of another choice or none.
        """
        messages = [user_message(instruction, text)]
        asked = self._written(messages, add_generation_prompt=True)
        wholes = []
        for choice in choices:
            told = [*messages, {"role": "assistant", "content": choice}]
            if not self._written(told, add_generation_prompt=False).startswith(asked + choice):
                raise ModelError(
                    f"{self._tokenizer.name_or_path}: the chat template does not write the choice "
                    f"{choice!r} behind the prompt as it is, so training and inference would "
                    "differ. Use a template that neither changes answers nor the prompt."
                )
            wholes.append(asked + choice)
        prompt, *rows = self._tokens([asked, *wholes])
        found: dict[tuple[int, ...], str] = {}
        for choice, ids in zip(choices, rows, strict=True):
            rest = tuple(ids[len(prompt) :])
            if ids[: len(prompt)] != prompt or not rest:
                raise ModelError(
                    f"{self._tokenizer.name_or_path}: the tokenizer joins the end of the prompt "
                    f"with the beginning of the choice {choice!r}, so the choice has no tokens of "
                    "its own. Use a chat template whose prompt ends with a special token or a "
                    "line break."
                )
            if (other := found.setdefault(rest, choice)) != choice:
                raise ModelError(
                    f"{self._tokenizer.name_or_path}: the tokenizer writes the choices {other!r} "
                    f"and {choice!r} as the same tokens, so they cannot be told apart."
                )
        return prompt, list(found)

    def _joined(self, prompt: list[int], ids: list[int]) -> TokenizedExample:
        if ids[: len(prompt)] != prompt:
            raise ModelError(
                f"{self._tokenizer.name_or_path}: the chat template writes another prompt when an "
                "answer follows, so training and inference would differ. Use a template whose "
                "generation prompt is the beginning of the assistant's turn."
            )
        return TokenizedExample(self._ended(ids, len(prompt)), len(prompt))

    def _apply(
        self, conversations: list[list[dict[str, str]]], *, add_generation_prompt: bool
    ) -> list[list[int]]:
        return self._tokens(
            [self._written(m, add_generation_prompt=add_generation_prompt) for m in conversations]
        )

    def _written(self, messages: list[dict[str, str]], *, add_generation_prompt: bool) -> str:
        values = {
            **self._tokenizer.special_tokens_map,
            "messages": messages,
            "tools": None,
            "documents": None,
            "add_generation_prompt": add_generation_prompt,
        }
        try:
            return self._template.render(values)
        except TemplateFaultError as error:
            raise self._unusable(error) from error

    def _tokens(self, texts: list[str]) -> list[list[int]]:
        rows = self._tokenizer(texts, add_special_tokens=False)["input_ids"]
        if not all(rows):
            raise self._unusable("it writes nothing")
        return [list(row) for row in rows]

    def _unusable(self, why: object) -> ModelError:
        return ModelError(
            f"{self._tokenizer.name_or_path}: the chat template cannot be used ({why}). Use the "
            "template of the model's publisher, as chat_template.jinja in its folder."
        )

    def _ended(self, ids: list[int], prompt_length: int) -> list[int]:
        """Return ids up to the first end of turn after the prompt, or with one put there."""
        end = self._tokenizer.eos_token_id
        if end in ids[prompt_length:]:
            return ids[: ids.index(end, prompt_length) + 1]
        return [*ids, end]


def user_message(instruction: str, text: str) -> dict[str, str]:
    """Return the message that asks an example, before any chat template."""
    return {"role": "user", "content": f"{instruction}\n\n{text}" if instruction else text}
