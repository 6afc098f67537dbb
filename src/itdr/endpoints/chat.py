"""One request to an OpenAI-compatible endpoint, and what its failure means."""

from collections.abc import Mapping
from typing import Any

import httpx
from pydantic import BaseModel, Field, ValidationError

from itdr import __version__
from itdr.endpoints.answer_log import Reply
from itdr.endpoints.exchange import Exchanges, Response
from itdr.endpoints.keys import without_secret
from itdr.retry import retry_after_s
from itdr.settings.endpoint import EndpointSettings

_LONGEST_RETRY_AFTER_S = 600.0
_MOST_TOKENS = 2**31 - 1
_TELLING = 6
"""Characters of a key that no message may hold side by side."""
_SURELY_THE_KEY = 16
"""Characters side by side that are no chance; fewer an answer may have of its own."""
_MAY_PASS = {408, 409, 425, 429}
_HOPELESS = {
    401: "the key is not accepted",
    402: "the account has no money left",
    403: "the key does not allow this",
    404: "there is no such address or model",
}


class TransientError(Exception):
    """The attempt failed in a way that may pass.

    Attributes:
        asked_s: seconds that the server asks to wait.
        charged: whether the server may have counted the attempt.
    """

    def __init__(self, why: str, asked_s: float | None = None, *, charged: bool = False) -> None:
        super().__init__(why)
        self.asked_s, self.charged = asked_s, charged


class RefusedError(Exception):
    """The endpoint will never answer this request."""


class FatalError(Exception):
    """The endpoint will answer no request at all."""


class _Message(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Usage(BaseModel):
    prompt_tokens: int = Field(ge=0, le=_MOST_TOKENS)
    completion_tokens: int = Field(ge=0, le=_MOST_TOKENS)


class _Logprob(BaseModel):
    logprob: float = Field(le=1e-3, allow_inf_nan=False)
    rank: int | None = Field(None, ge=1)
    decoded_token: str | None = None


class _Completion(BaseModel):
    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None
    prompt_logprobs: list[dict[str, _Logprob] | None] | None = None


class Chat:
    """A connection to an endpoint; may be used by several threads."""

    def __init__(self, settings: EndpointSettings, key: str | None) -> None:
        self._settings, self._key = settings, key
        headers = {"User-Agent": f"itdr/{__version__} (httpx)"}
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        self._exchanges = Exchanges(headers, settings.timeout_s)

    def close(self) -> None:
        """Close all connections."""
        self._exchanges.close()

    def ask(self, body: Mapping[str, Any], told_from: int | None = None) -> Reply:
        """Send one request and return the answer.

        told_from: as in Request.

        Raises:
            TransientError, RefusedError, FatalError: there is none. Messages never hold the key.
        """
        try:
            url = f"{self._settings.base_url}/chat/completions"
            response = self._exchanges.post(url, body)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise TransientError(self._clean(f"no connection: {error}")) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            why = self._clean(f"{type(error).__name__} {error}")
            raise TransientError(why.strip(), charged=True) from None
        if response.status != 200:
            raise self._meaning(response)
        try:
            completion = _Completion.model_validate_json(response.content)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(map(str, first["loc"])) or "the body"
            why = f"the answer cannot be read: {where}: {first['msg']}"
            raise TransientError(self._clean(why), charged=True) from None
        choice, usage = completion.choices[0], completion.usage
        return Reply(
            text=self._clean(choice.message.content or "", _SURELY_THE_KEY),
            finish_reason=self._clean(choice.finish_reason or "stop"),
            prompt_tokens=usage.prompt_tokens if usage else None,
            completion_tokens=usage.completion_tokens if usage else None,
            told=None if told_from is None else self._told(completion, told_from),
        )

    def _told(self, completion: _Completion, told_from: int) -> list[list[Any]] | None:
        """Return of the messages' tokens behind a number of them text, log-probability and rank."""
        if completion.prompt_logprobs is None:
            return None
        one_each = [next(iter((of or {}).values()), None) for of in completion.prompt_logprobs]
        return [
            [self._clean(one.decoded_token or "", _SURELY_THE_KEY), one.logprob, one.rank]
            for one in one_each[told_from:]
            if one is not None
        ]

    def _meaning(self, response: Response) -> Exception:
        status, content = response.status, response.content
        # Cleaned before it is cut: half a key is a secret, too.
        said = " ".join(self._clean(content.decode("utf-8", "replace")).split())[:200]
        why = f"the endpoint answers {status}{f': {said}' if said else ''}"
        if status in _HOPELESS:
            return FatalError(f"{why} ({_HOPELESS[status]})")
        if status in _MAY_PASS or status >= 500:
            asked = retry_after_s(response.headers.get("Retry-After"))
            if (asked or 0) > _LONGEST_RETRY_AFTER_S:
                return FatalError(f"{why}; it asks to wait {asked:.0f} s. Run it again then")
            return TransientError(why, asked)
        return RefusedError(why)

    def _clean(self, text: str, shortest: int = _TELLING) -> str:
        """Return a text without the key, or any part of it that is at least `shortest` long."""
        return without_secret(text, self._key, shortest) if self._key else text
