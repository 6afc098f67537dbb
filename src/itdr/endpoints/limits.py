"""What holds requests back: a pace per minute, a server that asks to wait, a cap on spending."""

import threading
import time

from itdr.endpoints.answer_log import AnswerLog, Reply

_LOOK_AGAIN_S = 0.5  # for a stop, which wakes nobody


class StoppedError(Exception):
    """No further request may be sent."""


class Pace:
    """Hands out the moments at which requests may begin."""

    def __init__(self, per_minute: float | None, stop: threading.Event) -> None:
        self._interval = 60.0 / per_minute if per_minute else 0.0
        self._stop = stop
        self._next = self._quiet_until = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Wait until a request may begin.

        Raises:
            StoppedError: none may begin any more.
        """
        while not self._stop.is_set():
            with self._lock:
                now = time.monotonic()
                left = max(self._next, self._quiet_until) - now
                if left <= 0:
                    self._next = now + self._interval
                    return
            self._stop.wait(left)
        raise StoppedError

    def hold(self, seconds: float) -> None:
        """Let no request begin for so long."""
        with self._lock:
            self._quiet_until = max(self._quiet_until, time.monotonic() + seconds)


class Budget:
    """Notes each request in the log before it is sent, and sends none that could break the cap."""

    def __init__(self, log: AnswerLog, cap: float | None, stop: threading.Event) -> None:
        self._log, self._cap, self._stop = log, cap, stop
        self._under_way = 0
        self._changed = threading.Condition()

    def reserve(self, key: str, most: float) -> None:
        """Note that a request goes out that can cost `most` dollars.

        The log counts requests under way in full, so this waits for their end before it gives up.

        Raises:
            StoppedError: it could bring the spending above the cap.
        """
        with self._changed:
            while self._cap is not None and self._log.spent + most > self._cap:
                if not self._under_way:
                    raise StoppedError(
                        f"the next request could cost ${most:.4f} and bring the spending above its "
                        f"cap: ${self._log.spent:.4f} of ${self._cap:g} are spent"
                    )
                self._changed.wait(_LOOK_AGAIN_S)
                if self._stop.is_set():
                    break
            if self._stop.is_set():
                raise StoppedError
            self._under_way += 1
            self._log.sent(key, most)

    def answered(self, key: str, reply: Reply, cost: float | None) -> None:
        """Keep an answer and what it cost (None: unknown, so as much as was noted)."""
        with self._changed:
            self._log.answered(key, reply, cost)
            self._settled()

    def unanswered(self, key: str, why: str, *, charged: bool) -> None:
        """Note that an attempt failed and whether it may have been charged."""
        with self._changed:
            self._log.unanswered(key, why, None if charged else 0.0)
            self._settled()

    def _settled(self) -> None:
        self._under_way -= 1
        self._changed.notify_all()
