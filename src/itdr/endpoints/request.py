"""A question to a language model: what is sent, what it is known by, what it can cost."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from itdr.settings.endpoint import EndpointSettings

# Roles and separators that a chat template puts around a message: more than any known one.
_TOKENS_PER_MESSAGE = 32
# Of English text, by common tokenizers.
_BYTES_PER_TOKEN = 4


@dataclass(frozen=True)
class Request:
    """One question.

    Attributes:
        id: what the answer is known by; of equal questions only one is asked.
        messages: {"role", "content"} each, as in the chat completions API.
        max_tokens: output limit.
        stop: texts that end the answer.
        told_from: tokens of the messages after which the log-probabilities of the others are asked
            for, as a vLLM server gives them; None: nothing of the messages is. The last message
            may be the beginning of the model's own.
    """

    id: str
    messages: Sequence[Mapping[str, str]]
    max_tokens: int
    stop: Sequence[str] = ()
    told_from: int | None = None

    def body(self, settings: EndpointSettings) -> dict[str, Any]:
        """Return the request as the chat completions API takes it."""
        body: dict[str, Any] = {
            "model": settings.model,
            "messages": [dict(message) for message in self.messages],
            "max_tokens": self.max_tokens,
            "temperature": settings.temperature,
        }
        if settings.reasoning_effort is not None:
            body["reasoning_effort"] = settings.reasoning_effort
        if self.told_from is not None:
            begun = self.messages[-1]["role"] == "assistant"
            body |= {
                "prompt_logprobs": 0,
                "continue_final_message": begun,
                "add_generation_prompt": not begun,
            }
        return body | ({"stop": list(self.stop)} if self.stop else {})

    def key(self, settings: EndpointSettings) -> str:
        """Return the SHA-256 of all that decides the answer: the address and the request."""
        value = {"url": settings.base_url, **self.body(settings)}
        if self.told_from is not None:
            value["told_from"] = self.told_from
        text = json.dumps(value, sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def likely_tokens(self) -> float:
        """The input tokens that its text makes in English."""
        return self._bytes / _BYTES_PER_TOKEN

    def most_cost(self, settings: EndpointSettings) -> float:
        """Return the most US dollars that it can cost: no text has more tokens than bytes."""
        template = _TOKENS_PER_MESSAGE * (len(self.messages) + 1)
        return settings.cost(self._bytes + template, self.max_tokens)

    @property
    def _bytes(self) -> int:
        texts = (text for message in self.messages for text in message.values())
        return sum(len(text.encode("utf-8", "replace")) for text in texts)
