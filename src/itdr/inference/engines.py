"""Which engine answers for a model."""

from importlib.util import find_spec

from itdr.inference.engine import Engine
from itdr.settings.experiment import InferenceSettings
from itdr.settings.model import ModelSettings


def engine_name(model: ModelSettings, settings: InferenceSettings) -> str:
    """Return the name of the engine that the settings mean for this model."""
    if settings.engine != "auto":
        return settings.engine
    return "vllm" if find_spec("vllm") else "transformers"


def open_engine(model: ModelSettings, settings: InferenceSettings) -> Engine:
    """Return the engine that the settings mean for this model.

    Raises:
        ModelError: the model cannot be had, or the engine is not installed.
    """
    from itdr.inference.transformers_engine import TransformersEngine

    return TransformersEngine(model, settings)
