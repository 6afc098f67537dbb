"""Install the project into .venv: `python envs/install.py`, or `make setup`.

torch comes first, and from then on the constraints keep it: any other order lets pip replace it.
Without a GPU its build for CPUs is taken, because the other one brings gigabytes of CUDA packages.
"""

import json
import platform
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
CONSTRAINTS = ROOT / "envs" / "constraints.txt"
CPU_BUILDS = "https://download.pytorch.org/whl/cpu"


def main() -> None:
    """Make the environment, or bring it up to date."""
    if sys.version_info < (3, 11):
        sys.exit(
            f"Python 3.11 or newer is needed, this is {platform.python_version()}. "
            "Name another with: make setup PYTHON=python3.11"
        )
    make_environment()
    torch = next(
        line for line in CONSTRAINTS.read_text().splitlines() if line.startswith("torch==")
    )
    pip("install", torch, *torch_source(torch))
    pip("install", "--constraint", CONSTRAINTS, "--editable", f"{ROOT}[dev,slurm]")


def make_environment() -> None:
    """Create .venv unless it is there."""
    if PYTHON.exists():
        return
    try:
        venv.create(VENV, with_pip=True)
    except (subprocess.CalledProcessError, OSError) as error:
        shutil.rmtree(VENV, ignore_errors=True)
        sys.exit(
            f"No environment could be made in {VENV} ({error}). On Debian and Ubuntu install the "
            "package python3-venv and try again."
        )


def torch_source(requirement: str) -> list[str]:
    """Return pip's options for where torch comes from."""
    if has_gpu() or not brings_cuda(requirement):
        return []
    print("No GPU here: taking PyTorch's build for CPUs.", flush=True)
    return ["--index-url", CPU_BUILDS]


def has_gpu() -> bool:
    """Say whether the machine has an NVIDIA GPU."""
    return Path("/dev/nvidia0").exists() or shutil.which("nvidia-smi") is not None


def brings_cuda(requirement: str) -> bool:
    """Say whether the build that pip would choose on its own needs CUDA packages."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        pip("install", "--dry-run", "--no-deps", "--ignore-installed", "--report", report,
            requirement)  # fmt: skip
        wanted = json.loads(report.read_text())["install"][0]["metadata"].get("requires_dist", [])
    return any("nvidia" in need or "cuda" in need for need in wanted)


def pip(*arguments: object) -> None:
    """Run the environment's pip quietly; end with its message if it fails."""
    command = [str(PYTHON), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*command, *map(str, arguments)], check=False)
    if done.returncode:
        sys.exit(f"pip {' '.join(map(str, arguments))} failed; its message stands above.")


if __name__ == "__main__":
    main()
