"""Which adapter of a local folder, or of a folder of Google Drive, is that of a model."""

import json
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Protocol

from itdr.datasets.download.drive import PassingError, bring_file, files_of_folder
from itdr.datasets.download.local import list_folder
from itdr.errors import DownloadError, MissingFileError, ModelError, nearest
from itdr.retry import RetryPolicy
from itdr.settings.model import ModelSettings

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
PICKLE = "adapter_model.bin"
_CHECKPOINT = re.compile(r"checkpoint-\d+")
_BY_HAND = (
    "To get it by hand: open https://drive.google.com/drive/folders/{id}, download what is there "
    "and name the folder with --folder (released_adapters.folder in the configuration)."
)
_RETRY_POLICY = RetryPolicy()


class Place(Protocol):
    """A folder with adapters at any depth."""

    name: str
    paths: list[str]
    """Of all its files, with "/" between folders."""

    def bring(self, path: str) -> Path:
        """Return where a file of it lies here."""


class LocalPlace:
    """A folder of this machine."""

    def __init__(self, folder: Path) -> None:
        """List the folder."""
        self.name = str(folder)
        self._folder = folder
        self.paths = [path.relative_to(folder).as_posix() for path in list_folder(folder).files]

    def bring(self, path: str) -> Path:
        """Return where a file lies."""
        return self._folder / path


class DrivePlace:
    """A folder of Google Drive, of which only what is asked for is downloaded."""

    def __init__(self, id: str, cache: Path, retry_policy: RetryPolicy = _RETRY_POLICY) -> None:
        """List the folder; downloads go to the folder `cache`. Raises DownloadError."""
        self.name = f"Google Drive {id}"
        self._cache, self._by_hand = cache, _BY_HAND.format(id=id)
        self._retry_policy = retry_policy
        self._ids = self._patiently(files_of_folder, id)
        self.paths = list(self._ids)

    def bring(self, path: str) -> Path:
        """Return where a file lies once it is downloaded. Raises DownloadError."""
        target = self._cache / self._ids[path]  # an id is a plain name, a path may be none here
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.is_file():
            self._patiently(bring_file, self._ids[path], target)
        return target

    def _patiently(self, function, *words):  # type: ignore[no-untyped-def]
        try:
            retrying = self._retry_policy.retrying(PassingError)
            return retrying(function, *words, f"{self.name}: ", self._by_hand)
        except ImportError as error:
            raise DownloadError(
                f"the package {error.name} is not installed; install it. {self._by_hand}"
            ) from error
        except PassingError as error:
            raise DownloadError(f"{error}. Run it again to go on. {self._by_hand}") from error


def find_adapter(place: Place, model: ModelSettings, name: str | None) -> str:
    """Return the folder, within a place, of an adapter of a base model.

    It is `name`, or else the only one whose adapter_config.json names the base model; checkpoints
    within a folder of LLaMA-Factory do not count.

    Raises:
        MissingFileError: there is none, or none of that name.
        ModelError: several are of that base model, or an adapter_config.json is none.
        DownloadError: one cannot be had.
    """
    paths = [PurePosixPath(path) for path in place.paths]
    folders = sorted(path.parent.as_posix() for path in paths if path.name == CONFIG)
    if name is not None:
        wanted = PurePosixPath(name).as_posix()
        if wanted not in folders:
            raise MissingFileError(
                f"{place.name}: no adapter {name!r}.{nearest(name, folders)} Folders with an "
                f"{CONFIG}: {', '.join(folders) or 'none'}."
            )
        return wanted
    final = [folder for folder in folders if not _CHECKPOINT.fullmatch(PurePosixPath(folder).name)]
    bases = {folder: base_of(read_config(place, folder)) for folder in final}
    found = [folder for folder, base in bases.items() if is_of(base, model)]
    if len(found) == 1:
        return found[0]
    listed = "\n".join(
        f"  {folder}: of {base or 'no base model'}" for folder, base in bases.items()
    )
    raise (ModelError if found else MissingFileError)(
        f"{place.name}: {len(found) or 'no'} adapters are of {model.model} ({model.source}). Say "
        "which with --name (released_adapters.names in the configuration). There are"
        f"{chr(10) + listed if listed else f' no folders with an {CONFIG}'}"
    )


def read_config(place: Place, folder: str) -> Mapping[str, object]:
    """Return what an adapter_config.json says. Raises ModelError: it is no JSON object."""
    path = place.bring((PurePosixPath(folder) / CONFIG).as_posix())
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{place.name}: {folder}/{CONFIG} is no JSON ({error}).") from error
    if not isinstance(value, dict):
        raise ModelError(f"{place.name}: {folder}/{CONFIG} is no JSON object.")
    return value


def base_of(config: Mapping[str, object]) -> str:
    """Return the base model that an adapter_config.json names, or ""."""
    base = config.get("base_model_name_or_path")
    return base if isinstance(base, str) else ""


def is_of(base: str, model: ModelSettings) -> bool:
    """Say whether a base model is ours: the same name, whoever keeps it, with "-hf" or without."""
    return _plain(base) == _plain(model.source)


def _plain(source: str) -> str:
    return source.replace("\\", "/").rstrip("/").rpartition("/")[2].lower().removesuffix("-hf")
