"""Asking a language model behind an OpenAI-compatible endpoint many things, none of them twice."""

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from itdr.endpoints.answer_log import AnswerLog, Reply
from itdr.endpoints.asking import Asking
from itdr.endpoints.keys import read_key
from itdr.endpoints.request import Request
from itdr.settings.endpoint import EndpointSettings

__all__ = ["EndpointAnswer", "Request", "ask_all", "tell_costs"]

log = logging.getLogger("itdr")


@dataclass(frozen=True)
class EndpointAnswer:
    """One answer.

    Attributes:
        id: the question's.
        text: as it came; "" where the endpoint gave none (a content filter, say).
        finish_reason: "stop", "length" or another word of the endpoint's.
        prompt_tokens, completion_tokens: as the endpoint counts them; None where it does not say.
        cached: whether it was at hand from an earlier run.
        told: as in Reply.
    """

    id: str
    text: str
    finish_reason: str
    prompt_tokens: int | None
    completion_tokens: int | None
    cached: bool
    told: list[list[Any]] | None = None


def ask_all(
    requests: Sequence[Request], settings: EndpointSettings, cache: Path
) -> Iterator[EndpointAnswer]:
    """Yield an answer to each request, in the order in which they come.

    What it will cost is logged before anything is sent.

    Args:
        requests: what to ask.
        settings: whom to ask and within which limits.
        cache: file that keeps the answers of all runs; it is locked until the last answer is out.

    Raises:
        SettingsError: the environment variable of the key is not set.
        RefusedRequestsError: after all others were answered: the model refuses some.
        EndpointError: after all that could be answered was yielded: some requests stay unanswered,
            the endpoint answers none at all, or the spending cap is reached.
        DataError: the cache is damaged.
    """
    with AnswerLog(cache) as kept:
        waiting = _waiting(requests, settings, kept)
        for request in requests:
            reply = kept.replies.get(request.key(settings))
            if reply is not None:
                yield _answer(request, reply, cached=True)
        if waiting:
            secret = read_key(settings, os.environ)
            asked = {key: same[0] for key, same in waiting.items()}
            _tell_costs(asked.values(), len(requests), settings, kept.spent)
            for key, reply in Asking(settings, secret, kept).run(asked):
                yield from (_answer(request, reply, cached=False) for request in waiting[key])


def tell_costs(requests: Sequence[Request], settings: EndpointSettings, cache: Path) -> None:
    """Log what ask_all would cost, and ask nothing. Raises DataError as ask_all does."""
    with AnswerLog(cache) as kept:
        waiting = _waiting(requests, settings, kept)
        _tell_costs((same[0] for same in waiting.values()), len(requests), settings, kept.spent)


def _waiting(
    requests: Iterable[Request], settings: EndpointSettings, kept: AnswerLog
) -> dict[str, list[Request]]:
    """Return key to the equal requests that have no answer yet."""
    waiting: dict[str, list[Request]] = {}
    for request in requests:
        key = request.key(settings)
        if key not in kept.replies:
            waiting.setdefault(key, []).append(request)
    return waiting


def _answer(request: Request, reply: Reply, *, cached: bool) -> EndpointAnswer:
    return EndpointAnswer(id=request.id, **asdict(reply), cached=cached)


def _tell_costs(
    asked: Iterable[Request], of: int, settings: EndpointSettings, spent: float
) -> None:
    """Log what the requests will cost, before any is sent."""
    requests = list(asked)
    tokens_in = round(sum(request.likely_tokens for request in requests))
    tokens_out = sum(request.max_tokens for request in requests)
    numbers = (f"{number:,}" for number in (len(requests), of, tokens_in, tokens_out))
    log.info("%s: %s of %s requests to ask, about %s tokens in, at most %s out",
             settings.model, *numbers)  # fmt: skip
    if settings.input_price is None or settings.output_price is None:
        log.info("%s: cost unknown, as its prices are not set", settings.model)
        return
    estimate = settings.cost(tokens_in, tokens_out)
    cap = settings.spending_cap
    log.info("%s: up to about $%.4f to come, $%.4f spent before, %s", settings.model, estimate,
             spent, "no cap" if cap is None else f"cap ${cap:g}")  # fmt: skip
    if cap is not None and spent + estimate > cap:
        log.warning("%s: the cap of $%g may be reached before all are answered", settings.model,
                    cap)  # fmt: skip
