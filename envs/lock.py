"""Work out the versions that installs are held to: `python envs/lock.py`, or `make constraints`.

Each file of constraints is what uv resolves for one environment and one build of PyTorch, on Linux
x86-64 with the oldest Python that the project promises. A version stays as it is while it fits, and
is the same for both builds where that can be; further words go to uv, such as `--upgrade-package
torch`.

`python envs/lock.py --check NAME` resolves an environment as it would be installed, but installs
nothing; it ends with 1 where no versions fit each other, or where the constraints lack some.
`python envs/lock.py --names` lists what can be checked.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from install import CONSTRAINTS, ROOT, packages_of, vllm_packages

PLATFORM = "x86_64-manylinux_2_28"
OLDEST, OF_THE_CONTAINERS = "3.11", "3.12"
# They come with a virtual environment, in whatever version Python brings along.
_NOT_HELD = ("--no-emit-package", "pip", "--no-emit-package", "setuptools")
# flashinfer takes any cuda-python from 12 on, and a resolver may choose one that is too old.
BESIDES = {"cuda": ("cuda-python>=13",)}


class NotResolved(Exception):
    """No versions fit each other, or no index of packages can be reached."""


@dataclass(frozen=True)
class Wanted:
    """An environment to resolve.

    Attributes:
        packages: requirements; none: the project with all its extras.
        build: of PyTorch, cpu or cuda.
        held: file of constraints, or None where the environment is held to none.
        python: version.
    """

    packages: tuple[str, ...]
    build: str
    held: Path | None
    python: str = OLDEST


def environments() -> dict[str, Wanted]:
    """Return name to environment: of make, of the containers, and of `snakemake --sdm conda`."""
    found = {}
    for (name, build), held in CONSTRAINTS.items():
        packages = (*vllm_packages(build), *BESIDES.get(build, ())) if name == "vllm" else ()
        found[f"{name}-{build}"] = Wanted(packages, build, held)
    for name, held in (("train", "main"), ("vllm", "vllm")):
        found[f"container-{name}"] = Wanted(
            tuple(packages_of(name)), "cuda", CONSTRAINTS[held, "cuda"], OF_THE_CONTAINERS
        )
    for path in sorted((ROOT / "envs").glob("*.yaml")):
        found[f"conda-{path.stem}"] = Wanted(tuple(packages_of(path.stem)), "cuda", None)
    return found


def main(words: Sequence[str]) -> None:
    """Write the files of constraints, or check environments."""
    if words[:1] == ["--names"]:
        print("\n".join(environments()))
    elif words[:1] == ["--check"]:
        for name in words[1:]:
            print(f"{name}: {check(environments()[name])} packages fit each other")
    else:
        for (name, build), path in CONSTRAINTS.items():
            lock(path, build, _pins(path) | _pins(CONSTRAINTS[name, "cpu"]), words)


def lock(path: Path, build: str, known: Mapping[str, str], more: Sequence[str]) -> None:
    """Write a file of constraints: what all environments take that are held to it.

    known: versions that are kept where they fit.
    """
    pins: dict[str, str] = {}
    for wanted in environments().values():
        if wanted.held == path:
            pins = resolve(wanted, more, preferred=known | pins) | pins
    begin = (f"# Versions that fit each other and PyTorch's build for {build.upper()}; installs "
             "are held to them.\n# Written by `make constraints`.\n")  # fmt: skip
    path.write_text(begin + "".join(f"{name}=={pins[name]}\n" for name in sorted(pins)))
    print(f"{path.relative_to(ROOT)}: {len(pins)} packages")


def check(wanted: Wanted) -> int:
    """Return how many packages an environment takes.

    Raises:
        NotResolved: no versions fit each other, or the constraints lack some of them.
    """
    pins = resolve(wanted, ["--constraint", str(wanted.held)] if wanted.held else [])
    lacking = pins.items() - _pins(wanted.held).items() if wanted.held else ()
    if lacking:
        raise NotResolved(f"{wanted.held} lacks {sorted(lacking)}; run: make constraints")
    return len(pins)


def resolve(
    wanted: Wanted, more: Sequence[str], preferred: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return name to version of all packages of an environment.

    preferred: versions that are kept where they fit.

    Raises:
        NotResolved: with the words of uv.
    """
    with tempfile.TemporaryDirectory() as folder:
        asked, out = Path(folder) / "asked.in", Path(folder) / "out.txt"
        asked.write_text("".join(f"{package}\n" for package in wanted.packages))
        # torch==2.13.0 would be preferred to 2.13.0+cpu, which is the same for the constraints.
        kept = {name: version for name, version in (preferred or {}).items() if name != "torch"}
        out.write_text("".join(f"{name}=={version}\n" for name, version in kept.items()))
        source = [asked] if wanted.packages else [ROOT / "pyproject.toml", "--all-extras"]
        command = [sys.executable, "-m", "uv", "pip", "compile", *source,
                   "--python-platform", PLATFORM, "--python-version", wanted.python,
                   "--output-file", out, "--quiet", "--no-header", "--no-annotate",
                   *_NOT_HELD, *_torch(wanted.build), *more]  # fmt: skip
        done = subprocess.run(
            list(map(str, command)), capture_output=True, text=True, check=False,
            env=os.environ | {"UV_PYTHON_DOWNLOADS": "never"},
        )  # fmt: skip
        if done.returncode:
            raise NotResolved(done.stderr.strip())
        return _pins(out)


def _torch(build: str) -> list[str]:
    """Return uv's options for where PyTorch comes from; it does not know pip's own."""
    if build == "cuda":
        return []
    for folder in os.environ.get("PIP_FIND_LINKS", "").split():
        if any(Path(folder).glob("torch-*")):
            return ["--find-links", folder]
    return ["--torch-backend", "cpu"]


def _pins(path: Path) -> dict[str, str]:
    """Return name to version in a file of constraints, without marks of builds such as +cpu."""
    if not path.exists():
        return {}
    found = re.findall(r"^([A-Za-z0-9_.-]+)==([^\s+]+)", path.read_text(), re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except NotResolved as error:
        sys.exit(str(error))
