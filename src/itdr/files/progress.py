"""Progress of long work: a bar on a terminal, plain log lines elsewhere."""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Protocol

log = logging.getLogger("itdr")

_SECONDS_BETWEEN_LINES = 15


class Progress(Protocol):
    """Something that is told how much has been done."""

    def update(self, n: float = 1, /) -> Any:
        """Count `n` more units as done."""

    def set_postfix_str(self, s: str = "", refresh: bool = True) -> Any:
        """Show `s` behind the bar or at the end of the next lines."""


class _Lines:
    """Writes a log line now and then."""

    def __init__(self, what: str, total: float | None, unit: str, done: float) -> None:
        self.what, self.total, self.unit = what, total, unit
        self.done = self.before = done
        self.note = ""
        self.start = self.last = time.monotonic()

    def update(self, n: float = 1, /) -> None:
        self.done += n
        now = time.monotonic()
        if now - self.last >= _SECONDS_BETWEEN_LINES:
            self.last = now
            self.write()

    def set_postfix_str(self, s: str = "", refresh: bool = True) -> None:
        self.note = s

    def write(self) -> None:
        rate = (self.done - self.before) / max(time.monotonic() - self.start, 1e-9)
        if self.unit == "B":
            of = f" of {self.total / 1e6:,.1f}" if self.total else ""
            parts = [f"{self.what}: {self.done / 1e6:,.1f}{of} MB", f"{rate / 1e6:,.1f} MB/s"]
        else:
            of = f" of {self.total:,.0f}" if self.total else ""
            parts = [f"{self.what}: {self.done:,.0f}{of} {self.unit}", f"{rate:,.1f}/s"]
        parts += [self.note] if self.note else []
        if self.total and rate and self.done < self.total:
            parts.append(f"{timedelta(seconds=round((self.total - self.done) / rate))} left")
        log.info("%s", ", ".join(parts))


@contextmanager
def progress(what: str, total: float | None, unit: str, *, done: float = 0) -> Iterator[Progress]:
    """Yield the counter of a piece of work of `total` units (None: unknown).

    done: units that an earlier run did.
    """
    if sys.stderr.isatty() and log.isEnabledFor(logging.INFO):
        from tqdm import tqdm

        with tqdm(
            total=total, desc=what, unit=f" {unit}", unit_scale=unit == "B", initial=done
        ) as bar:
            yield bar
    else:
        lines = _Lines(what, total, unit, done)
        yield lines
        lines.write()
