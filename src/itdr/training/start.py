"""Training an adapter further that another training left."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from peft import LoraConfig, PeftConfig, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import load_file

from itdr.errors import SettingsError
from itdr.files.checksums import sha256
from itdr.files.formats import read_json_object
from itdr.models.check import adapter_fault
from itdr.models.loading import (
    ADAPTER_WEIGHTS,
    check_adapter,
    not_an_adapter,
    require_safe_weights,
)
from itdr.settings.model import ModelSettings

_KEPT = ("mixture_sha256", "seed", "steps", "start_from")
_ALIKE = ("r", "lora_alpha", "use_rslora", "use_dora", "rank_pattern", "alpha_pattern")
"""Fields of PEFT's configuration without which the same tensors are another adapter."""


def described_start(adapter: Path | None) -> dict[str, Any] | None:
    """Return what an adapter is, by what is in it and not by where it lies; None for None.

    adapter_sha256 is the checksum of its weights; mixture_sha256, seed, steps and start_from are
    what its run.json says, null where it has none.

    Raises:
        DataError: a file of it is damaged.
        SettingsError: there is no adapter.
    """
    if adapter is None:
        return None
    if not (adapter / ADAPTER_WEIGHTS).is_file():
        raise SettingsError(
            f"--start-from {adapter}: there is no {ADAPTER_WEIGHTS}. Name the folder of an adapter."
        )
    check_adapter(adapter)
    run = adapter / "run.json"
    told = read_json_object(run) if run.is_file() else {}
    return {"adapter_sha256": sha256(adapter / ADAPTER_WEIGHTS)} | {
        name: told.get(name) for name in _KEPT
    }


def start_from(adapted: Any, adapter: Path, model: ModelSettings) -> None:
    """Give the new adapter of a model the weights of another one.

    Raises:
        SettingsError: the two have not the same rank, scale or layers.
        ModelError: the other is no adapter of this model.
    """
    require_safe_weights(adapter, model)
    theirs, ours = PeftConfig.from_pretrained(str(adapter)), adapted.peft_config["default"]
    if not isinstance(theirs, LoraConfig):
        raise not_an_adapter(adapter, model, f"it is of the kind {theirs.peft_type}")
    different = [
        f"{name} is {getattr(theirs, name)} there and {getattr(ours, name)} here"
        for name in _ALIKE
        if getattr(theirs, name) != getattr(ours, name)
    ]
    weights = load_file(adapter / ADAPTER_WEIGHTS)
    needed = get_peft_model_state_dict(adapted, save_embedding_layers=False)
    if not different and (fault := adapter_fault(_shapes(needed), _shapes(weights))):
        different.append(fault)
    if different:
        raise SettingsError(
            f"{adapter}: cannot be trained further with these settings: {'; '.join(different)}. "
            "Give training.lora_rank, training.lora_alpha and the model's lora_targets as it has "
            "them, or start from another adapter."
        )
    set_peft_model_state_dict(adapted, weights)


def _shapes(tensors: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}
