"""What config/datasets.yaml says: where each dataset's raw files come from and on which terms."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from itdr.errors import SettingsError, nearest
from itdr.settings.reading import Strict, check, load_yaml, once
from itdr.vocabulary import Dataset


def _plain_name(name: str) -> str:
    if not re.fullmatch(r"\w[\w.+-]*", name):
        raise ValueError("a plain file name is needed: letters, digits, '_', '-', '.', no folder")
    return name


FileName = Annotated[str, AfterValidator(_plain_name)]
Md5 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, StringConstraints(min_length=1)]


class Published(Strict):
    """A file as its publisher gives it; what is not known for certain is null."""

    name: FileName = Field(description="its name in the output folder")
    at: Annotated[tuple[Text, ...], AfterValidator(once)] = Field(
        (), description="http: addresses, tried in order; hubs: the path inside; gdrive: the id"
    )
    bytes: int | None = Field(None, ge=1, description="size in bytes")
    md5: Md5 | None = Field(None, description="MD5, 32 lower-case hexadecimal digits")
    sha256: Sha256 | None = Field(None, description="SHA-256, 64 lower-case hexadecimal digits")


class Archive(Published):
    """A zip, tar, tar.gz or gz file that holds raw files."""

    also: Annotated[tuple[FileName, ...], AfterValidator(once)] = Field(
        (), description="other names under which people keep it"
    )


class RawFile(Published):
    """A file that later stages read."""

    needed: bool = Field(True, description="whether a task cannot do without it")
    archive: FileName | None = Field(None, description="the archive that holds it")
    member: Text | None = Field(None, description="its path inside the archive, or the end of it")

    @property
    def stem(self) -> str:
        """Its name without .gz."""
        return self.name.removesuffix(".gz")

    @property
    def names(self) -> tuple[str, str]:
        """The names under which it may lie in a folder: plain and compressed."""
        return self.stem, f"{self.stem}.gz"


class DatasetSource(Strict):
    """Where one dataset comes from."""

    id: Dataset
    title: Text = Field(description="the name that its makers gave it")
    kind: Literal["http", "huggingface", "kaggle", "gdrive", "manual"] = Field(
        description="the place; manual: you must fetch the files yourself"
    )
    repository: Text | None = Field(None, description="OWNER/NAME at Hugging Face or Kaggle")
    revision: Text | None = Field(
        None, description="Hugging Face: commit; Kaggle: version number; null: the newest"
    )
    page: Text = Field(description="the page to read about it and to get it by hand")
    licence: Text = Field(description="what its terms allow, in one sentence")
    login: Text | None = Field(None, description="what must be done before it can be fetched")
    at_least_mb: int | None = Field(
        None, ge=1, description="MB that the download exceeds, where not every size is stated"
    )
    archives: tuple[Archive, ...] = ()
    files: tuple[RawFile, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        names = [item.name for item in (*self.files, *self.archives)]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"the file name {name!r} stands twice")
        if (self.kind in ("huggingface", "kaggle")) != (self.repository is not None):
            raise ValueError("'repository' belongs to the kinds huggingface and kaggle, and only")
        for file in self.files:
            self._check_origin(file)
        for item in (*self.files, *self.archives):
            self._check_address(item)
        return self

    def _check_origin(self, file: RawFile) -> None:
        if (file.archive is None) != (file.member is None):
            raise ValueError(f"{file.name}: 'archive' and 'member' need each other")
        if file.archive is not None and file.archive not in [a.name for a in self.archives]:
            raise ValueError(f"{file.name}: no archive is called {file.archive!r}")
        archive = self.archive_of(file)
        if self.kind != "manual" and not file.at and (archive is None or not archive.at):
            raise ValueError(f"{file.name}: 'at', its own or its archive's, must say where it is")

    def _check_address(self, item: Published) -> None:
        if self.kind == "manual" and item.at:
            raise ValueError(f"{item.name}: a manual dataset has no 'at'")
        if self.kind == "http":
            for address in item.at:
                if not re.match(r"https?://[^/]", address):
                    raise ValueError(f"{item.name}: {address!r} is no http(s) address")

    def archive_of(self, file: RawFile) -> Archive | None:
        """Return the archive that holds the file, or None when it comes alone."""
        return next((item for item in self.archives if item.name == file.archive), None)

    def selected(self, names: Iterable[str]) -> Self:
        """Return the dataset with these files alone, all of them needed.

        Raises:
            SettingsError: the dataset has no file of that name.
        """
        by_name = {name: file for file in self.files for name in file.names}
        chosen: dict[str, RawFile] = {}
        for name in names:
            if name not in by_name:
                known = [file.name for file in self.files]
                raise SettingsError(
                    f"{self.id}: no file {name!r}.{nearest(name, known)} Files: {', '.join(known)}."
                )
            chosen[by_name[name].name] = by_name[name].model_copy(update={"needed": True})
        return self.model_copy(update={"files": tuple(chosen.values())})


class DatasetCatalogue(Strict):
    """The whole of config/datasets.yaml."""

    datasets: dict[Dataset, DatasetSource]

    @model_validator(mode="after")
    def _ids_are_keys(self) -> Self:
        for key, source in self.datasets.items():
            if source.id != key:
                raise ValueError(f"the entry {key.value!r} has the id {source.id.value!r}")
        return self


def load_catalogue(path: Path) -> dict[Dataset, DatasetSource]:
    """Return the entries of the catalogue file at `path`.

    Raises:
        MissingFileError: there is no such file.
        SettingsError: the file is wrong.
    """
    value = load_yaml(path)
    entries = value.get("datasets")
    if isinstance(entries, dict):
        # Each entry gets its key as `id`, so that the file need not say it twice.
        value["datasets"] = {
            key: {"id": key, **entry} if isinstance(entry, dict) else entry
            for key, entry in entries.items()
        }
    return check(DatasetCatalogue, value, path).datasets


def load_source(path: Path, dataset: str) -> DatasetSource:
    """Return the entry of a dataset in the catalogue file at `path`.

    Raises:
        MissingFileError: there is no such file.
        SettingsError: the file is wrong, or has no such dataset.
    """
    sources = load_catalogue(path)
    try:
        return sources[Dataset(dataset)]
    except (KeyError, ValueError):
        names = [str(name) for name in sources]
        raise SettingsError(
            f"{path}: no dataset {dataset!r}.{nearest(dataset, names)} "
            f"Datasets: {', '.join(names)}."
        ) from None
