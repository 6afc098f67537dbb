"""Threads that ask an endpoint until all is answered or there is a reason to stop."""

import logging
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed

from tenacity import sleep_using_event

from itdr.endpoints.answer_log import AnswerLog, Reply
from itdr.endpoints.chat import Chat, FatalError, RefusedError, TransientError
from itdr.endpoints.limits import Budget, Pace, StoppedError
from itdr.endpoints.request import Request
from itdr.errors import EndpointError, RefusedRequestsError
from itdr.files.progress import progress
from itdr.interrupts import GRACE_S
from itdr.retry import RetryPolicy
from itdr.settings.endpoint import EndpointSettings

log = logging.getLogger("itdr")

_SHOWN_FAILURES = 10


class Asking:
    """One run: threads that take requests until all are done or there is a reason to stop."""

    def __init__(self, settings: EndpointSettings, secret: str | None, kept: AnswerLog) -> None:
        self._settings, self._kept = settings, kept
        self._stop = threading.Event()
        self._retrying = RetryPolicy(
            settings.retries, settings.first_wait_s, settings.longest_wait_s
        ).retrying(TransientError, sleep=sleep_using_event(self._stop))
        self._chat = Chat(settings, secret)
        self._pace = Pace(settings.requests_per_minute, self._stop)
        self._budget = Budget(kept, settings.spending_cap, self._stop)
        self._lock = threading.Lock()
        self._reason = ""
        self._failures: list[str] = []
        self._refused: list[str] = []
        self._in_a_row = 0

    def run(self, asked: Mapping[str, Request]) -> Iterator[tuple[str, Reply]]:
        """Yield keys and answers as they come; then raise EndpointError if any is missing."""
        pool = ThreadPoolExecutor(self._settings.requests_at_once)
        done = 0
        try:
            jobs = {pool.submit(self._ask, key, asked[key]): key for key in asked}
            what = f"asking {self._settings.model}"
            with progress(what, len(asked), "requests") as counter:
                for job in as_completed(jobs):
                    if (reply := job.result()) is not None:
                        done += 1
                        counter.update(1)
                        yield jobs[job], reply
        except KeyboardInterrupt:
            most = min(self._settings.timeout_s, GRACE_S)
            log.info("waiting for the requests under way, at most %g s", most)
            raise
        finally:
            # Requests under way are waited for: their answers are paid for.
            self._stop.set()
            pool.shutdown(cancel_futures=True)
            self._chat.close()
        log.info("%d answers came; $%.4f spent in all runs", done, self._kept.spent)
        if done < len(asked):
            report = self._report(len(asked) - done, len(asked))
            if len(self._refused) == len(asked) - done:
                raise RefusedRequestsError(report, self._refused)
            raise EndpointError(report)

    def _ask(self, key: str, request: Request) -> Reply | None:
        """Return the answer; None when there is none, which is noted."""
        try:
            reply = self._retrying(self._attempt, key, request)
        except StoppedError as error:
            self._end(str(error))
            return None
        except RefusedError as error:
            self._refused.append(request.id)
            self._give_up(key, request.id, str(error))
            return None
        except TransientError as error:
            self._give_up(key, request.id, str(error))
            return None
        self._in_a_row = 0
        return reply

    def _attempt(self, key: str, request: Request) -> Reply:
        self._pace.wait()
        self._budget.reserve(key, request.most_cost(self._settings))
        try:
            reply = self._chat.ask(request.body(self._settings), request.told_from)
        except TransientError as error:
            self._budget.unanswered(key, str(error), charged=error.charged)
            self._pace.hold(error.asked_s or 0.0)
            raise
        except RefusedError as error:
            self._budget.unanswered(key, str(error), charged=False)
            raise
        except FatalError as error:
            self._budget.unanswered(key, str(error), charged=False)
            raise StoppedError(str(error)) from None
        self._budget.answered(key, reply, self._cost(reply))
        return reply

    def _give_up(self, key: str, name: str, why: str) -> None:
        self._kept.failed(key, name, why)
        with self._lock:
            self._failures.append(f"{name}: {why}")
            self._in_a_row += 1
            in_a_row = self._in_a_row
        if in_a_row >= self._settings.stop_after:
            self._end(f"{in_a_row} requests in a row failed")

    def _end(self, reason: str) -> None:
        with self._lock:
            self._reason = self._reason or reason
        self._stop.set()

    def _report(self, missing: int, of: int) -> str:
        where = f"{self._settings.base_url}, {self._settings.model}"
        lines = [f"{where}: no answer to {missing:,} of {of:,} requests."]
        if self._reason:
            lines.append(f"Stopped: {self._reason}.")
        if self._failures:
            shown = sorted(self._failures)[:_SHOWN_FAILURES]
            more = len(self._failures) - len(shown)
            lines += [f"{len(self._failures):,} failed:", *(f"  {line}" for line in shown)]
            lines += [f"  and {more:,} more"] if more else []
        lines.append("What was answered is kept; run it again to ask for the rest alone.")
        return "\n".join(lines)

    def _cost(self, reply: Reply) -> float | None:
        if reply.prompt_tokens is None or reply.completion_tokens is None:
            return None
        return self._settings.cost(reply.prompt_tokens, reply.completion_tokens)
