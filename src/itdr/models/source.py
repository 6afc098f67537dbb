"""Where a model's files come from: a folder here, or a hub that may ask for a licence."""

import os
from pathlib import Path

from itdr.errors import ModelError
from itdr.models.folder import cached_folder
from itdr.settings.model import ModelSettings


def require_folder(settings: ModelSettings) -> None:
    """Refuse a model that is meant to be a folder and is none.

    Raises:
        ModelError: its source looks like a path, and there is no such folder.
    """
    if looks_local(settings.source) and not settings.is_local:
        raise ModelError(
            f"{settings.source}: no such model folder. For the tiny model run 'itdr tiny-model "
            f"--out {settings.source}'; else put the model's files there."
        )


def looks_local(source: str) -> bool:
    """Say whether a source is meant to be a folder, there or not."""
    return source.startswith((".", "/", "config" + os.sep)) or source.count("/") > 1


def licence_hint(settings: ModelSettings) -> str:
    """Return what to do about a model that is given to those alone who accept its licence."""
    if not settings.gated:
        return ""
    return (
        "It is given to those alone who have accepted its licence: do so on "
        f"https://huggingface.co/{settings.source}, make a token on "
        "https://huggingface.co/settings/tokens and set HF_TOKEN to it. "
    )


def settled(settings: ModelSettings) -> ModelSettings:
    """Return the settings with the commit that was downloaded in place of the revision main."""
    from huggingface_hub.constants import HF_HUB_CACHE

    if settings.revision != "main" or settings.is_local:
        return settings
    folder = cached_folder(settings.source, settings.revision, Path(HF_HUB_CACHE))
    return settings.model_copy(update={"revision": folder.name}) if folder else settings
