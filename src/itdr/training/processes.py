"""Several processes of one training on this machine, one per rank.

The process that was started is rank 0 and spawns the others with the same command. None waits long
for one that is gone, which NCCL alone would do for half an hour: rank 0 watches the others, and the
kernel ends them when rank 0 ends.
"""

import ctypes
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO

from itdr.errors import ItdrError

log = logging.getLogger("itdr")

_POLL_S = 0.5
_GRACE_S = 5.0  # in which rank 0 may find out by itself, and end as it does after any error
_SPAWNER = "ITDR_SPAWNED_BY"
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


@dataclass
class _Spawned:
    """A process of another rank, and the file that gets what it says."""

    rank: int
    process: subprocess.Popen[bytes]
    said: IO[bytes] = field(repr=False)

    @property
    def end_of_log(self) -> str:
        self.said.seek(0)
        return self.said.read().decode(errors="replace")[-2000:]


def rank() -> int:
    """Return the rank of this process, from 0; 0 where there is one process alone."""
    return int(os.environ.get("RANK", "0"))


@contextmanager
def spawned_ranks(count: int) -> Iterator[None]:
    """Have `count` - 1 other processes run this process's command beside it.

    Does nothing where a launcher such as torchrun or srun has started them all (RANK is set). When
    a spawned process dies and this one does not come to an end by itself, as it may wait in a
    collective operation, it is ended with exit status 1.

    Raises:
        ItdrError: another rank failed, with the end of what it said.
    """
    if "RANK" in os.environ:
        _end_with_spawner()
        yield
        return
    if count == 1:
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
    spawned: list[_Spawned] = []
    left = threading.Event()
    watch = threading.Thread(target=_watch, args=(spawned, left), daemon=True)
    try:
        for number in range(1, count):
            spawned.append(_spawn(number, shared | {_SPAWNER: os.getpid()}))
        os.environ |= _strings(shared | {"RANK": 0, "LOCAL_RANK": 0})
        watch.start()
        yield
        for other in spawned:
            other.process.wait()
    except RuntimeError as error:  # what torch.distributed raises when another process is gone
        if dead := _dead(spawned):
            raise ItdrError(_failed(dead)) from error
        raise
    finally:
        left.set()
        for other in spawned:
            if other.process.poll() is None:
                other.process.terminate()
                other.process.wait()
            other.said.close()


def _spawn(number: int, variables: dict[str, object]) -> _Spawned:
    said = tempfile.TemporaryFile()  # noqa: SIM115 (closed by spawned_ranks)
    process = subprocess.Popen(
        [sys.executable, *sys.orig_argv[1:]],
        env=os.environ | _strings(variables | {"RANK": number, "LOCAL_RANK": number}),
        stdout=said,
        stderr=said,
    )
    return _Spawned(number, process, said)


def _watch(spawned: Sequence[_Spawned], left: threading.Event) -> None:
    """End this process when another rank is dead, unless it leaves `spawned_ranks` by itself."""
    while not left.wait(_POLL_S):
        dead = _dead(spawned)
        if dead and not left.wait(_GRACE_S):
            log.error("%s", _failed(dead))
            for other in spawned:
                other.process.kill()
            os._exit(1)


def _dead(spawned: Sequence[_Spawned]) -> _Spawned | None:
    return next((other for other in spawned if other.process.poll()), None)


def _failed(dead: _Spawned) -> str:
    return f"rank {dead.rank} failed ({dead.process.returncode}):\n{dead.end_of_log}"


def _end_with_spawner() -> None:
    """Have the kernel kill this process when the one that spawned it ends; on Linux."""
    spawner = os.environ.get(_SPAWNER)
    if spawner and sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != int(spawner):  # it has ended already
            os._exit(1)


def _strings(variables: dict[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in variables.items()}
