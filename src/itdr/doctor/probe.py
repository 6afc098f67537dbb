"""Looking at the machine that this runs on. Nothing is changed, loaded or downloaded."""

import csv
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

from packaging.utils import canonicalize_name

from itdr.doctor.machine import (
    Disk,
    Gpu,
    Graphics,
    Machine,
    Memory,
    Package,
    Packages,
    Partition,
    Slurm,
)
from itdr.inference.engines import python_elsewhere
from itdr.models.gpus import built_for

_TIMEOUT_S = 15  # nvidia-smi takes seconds where it must wake the driver
_CGROUP = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def look() -> Machine:
    """Return what this machine has."""
    variables = dict(os.environ)
    return Machine(
        variables,
        Path.home(),
        disk_of,
        _memory(),
        _graphics(variables),
        packages_of(sys.path),
        _vllm_packages(),
        _slurm(),
    )


def disk_of(folder: Path) -> Disk:
    """Return the disk of a folder; of one that is not there yet, that of the folder above."""
    there = folder.resolve()
    while not there.exists():
        there = there.parent
    return Disk(
        there.stat().st_dev,
        shutil.disk_usage(there).free / 1e6,
        there.is_dir() and os.access(there, os.W_OK | os.X_OK),
    )


def packages_of(paths: Sequence[str]) -> Packages:
    """Return the distributions on a Python path; of two with one name the first counts."""
    found: dict[str, Package] = {}
    cuda = ""
    for item in metadata.distributions(path=list(paths)):
        name = canonicalize_name(item.metadata["Name"] or "")
        if not name or name in found:
            continue
        found[name] = Package(item.version, tuple(item.requires or ()))
        if name == "torch":
            cuda = built_for(Path(str(item.locate_file("torch/version.py"))))
    return Packages(found, cuda)


def read_gpus(table: str, visible: str | None) -> tuple[list[Gpu], str]:
    """Return the visible GPUs and the driver's version from the answer of nvidia-smi.

    With nvidia-ml-py the look at GPUs has 30 lines in place of 37, but waits for ever for a driver
    that hangs, and its tests would need a driver instead of a program that says what one said.

    table: rows of index, uuid, name, memory.total, memory.free in MiB, driver_version. visible:
    CUDA_VISIBLE_DEVICES.
    """
    rows = [[cell.strip() for cell in row] for row in csv.reader(table.splitlines())]
    rows = [row for row in rows if len(row) == 6]
    if visible is not None:
        asked = [name.strip() for name in visible.split(",")]
        rows = [
            row
            for row in rows
            if any(name and (name == row[0] or row[1].startswith(name)) for name in asked)
        ]
    driver = rows[0][5] if rows else ""
    return [Gpu(row[2], _mib(row[3]), _mib(row[4])) for row in rows], driver


def read_partitions(table: str) -> tuple[Partition, ...]:
    """Return the partitions in sinfo's answer, rows of name, nodes, memory in MB and gres."""
    found: dict[str, Partition] = {}
    for line in table.splitlines():
        name, _, rest = line.partition("|")
        nodes, memory, gres = [*rest.split("|"), "", "", ""][:3]
        gpus = re.findall(r"\bgpu(?::([^:,()]+))?:(\d+)", gres)
        plain = name.strip().removesuffix("*")
        before = found.get(plain, Partition(plain, name.strip().endswith("*"), 0, 0, 0))
        found[plain] = Partition(
            plain,
            before.is_default,
            before.nodes + int(nodes or 0),
            max(before.gpus, sum(int(count) for _, count in gpus)),
            max(before.memory_mb, float(memory.rstrip("+") or 0)),
            before.kinds | {kind for kind, _ in gpus if kind},
        )
    return tuple(found.values())


def _memory() -> Memory:
    import psutil

    here = psutil.virtual_memory()
    total, available = here.total, here.available
    for path in _CGROUP:
        text = path.read_text().strip() if path.is_file() else ""
        if text.isdigit() and int(text) < total:
            total, available = int(text), min(available, int(text))
    return Memory(total / 1e6, available / 1e6)


def _graphics(variables: Mapping[str, str]) -> Graphics:
    device = " though /dev/nvidia0 is there" if Path("/dev/nvidia0").exists() else ""
    if shutil.which("nvidia-smi") is None:
        return Graphics(problem=f"no nvidia-smi on the PATH{device}")
    query = "index,uuid,name,memory.total,memory.free,driver_version"
    table, problem = _ask("nvidia-smi", f"--query-gpu={query}", "--format=csv,noheader,nounits")
    if problem:
        return Graphics(problem=problem)
    gpus, driver = read_gpus(table, variables.get("CUDA_VISIBLE_DEVICES"))
    newest = re.search(r"CUDA Version:\s*([\d.]+)", _ask("nvidia-smi")[0])
    hidden = "" if gpus else "CUDA_VISIBLE_DEVICES hides all GPUs" if table.strip() else "none"
    return Graphics(tuple(gpus), driver, newest[1] if newest else "", hidden)


def _vllm_packages() -> Packages | None:
    python = python_elsewhere("vllm")
    if python is None:
        return packages_of(sys.path)
    folders = [str(path) for path in python.parents[1].glob("lib*/python*/site-packages")]
    return packages_of(folders) if python.exists() and folders else None


def _slurm() -> Slurm | None:
    if shutil.which("sbatch") is None:
        return None
    table, problem = _ask("sinfo", "--noheader", "--format=%P|%D|%m|%G")
    return Slurm(problem=problem) if problem else Slurm(read_partitions(table))


def _ask(*command: str) -> tuple[str, str]:
    """Return what a program prints, and what went wrong."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return "", f"{command[0]} did not answer within {_TIMEOUT_S} s"
    except OSError as error:
        return "", f"{command[0]} cannot be run ({error.strerror})"
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "no word").splitlines()[-1]
        return "", f"{command[0]} failed ({said})"
    return done.stdout, ""


def _mib(text: str) -> float:
    return float(text) * 1.048576 if re.fullmatch(r"[\d.]+", text) else 0.0
