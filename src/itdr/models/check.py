"""Refusing models and adapters that are not whole, before anything is made with them."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from itdr.errors import ModelError
from itdr.models.folder import cached_folder
from itdr.settings.model import ModelSettings

_NAMED = 3
Shapes = Mapping[str, tuple[int, ...]]


def require_whole(
    settings: ModelSettings, faults: Callable[[Path, str | None], Iterable[str]]
) -> None:
    """Do nothing if the model's folder has no faults, or its files are not here yet.

    faults: itdr.models.folder.faults, or what of it counts.

    Raises:
        ModelError: with all of them.
    """
    folder = _folder(settings)
    found = list(faults(folder, settings.chat_template)) if folder and folder.is_dir() else []
    if found:
        raise cannot_be_loaded(settings, "; ".join(found))


def require_all_tensors(settings: ModelSettings, loaded: Mapping[str, Any]) -> None:
    """Do nothing if each tensor of the model came from its files, and each of theirs was used.

    loaded: what from_pretrained says with output_loading_info.

    Raises:
        ModelError: a tensor is missing, unexpected or of another shape.
    """
    wrong = _listed("is missing", "are missing", loaded.get("missing_keys", ()))
    wrong += _listed("is unknown to it", "are unknown to it", loaded.get("unexpected_keys", ()))
    shapes = [name if isinstance(name, str) else name[0] for name in loaded["mismatched_keys"]]
    wrong += _listed("has another shape", "have another shape", shapes)
    if wrong:
        raise cannot_be_loaded(
            settings, f"its tensors are not those of its config.json: {'; '.join(wrong)}"
        )


def adapter_fault(needed: Shapes, found: Shapes) -> str | None:
    """Return what is wrong with the tensors of an adapter, or None; name to shape each."""
    wrong = _listed("is missing", "are missing", needed.keys() - found.keys())
    wrong += _listed("fits nowhere", "fit nowhere", found.keys() - needed.keys())
    shapes = [n for n in needed.keys() & found.keys() if needed[n] != found[n]]
    wrong += _listed("has another shape", "have another shape", shapes)
    return "; ".join(wrong) or None


def cannot_be_loaded(settings: ModelSettings, why: str, hint: str = "") -> ModelError:
    """Return the error of a model that is not what it should be."""
    folder = _folder(settings)
    if settings.is_local or not folder:
        remedy = f"Put the files of its publisher there, or mend 'source' in {_file(settings)}."
    else:
        remedy = f"Delete {folder} and download it again, or mend 'revision' in {_file(settings)}."
    return ModelError(f"{settings.source}: the model cannot be loaded ({why}). {hint}{remedy}")


def _folder(settings: ModelSettings) -> Path | None:
    if settings.is_local:
        return Path(settings.source)
    from huggingface_hub.constants import HF_HUB_CACHE

    return cached_folder(settings.source, settings.revision, Path(HF_HUB_CACHE))


def _file(settings: ModelSettings) -> str:
    return f"config/models/{settings.model}.yaml"


def _listed(one: str, several: str, names: Iterable[str]) -> list[str]:
    """Return a sentence on tensors of a kind, with the names of the first; [] for none."""
    found = sorted(names)
    if len(found) < 2:
        return [f"{name} {one}" for name in found]
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return [f"{', '.join(found[:_NAMED])}{more} {several}"]
