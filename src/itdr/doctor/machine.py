"""What the checks look at, as plain values, so that any machine can be described."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Disk:
    """The disk of a folder. device: equal for folders on the same disk."""

    device: int
    free_mb: float
    writable: bool = True


@dataclass(frozen=True)
class Memory:
    """Main memory in MB; a container's limit counts as all there is."""

    total_mb: float
    available_mb: float


@dataclass(frozen=True)
class Gpu:
    """One visible NVIDIA GPU; its memory in MB."""

    name: str
    total_mb: float
    free_mb: float


@dataclass(frozen=True)
class Graphics:
    """The GPUs and their driver.

    Attributes:
        gpus: those that programs see, CUDA_VISIBLE_DEVICES heeded.
        driver: its version; "" where it is not known.
        cuda: the newest CUDA that the driver serves, such as "13.0"; "" where it is not known.
        problem: why nothing could be learned of GPUs; "" where something was.
    """

    gpus: tuple[Gpu, ...] = ()
    driver: str = ""
    cuda: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Package:
    """An installed distribution: its version and what it requires, as its metadata says."""

    version: str
    requires: tuple[str, ...] = ()


@dataclass(frozen=True)
class Packages:
    """The distributions of one Python environment.

    Attributes:
        found: canonical name to distribution.
        torch_cuda: the CUDA that torch was built for; "" for a build for CPUs or no torch at all.
    """

    found: Mapping[str, Package]
    torch_cuda: str = ""


@dataclass(frozen=True)
class Partition:
    """A partition of Slurm; GPUs and memory are those of its largest node.

    kinds: of GPUs on any of its nodes, as Slurm calls them.
    """

    name: str
    is_default: bool
    nodes: int
    gpus: int
    memory_mb: float
    kinds: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Slurm:
    """A cluster whose `sbatch` is on the PATH. problem: why it did not answer; "" where it did."""

    partitions: tuple[Partition, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Machine:
    """A machine as the checks see it.

    Attributes:
        variables: the environment variables.
        home: the user's folder.
        disk: the disk of a folder that is or may be made.
        memory: main memory.
        graphics: GPUs and driver.
        packages: of the environment that runs this.
        vllm_packages: of the environment that has vLLM, None where there is none.
        slurm: None where there is no `sbatch`.
    """

    variables: Mapping[str, str]
    home: Path
    disk: Callable[[Path], Disk]
    memory: Memory
    graphics: Graphics = field(default_factory=Graphics)
    packages: Packages = field(default_factory=lambda: Packages({}))
    vllm_packages: Packages | None = None
    slurm: Slurm | None = None

    @property
    def is_offline(self) -> bool:
        """Whether the clients of Hugging Face are told not to use the network."""
        names = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
        value = next((self.variables[name] for name in names if self.variables.get(name)), "")
        return value.upper() in ("1", "ON", "YES", "TRUE")

    @property
    def hub_folder(self) -> Path:
        """The folder of Hugging Face's own files, as huggingface_hub finds it."""
        above = self.variables.get("XDG_CACHE_HOME") or str(self.home / ".cache")
        return self._path("HF_HOME") or Path(above) / "huggingface"

    @property
    def hub_cache(self) -> Path:
        """The folder of downloaded models."""
        named = self._path("HF_HUB_CACHE") or self._path("HUGGINGFACE_HUB_CACHE")
        return named or self.hub_folder / "hub"

    @property
    def scratch(self) -> Path:
        """The folder for temporary files."""
        named = (self._path(name) for name in ("TMPDIR", "TEMP", "TMP"))
        return next((path for path in named if path), Path("/tmp"))  # noqa: S108 (looked at only)

    def _path(self, variable: str) -> Path | None:
        value = self.variables.get(variable)
        if not value:
            return None
        return self.home / value[2:] if value.startswith("~/") else Path(value)
