"""Progress of long work: a bar on a terminal, plain log lines elsewhere."""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

log = logging.getLogger("itdr")

_SECONDS_BETWEEN_LINES = 15


class Progress(Protocol):
    """Something that is told how much has been done."""

    def update(self, n: float = 1, /) -> Any:
        """Count `n` more units as done."""


class _Lines:
    """Writes a log line now and then."""

    def __init__(self, what: str, total: float | None, unit: str) -> None:
        self.what, self.total, self.unit = what, total, unit
        self.done = 0.0
        self.start = self.last = time.monotonic()

    def update(self, n: float = 1, /) -> None:
        self.done += n
        now = time.monotonic()
        if now - self.last >= _SECONDS_BETWEEN_LINES:
            self.last = now
            self.write()

    def write(self) -> None:
        of = f" of {self.total:,.0f}" if self.total else ""
        rate = self.done / max(time.monotonic() - self.start, 1e-9)
        log.info("%s: %s%s %s, %.1f/s", self.what, f"{self.done:,.0f}", of, self.unit, rate)


@contextmanager
def progress(what: str, total: float | None, unit: str) -> Iterator[Progress]:
    """Yield the counter of a piece of work of `total` units (None: unknown)."""
    if sys.stderr.isatty():
        from tqdm import tqdm

        with tqdm(total=total, desc=what, unit=f" {unit}", unit_scale=unit == "B") as bar:
            yield bar
    else:
        lines = _Lines(what, total, unit)
        yield lines
        lines.write()
