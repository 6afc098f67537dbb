"""Ctrl-C: a command ends soon, tidily if it can, and in any case."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

GRACE_S = 8.0
"""Time to end tidily. What cannot is cut off, which is as safe as kill -9 at any moment."""

INTERRUPTED = 130
"""Exit status of a command that Ctrl-C ended: 128 and the number of SIGINT."""


class Interruption:
    """Whether Ctrl-C came. Libraries may turn the exception that it raises into others."""

    def __init__(self) -> None:
        self.happened = False


@contextmanager
def interruptible(grace_s: float = GRACE_S) -> Iterator[Interruption]:
    """Let SIGINT raise KeyboardInterrupt, and end the process where that brings no end in time.

    Python raises only between two of its own steps, which a long query or forward pass puts off;
    so a thread waits for the signal, too. A second SIGINT ends the process at once.
    """
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return

    def raise_it(number: int, frame: FrameType | None) -> None:
        interruption.happened = True
        raise KeyboardInterrupt

    read_fd, write_fd = os.pipe()
    os.set_blocking(write_fd, False)
    over = threading.Event()
    before = signal.signal(signal.SIGINT, raise_it)
    woken = signal.set_wakeup_fd(write_fd, warn_on_full_buffer=False)
    watch = threading.Thread(target=_watch, args=(read_fd, over, grace_s), daemon=True)
    watch.start()
    try:
        yield interruption
    finally:
        signal.signal(signal.SIGINT, before)
        signal.set_wakeup_fd(woken)
        over.set()
        os.close(write_fd)


def _watch(read_fd: int, over: threading.Event, grace_s: float) -> None:
    """Wait for a SIGINT, then for the end of the work, another, or the end of its grace period."""
    while signal.SIGINT not in (heard := os.read(read_fd, 1)):
        if not heard:  # the other end is closed: the work is done
            os.close(read_fd)
            return
    threading.Thread(target=_second, args=(read_fd,), daemon=True).start()
    if not over.wait(grace_s):
        end_at_once()


def _second(read_fd: int) -> None:
    while heard := os.read(read_fd, 1):
        if signal.SIGINT in heard:
            end_at_once()
    os.close(read_fd)


def end_at_once() -> None:
    """End this process and those that it started."""
    import psutil

    with suppress(psutil.Error):
        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                child.kill()
    with suppress(OSError):
        print("interrupted; stopped in the middle of a step.", file=sys.stderr, flush=True)
    os._exit(INTERRUPTED)
