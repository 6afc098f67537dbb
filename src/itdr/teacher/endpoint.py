"""A language model behind an endpoint as teacher."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from itdr.endpoints.endpoint import Request, ask_all, tell_costs
from itdr.errors import RefusedRequestsError
from itdr.settings.teacher import TeacherSettings

log = logging.getLogger("itdr")

_DOUBLINGS = 2


class EndpointTeacher:
    """Asks a language model; every answer received is kept in `settings.cache`."""

    def __init__(self, settings: TeacherSettings) -> None:
        self.name = settings.model
        self._settings = settings

    def answer(self, records: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """Return the whole answers; one that is cut is asked for again with more room.

        Raises:
            EndpointError, SettingsError, DataError: as ask_all does.
        """
        answers: dict[str, str] = {}
        left = {record["id"]: record["teacher_prompt"] for record in records}
        for doubling in range(_DOUBLINGS + 1):
            limit = self._settings.max_tokens * 2**doubling
            cut = self._ask(left, limit, answers)
            left = {name: left[name] for name in cut}
            if not left:
                break
            log.info("%d answers did not end in %d tokens", len(left), limit)
        return answers

    def tell_costs(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Log what the answers would cost, as far as it can be told, and ask nothing."""
        prompts = {record["id"]: record["teacher_prompt"] for record in records}
        requests = _requests(prompts, self._settings.max_tokens)
        tell_costs(requests, self._settings, Path(self._settings.cache))

    def _ask(self, prompts: Mapping[str, str], limit: int, answers: dict[str, str]) -> list[str]:
        """Add whole answers to `answers` and return the ids of those that were cut."""
        cut = []
        try:
            for answer in ask_all(
                _requests(prompts, limit), self._settings, Path(self._settings.cache)
            ):
                if answer.finish_reason == "length":
                    cut.append(answer.id)
                elif answer.finish_reason != "content_filter":
                    answers[answer.id] = answer.text
        except RefusedRequestsError as error:
            if self._settings.withheld == "refuse":
                raise
            log.warning("%s", error)
        return cut


def _requests(prompts: Mapping[str, str], limit: int) -> list[Request]:
    return [
        Request(name, [{"role": "user", "content": prompt}], limit)
        for name, prompt in prompts.items()
    ]
