"""Answers and likelihoods from an OpenAI-compatible endpoint."""

import logging
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from itdr.endpoints.endpoint import Request, ask_all
from itdr.errors import RefusedRequestsError, SettingsError
from itdr.inference.api_choices import score_choices
from itdr.inference.engine import Answered, GeneratedAnswer, Prompt
from itdr.models.prompt import user_message
from itdr.settings.model import ModelEndpoint

log = logging.getLogger("itdr")

_REASONS = {"stop": "stop", "length": "length", "content_filter": "refused"}


class ApiEngine:
    """Asks a model by its chat interface; the server puts its own chat template around prompts."""

    def __init__(self, endpoint: ModelEndpoint) -> None:
        """Keep the address."""
        self._endpoint = endpoint

    def answer(
        self, prompts: Sequence[Prompt], answered: Collection[int], adapter: Path | None
    ) -> Iterator[Answered]:
        """Yield answers one by one, as an Engine does.

        Prompts that the endpoint refuses, because of their length or its rules, count as answered
        by nothing, unless it refuses all.

        Raises:
            SettingsError: an adapter is asked for, or the key's environment variable is not set.
            EndpointError: the endpoint does not answer, or the spending cap is reached.
        """
        if adapter is not None:
            raise SettingsError(
                f"{adapter}: the model {self._endpoint.model} behind {self._endpoint.base_url} "
                "takes no adapter from here. A vLLM server is given it with --lora-modules; its "
                "name there is the endpoint's 'model'."
            )
        left = [(at, prompt) for at, prompt in enumerate(prompts) if at not in answered]
        if scored := [(at, prompt) for at, prompt in left if prompt.choices]:
            yield from score_choices(scored, self._endpoint)
        requests = [
            Request(p.id, [user_message(p.instruction, p.text)], p.max_answer_tokens)
            for _, p in left
            if not p.choices
        ]
        position_of = {prompt.id: position for position, prompt in enumerate(prompts)}
        none_came = True
        try:
            for came in ask_all(requests, self._endpoint, Path(self._endpoint.cache)):
                none_came = False
                reason = _REASONS.get(came.finish_reason, "stop")
                answer = GeneratedAnswer(
                    came.text, reason, came.completion_tokens, came.prompt_tokens
                )
                yield [(position_of[came.id], answer)]
        except RefusedRequestsError as error:
            if none_came:
                raise
            log.warning("%s", error)
            yield [
                (position_of[name], GeneratedAnswer("", "refused", None, None))
                for name in error.ids
            ]
