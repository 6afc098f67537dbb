"""Bringing a base model from a hub into the cache, before any job that holds a GPU needs it."""

import errno
from pathlib import Path

from itdr.errors import DiskFullError, DownloadError, ModelError
from itdr.models.folder import cached_folder, description_faults, faults
from itdr.models.source import licence_hint, require_folder
from itdr.settings.model import ModelSettings

_DESCRIPTION = ("*.json", "*.jinja", "*.txt", "*.model")
_WEIGHTS = ("*.safetensors",)
_WITHIN = ("*/*",)  # the same weights in another form, as Llama's original/


def fetch_model(settings: ModelSettings, *, weights: bool = True) -> Path:
    """Return the folder of a model's files at its revision; what is not in the cache is downloaded.

    weights: False brings configuration and tokenizer alone. A local model's own folder is returned.

    Raises:
        DownloadError: the hub cannot be reached, or does not give the files.
        ModelError: the files that came are no model.
        DiskFullError: there is no room for them.
    """
    if settings.is_local:
        return Path(settings.source)
    require_folder(settings)
    from huggingface_hub import snapshot_download
    from huggingface_hub.constants import HF_HUB_CACHE
    from huggingface_hub.errors import HfHubHTTPError

    def check(path: Path) -> list[str]:
        return [*(faults if weights else description_faults)(path, settings.chat_template)]

    there = cached_folder(settings.source, settings.revision, Path(HF_HUB_CACHE))
    if there and not check(there):
        return there
    try:
        folder = Path(
            snapshot_download(
                settings.source,
                revision=settings.revision,
                allow_patterns=[*_DESCRIPTION, *(_WEIGHTS if weights else ())],
                ignore_patterns=list(_WITHIN),
            )
        )
    except (HfHubHTTPError, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise DiskFullError(
                f"{HF_HUB_CACHE}: no room for {settings.source}. Free some, or set HF_HOME to a "
                "folder on another disk."
            ) from error
        raise DownloadError(_not_had(settings, error)) from error
    if wrong := check(folder):
        raise ModelError(f"{settings.source} at {settings.revision}: {'; '.join(wrong)}. Name "
                         f"another 'revision' in config/models/{settings.model}.yaml."
                         )  # fmt: skip
    return folder


def _not_had(settings: ModelSettings, error: Exception) -> str:
    reason = (str(error).strip() or repr(error)).splitlines()[0]
    return (
        f"{settings.source}: the model cannot be downloaded ({reason}). {licence_hint(settings)}"
        "Run 'itdr fetch-model' where there is a network and HF_HOME is the folder that the jobs "
        f"see, or name a folder with its files as 'source' in config/models/{settings.model}.yaml."
    )
