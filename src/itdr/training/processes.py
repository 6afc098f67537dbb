"""Several processes of one training on this machine.

The process that was started is the first of them and starts the others with the same command, so
that its end ends them all: whoever waits for a process that is gone fails.
"""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from itdr.errors import ItdrError


def rank() -> int:
    """Return the number of this process, from 0; 0 where there is one alone."""
    return int(os.environ.get("RANK", "0"))


@contextmanager
def spawned_ranks(count: int) -> Iterator[None]:
    """Have `count` - 1 other processes run this process's command beside it.

    Does nothing where a launcher such as torchrun or srun has started them all (RANK is set).

    Raises:
        ItdrError: another process failed, with the end of what it said.
    """
    if count == 1 or "RANK" in os.environ:
        yield
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    threads = max(1, (os.cpu_count() or 1) // count)
    shared: dict[str, object] = {
        "WORLD_SIZE": count,
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port,
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", threads),
    }
    logs: list[IO[bytes]] = []
    started: list[subprocess.Popen[bytes]] = []
    try:
        for number in range(1, count):
            logs.append(tempfile.TemporaryFile())  # noqa: SIM115 (closed below)
            started.append(
                subprocess.Popen(
                    [sys.executable, *sys.orig_argv[1:]],
                    env=os.environ | _strings(shared | {"RANK": number, "LOCAL_RANK": number}),
                    stdout=logs[-1],
                    stderr=logs[-1],
                )
            )
        os.environ |= _strings(shared | {"RANK": 0, "LOCAL_RANK": 0})
        yield
        for process in started:
            process.wait()
    except RuntimeError as error:  # what torch.distributed raises when another process is gone
        for number, process in enumerate(started, 1):
            if process.poll():
                raise ItdrError(
                    f"process {number} of {count} failed:\n{_end_of(logs[number - 1])}"
                ) from error
        raise
    finally:
        for process in started:
            if process.poll() is None:
                process.terminate()
                process.wait()
        for log in logs:
            log.close()


def _strings(variables: dict[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in variables.items()}


def _end_of(log: IO[bytes]) -> str:
    log.seek(0)
    return log.read().decode(errors="replace")[-2000:]
