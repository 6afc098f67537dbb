"""A command in a process of its own, which starts at once because its modules are loaded."""

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    ["itdr.training.lora", "itdr.inference.transformers_engine", "peft", "itdr.evaluation.score",
     "itdr.reporting.report", "itdr.datasets.normalise", "itdr.instructions.audit.run"]
)  # fmt: skip

_BEGUN = "begun: Ctrl-C is heard from here on"


class Apart:
    """A running command; what it prints goes to a file."""

    def __init__(self, words: list[str], said: Path, dies_at: int | None = None) -> None:
        """Start it.

        dies_at: number of the fsync before which it kills itself; one comes before each file gets
            its name.
        """
        self.said = said
        said.write_text("")
        self.process = CONTEXT.Process(target=_run, args=(words, str(said), dies_at))
        self.process.start()
        self.wait_until(lambda: self.process.exitcode is not None or _BEGUN in said.read_text())

    def wait_until(self, sign, seconds: float = 300) -> None:
        """Wait for a sign of progress."""
        end = time.monotonic() + seconds
        while not sign():
            assert self.process.exitcode is None and time.monotonic() < end, self.said.read_text()
            time.sleep(0.005)

    def send(self, number: signal.Signals) -> None:
        if self.process.exitcode is None:
            os.kill(self.process.pid, number)

    def end(self, seconds: float | None = None) -> int | None:
        """Return the exit status, negative for a signal; None when it did not end in time."""
        self.process.join(seconds)
        return self.process.exitcode


def _run(words: list[str], said: str, dies_at: int | None) -> None:
    from itdr.cli import main as command

    sys.stdout = sys.stderr = Path(said).open("a", buffering=1)  # noqa: SIM115 (until the end)
    fsync, calls = os.fsync, 0

    def counted(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        fsync(descriptor)

    def told(words: Sequence[str]) -> None:
        print(_BEGUN)
        run(words)

    os.fsync, run, command._run = counted, command._run, told
    sys.exit(command.main(words))
