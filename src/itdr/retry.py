"""How often and how long to wait before a failed download or request is tried again."""

import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import tenacity

log = logging.getLogger("itdr")


@dataclass(frozen=True)
class RetryPolicy:
    """Waiting times grow twofold from failure to failure."""

    retries: int = 5
    """Attempts after one that failed; counted anew whenever new bytes have come."""
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    timeout_s: float = 60.0
    """Longest silence of a server."""
    longest_retry_after_s: float = 600.0
    """A server that asks to wait longer than this is not waited for."""

    def retrying(self, passing: type[Exception], **options: Any) -> tenacity.Retrying:
        """Return what calls a function again after `passing`; raises it after too many failures.

        options: others of tenacity.Retrying.
        """
        return tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(passing),
            stop=tenacity.stop_after_attempt(self.retries + 1),
            wait=tenacity.wait_exponential(self.first_wait_s, self.longest_wait_s),
            reraise=True,
            **options,
        )

    def wait(self, failures: int, why: str, asked_s: float | None = None) -> None:
        """Wait after the given number of failures in a row, or as long as the server asked."""
        grown = self.first_wait_s * 2.0 ** min(failures - 1, 30)
        seconds = min(grown, self.longest_wait_s) if asked_s is None else asked_s
        log.info("%s; trying again in %.0f s (%d of %d)", why, seconds, failures, self.retries)
        time.sleep(seconds)


def retry_after_s(header: str | None, now: datetime | None = None) -> float | None:
    """Return the seconds that a Retry-After header asks for: a number or a date.

    None when there is no such header or it means nothing; a date in the past is 0.
    """
    text = (header or "").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0.0, (date - (now or datetime.now(UTC))).total_seconds())
