"""GPUs of this machine, each used by one job at a time.

A job holds a GPU by holding a name: an abstract Unix socket, of which the kernel lets one process
of the machine have each. It is free again when the process ends, however it ends, so a job that was
killed leaves nothing behind. The name comes from the GPU's UUID and not from its number: where a
scheduler has handed out the GPUs already, each job sees its own, perhaps all as number 0.
"""

import logging
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from itdr.errors import SettingsError

log = logging.getLogger("itdr")

_LIST = ("nvidia-smi", "--query-gpu=index,uuid", "--format=csv,noheader")
_WAIT_S = 2.0
_USE = "import os, torch; torch.zeros(1, device='cuda:' + os.environ.get('LOCAL_RANK', '0'))"


@contextmanager
def hold_gpus(count: int, key: str, install: str) -> Iterator[None]:
    """Hold `count` GPUs that no other job of this package has, and make only these visible.

    Waits until so many are free. CUDA_VISIBLE_DEVICES names those of this process from then on;
    where it was set before, only GPUs that it named are taken. For a count of 0 it names none, so
    that what is meant for the processor runs there on every machine. A process that a launcher
    started (RANK is set) holds none: the first of its processes does.

    key: where the count stands, for messages. install: the command that installs what this runs in.

    Raises:
        SettingsError: there are fewer GPUs than `count`, or PyTorch cannot use them.
    """
    if not count:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        yield
        return
    problems = [*_missing(count), *_wrong_build(install)]
    if problems:
        raise _unusable(count, key, problems)
    held = {} if "RANK" in os.environ else _wait_for(count, _allowed())
    try:
        if held:
            # CUDA counts by speed unless it is told to count as nvidia-smi does.
            os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
            os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(held)
            log.info("GPU %s is held", ", ".join(held))
        if problem := _refusal():
            raise _unusable(count, key, [problem])
        yield
    finally:
        _release(list(held.values()))


def built_for(version_file: Path) -> str:
    """Return the CUDA that torch was built for; "" for a build for CPUs, or where there is none.

    version_file: torch/version.py, which is read, because importing torch takes seconds.
    """
    text = version_file.read_text(encoding="utf-8") if version_file.is_file() else ""
    found = re.search(r"^cuda\b[^=\n]*=\s*'([\d.]+)'", text, re.MULTILINE)
    return found[1] if found else ""


def _unusable(count: int, key: str, problems: Sequence[str]) -> SettingsError:
    return SettingsError(
        f"{key} asks for {count} GPU{'' if count == 1 else 's'}, which cannot be had here: "
        f"{'; '.join(problems)}. On a cluster run it with 'snakemake --profile slurm'; 0 there "
        "means the processor, which takes days for models of billions of parameters."
    )


def _missing(count: int) -> Iterator[str]:
    """Yield why there are not enough GPUs, and what to do."""
    allowed = _allowed()
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if len(allowed) >= count:
        return
    if shutil.which(_LIST[0]) is None:
        yield "there is no nvidia-smi on the PATH, so no NVIDIA driver: take a machine that has one"
    elif visible is not None and len(_known()) >= count:
        yield (
            f"CUDA_VISIBLE_DEVICES is {visible!r}, which leaves {len(allowed)} of {len(_known())}: "
            "unset it, or name more of them in it"
        )
    elif not _known():
        yield "nvidia-smi lists none: run it by hand, it may say why"
    else:
        yield f"nvidia-smi lists {len(_known())}: take a machine with more, or ask for fewer"


def _wrong_build(install: str) -> Iterator[str]:
    """Yield that the installed torch cannot use any GPU, if so, and what to do."""
    torch = find_spec("torch")
    folders = torch.submodule_search_locations or [] if torch else []
    if not any(built_for(Path(folder) / "version.py") for folder in folders):
        yield f"the installed PyTorch is a build for CPUs: '{install} TORCH=cuda' installs another"


def _refusal() -> str:
    """Return what PyTorch says when it is to use a GPU and cannot, "" where it can.

    Asked in another process, because CUDA may not be begun before processes are forked.
    """
    done = subprocess.run([sys.executable, "-c", _USE], capture_output=True, text=True, check=False)
    if not done.returncode:
        return ""
    said = (done.stderr.strip() or f"exit status {done.returncode}").splitlines()[-1]
    return (
        f"PyTorch cannot use them ({said}); docs/how-to/gpus.md says which cards and drivers it "
        "needs"
    )


def _known() -> dict[str, str]:
    """Return number to UUID of the GPUs of this machine."""
    if shutil.which(_LIST[0]) is None:
        return {}
    done = subprocess.run(_LIST, capture_output=True, text=True, check=False)
    rows = [line.split(", ") for line in done.stdout.splitlines()]
    return {row[0].strip(): row[1].strip() for row in rows if len(row) == 2}


def _allowed() -> dict[str, str]:
    """Return number to UUID of the GPUs to choose from: what CUDA_VISIBLE_DEVICES names, or all.

    It may name GPUs by number or UUID, and parts of GPUs, which then stand for their UUIDs.
    """
    known, visible = _known(), os.environ.get("CUDA_VISIBLE_DEVICES")
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
