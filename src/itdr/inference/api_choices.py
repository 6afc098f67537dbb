"""Likelihoods of choices from an endpoint that tells the log-probabilities of given texts.

A vLLM server does, of the messages in its own chat template. One request tells how many tokens the
prompt has; then each choice is sent as the beginning of the model's message, and the tokens behind
the prompt are its own. Endpoints that tell probabilities of what they generate alone, and of its
likeliest tokens, do not tell those of a given text, so they are refused.
"""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from itdr.endpoints.endpoint import EndpointAnswer, Request, ask_all
from itdr.errors import EndpointError, RefusedRequestsError
from itdr.inference.engine import Answered, GeneratedAnswer, Prompt, chosen
from itdr.instructions.choices import ChoiceLikelihood
from itdr.models.prompt import user_message
from itdr.settings.model import ModelEndpoint

log = logging.getLogger("itdr")

_LOST = "\N{REPLACEMENT CHARACTER}"  # for bytes of which a token holds some alone


def score_choices(
    prompts: Sequence[tuple[int, Prompt]], endpoint: ModelEndpoint
) -> Iterator[Answered]:
    """Yield the likelihoods of prompts, with their positions.

    Raises:
        EndpointError: the endpoint does not answer, or does not tell log-probabilities of texts.
    """
    asked = [(position, prompt) for position, prompt in prompts]
    lengths = _lengths(asked, endpoint)
    requests = {
        f"{place}/{at}": _request(f"{place}/{at}", prompt, lengths[place], choice)
        for place, (_, prompt) in enumerate(asked)
        if place in lengths
        for at, choice in enumerate(prompt.choices)
    }
    found: dict[int, dict[int, EndpointAnswer]] = {}
    for came in _told(list(requests.values()), endpoint):
        place, at = map(int, came.id.split("/"))
        found.setdefault(place, {})[at] = came
        position, prompt = asked[place]
        if len(found[place]) == len(prompt.choices):
            of = [found[place][number] for number in range(len(prompt.choices))]
            choices = [_likelihood(*pair, endpoint)
                       for pair in zip(prompt.choices, of, strict=True)]  # fmt: skip
            yield [(position, chosen(choices, lengths[place]))]
    refused = [position for place, (position, prompt) in enumerate(asked)
               if len(found.get(place, ())) < len(prompt.choices)]  # fmt: skip
    if refused:
        yield [(position, GeneratedAnswer("", "refused", None, None)) for position in refused]


def _lengths(asked: Sequence[tuple[int, Prompt]], endpoint: ModelEndpoint) -> dict[int, int]:
    """Return the place of each prompt that the endpoint takes to the number of its tokens."""
    requests = [_request(str(place), prompt, 0) for place, (_, prompt) in enumerate(asked)]
    found: dict[int, int] = {}
    # One by itself first, so that nothing more is paid for where nothing is told.
    for some in (requests[:1], requests[1:]):
        for came in _told(some, endpoint, none_is_fatal=not found):
            found[int(came.id)] = came.prompt_tokens or len(came.told or ()) + 1
    return found


def _told(
    requests: Sequence[Request], endpoint: ModelEndpoint, *, none_is_fatal: bool = True
) -> Iterator[EndpointAnswer]:
    none_came = none_is_fatal
    try:
        for came in ask_all(requests, endpoint, Path(endpoint.cache)):
            if came.told is None:
                raise EndpointError(_refusal(endpoint, "its answer holds none"))
            none_came = False
            yield came
    except RefusedRequestsError as error:
        if none_came:
            raise EndpointError(_refusal(endpoint, str(error))) from error
        log.warning("%s", error)


def _request(name: str, prompt: Prompt, told_from: int, choice: str | None = None) -> Request:
    messages = [user_message(prompt.instruction, prompt.text)]
    if choice is not None:
        messages.append({"role": "assistant", "content": choice})
    return Request(name, messages, 1, told_from=told_from)


def _likelihood(choice: str, came: EndpointAnswer, endpoint: ModelEndpoint) -> ChoiceLikelihood:
    told: list[list[Any]] = came.told or []
    text = "".join(token for token, _, _ in told)
    if not told or (_LOST not in text and text.strip() != choice):
        raise EndpointError(
            f"{endpoint.base_url}, {endpoint.model}: the tokens behind the prompt say {text!r}, "
            f"not the choice {choice!r}: the server's chat template or tokenizer joins the two. "
            "Score the choices with the model's weights and another engine."
        )
    ranks = [rank for _, _, rank in told]
    greedy = None if None in ranks else all(rank == 1 for rank in ranks)
    return ChoiceLikelihood(choice, sum(logprob for _, logprob, _ in told), len(told), greedy)


def _refusal(endpoint: ModelEndpoint, why: str) -> str:
    return (
        f"{endpoint.base_url}, {endpoint.model}: tells no log-probabilities of given texts "
        "('prompt_logprobs', as a vLLM server has them), so it cannot score choices: "
        f"{why.rstrip('.')}. Use such a server, or the model's weights with the engine vllm or "
        "transformers."
    )
