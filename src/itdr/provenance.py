"""Where a result comes from: the versions of what made it, and the machine."""

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from itdr import __version__


@dataclass(frozen=True)
class Maker:
    """What gave answers; None is what it has not.

    Attributes:
        engine: "vllm", "transformers", "api", or the name of an answer without a model.
        model: id of the model.
        revision: its commit on the hub; of a local folder the fingerprint of its files.
        adapter: SHA-256 of the adapter's weights; None of the base model.
        seed: of the adapter's training, or of what an answer without a model draws.
    """

    engine: str
    model: str | None = None
    revision: str | None = None
    adapter: str | None = None
    seed: int | None = None

    @property
    def columns(self) -> dict[str, str | int | None]:
        """Its values and the commit of this code, as predictions have them."""
        return asdict(self) | {"commit": _commit()}


def provenance(packages: Iterable[str] = ()) -> dict[str, str]:
    """Return the versions of this package, of Python and of the named packages, and the commit."""
    return {
        "itdr": __version__,
        "commit": _commit(),
        "python": platform.python_version(),
        **{name: _version(name) for name in packages},
    }


def machine() -> dict[str, str | int]:
    """Return what this process computes on: processor, cores, memory in GB, GPUs, system."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "gpus": _gpus(os.environ.get("CUDA_VISIBLE_DEVICES")),
        "system": f"{platform.system()} {platform.release()}",
    }


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.machine()
    named = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return named[1] if named else platform.machine()


def _gpus(visible: str | None) -> str:
    """Return the names of the GPUs that CUDA_VISIBLE_DEVICES leaves, of all where it is not set."""
    if visible == "" or shutil.which("nvidia-smi") is None:
        return "none"
    chosen = ["-i", visible] if visible else []
    asked = subprocess.run(
        ["nvidia-smi", *chosen, "--query-gpu=name", "--format=csv,noheader"],
        capture_output=True,
        text=True,
        check=False,
    )
    names = asked.stdout.split("\n")[:-1] if asked.returncode == 0 else []
    return ", ".join(f"{names.count(name)} x {name}" for name in dict.fromkeys(names)) or "none"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


@cache
def _commit() -> str:
    """Return the commit of the checkout that this code runs from, with "+" if it was changed."""
    here = Path(__file__).parent
    try:
        described = subprocess.run(
            ["git", "-C", str(here), "describe", "--always", "--dirty=+", "--abbrev=12"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return described.stdout.strip()
