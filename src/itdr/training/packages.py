"""Settings that need a package or a GPU which may not be here."""

from importlib.util import find_spec

import torch

from itdr.errors import SettingsError
from itdr.settings.training import TrainingSettings


def require_packages(settings: TrainingSettings) -> None:
    """Make sure that what the settings ask for can be had.

    Raises:
        SettingsError: a package or a GPU is missing.
    """
    if settings.four_bit:
        _require("four_bit", "bitsandbytes", gpu=True)
    if settings.liger:
        _require("liger", "liger_kernel", gpu=True)
    if settings.fsdp:
        _require("fsdp", None, gpu=True)  # without one accelerate would leave it out in silence
    if settings.track != "none":
        _require("track", settings.track, gpu=False)


def _require(setting: str, package: str | None, *, gpu: bool) -> None:
    missing = []
    if package and find_spec(package) is None:
        missing.append(f"the package {package.replace('_', '-')}, which is not installed")
    if gpu and not torch.cuda.is_available():
        missing.append("a GPU, and there is none here")
    if missing:
        raise SettingsError(
            f"training.{setting} needs {' and '.join(missing)}. "
            f"Bring what is missing, or take training.{setting} out."
        )
