"""Which engine answers for a model."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from itdr.errors import SettingsError
from itdr.inference.engine import Engine
from itdr.places import PROJECT
from itdr.settings.experiment import InferenceSettings
from itdr.settings.model import ModelSettings

_VLLM_PYTHON = PROJECT / ".venv-vllm" / "bin" / "python"


def engine_name(model: ModelSettings, settings: InferenceSettings) -> str:
    """Return the name of the engine that answers: a model behind an endpoint has no choice.

    Raises:
        SettingsError: the engine cannot answer for the model, or is not installed.
    """
    if model.endpoint:
        return "api"
    if settings.engine == "api":
        raise SettingsError(
            f"inference.engine is 'api', but config/models/{model.model}.yaml names no 'endpoint'. "
            "Write a model file with its address, or choose another engine."
        )
    if settings.engine == "vllm" and not _has_vllm():
        raise SettingsError(
            "inference.engine is 'vllm', which is not installed. Install it with "
            "'make setup-vllm', or choose 'auto'."
        )
    if settings.engine == "auto":
        return "vllm" if _has_vllm() and model.inference_gpus else "transformers"
    return settings.engine


def stands_in(model: ModelSettings, settings: InferenceSettings) -> bool:
    """Say whether transformers answers where vLLM would, were it installed."""
    return settings.engine == "auto" and model.inference_gpus > 0 and not _has_vllm()


def _has_vllm() -> bool:
    return find_spec("vllm") is not None or _VLLM_PYTHON.exists()


def python_elsewhere(engine: str) -> Path | None:
    """Return the Python that has the engine, or None if this one has it.

    vLLM lives in .venv-vllm: it needs other versions of some libraries than training does.
    """
    return _VLLM_PYTHON if engine == "vllm" and find_spec("vllm") is None else None


def open_engine(
    model: ModelSettings, settings: InferenceSettings, adapters: Sequence[Path]
) -> Engine:
    """Return the engine that the settings mean for this model.

    adapters: all that it will be asked for.

    Raises:
        SettingsError: as for engine_name.
        ModelError: the model cannot be had.
    """
    if model.endpoint:
        from itdr.inference.api_engine import ApiEngine

        return ApiEngine(model.endpoint)
    if engine_name(model, settings) == "vllm":
        from itdr.inference.vllm_engine import VllmEngine

        return VllmEngine(model, settings, adapters)
    from itdr.inference.transformers_engine import TransformersEngine

    return TransformersEngine(model, settings)
