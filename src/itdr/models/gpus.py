"""GPUs of this machine, each used by one job at a time.

A job holds a GPU by holding a name: an abstract Unix socket, of which the kernel lets one process
of the machine have each. It is free again when the process ends, however it ends, so a job that was
killed leaves nothing behind. The name comes from the GPU's UUID and not from its number: where a
scheduler has handed out the GPUs already, each job sees its own, perhaps all as number 0.
"""

import logging
import os
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from itdr.errors import SettingsError

log = logging.getLogger("itdr")

_LIST = ("nvidia-smi", "--query-gpu=index,uuid", "--format=csv,noheader")
_WAIT_S = 2.0


@contextmanager
def hold_gpus(count: int) -> Iterator[None]:
    """Hold `count` GPUs that no other job of this package has, and make only these visible.

    Waits until so many are free. CUDA_VISIBLE_DEVICES names those of this process from then on;
    where it was set before, only GPUs that it named are taken. Does nothing for a count of 0, where
    no NVIDIA GPU can be seen, and in a process that a launcher started (RANK is set), whose GPUs
    the first of its processes holds.

    Raises:
        SettingsError: there are fewer GPUs than `count`.
    """
    allowed = _allowed() if count and "RANK" not in os.environ else {}
    if not allowed:
        yield
        return
    if len(allowed) < count:
        raise SettingsError(
            f"{count} GPUs are asked for (gpus in the model's file, for training times "
            f"training.processes) and {len(allowed)} can be used here. Ask for fewer, or check "
            "CUDA_VISIBLE_DEVICES and nvidia-smi."
        )
    held = _wait_for(count, allowed)
    # CUDA counts by speed unless it is told to count as nvidia-smi does.
    os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(held)
    log.info("GPU %s is held", ", ".join(held))
    try:
        yield
    finally:
        _release(list(held.values()))


def _allowed() -> dict[str, str]:
    """Return number to UUID of the GPUs to choose from: what CUDA_VISIBLE_DEVICES names, or all.

    It may name GPUs by number or UUID, and parts of GPUs, which then stand for their UUIDs.
    """
    if shutil.which(_LIST[0]) is None:
        return {}
    done = subprocess.run(_LIST, capture_output=True, text=True, check=False)
    rows = [line.split(", ") for line in done.stdout.splitlines()]
    known = {row[0].strip(): row[1].strip() for row in rows if len(row) == 2}
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None or not known:
        return known
    names = [name.strip() for name in visible.split(",")]
    return {name: known.get(name, name) for name in names if name not in ("", "-1")}


def _wait_for(count: int, allowed: dict[str, str]) -> dict[str, socket.socket]:
    """Return number to hold of `count` GPUs, waiting until so many are free at once."""
    told = False
    while True:
        held: dict[str, socket.socket] = {}
        for number, uuid in allowed.items():
            if len(held) < count and (hold := _hold(uuid)):
                held[number] = hold
        if len(held) == count:
            return held
        _release(list(held.values()))
        if not told:
            log.info("waiting for %d free GPUs of %s", count, ", ".join(allowed))
            told = True
        # At random, so that two jobs that need several do not get in each other's way for ever.
        time.sleep(_WAIT_S * random.uniform(0.5, 1.5))  # noqa: S311 (no secret)


def _hold(uuid: str) -> socket.socket | None:
    """Return the hold of a GPU, or None while another process has it."""
    hold = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        hold.bind(f"\0itdr-gpu-{uuid}")
    except OSError:
        hold.close()
        return None
    return hold


def _release(holds: Sequence[socket.socket]) -> None:
    for hold in holds:
        hold.close()
