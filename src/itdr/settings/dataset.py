"""What a file in config/datasets/ says: a dataset's raw files, its terms, and who reads it."""

import os
import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from itdr.errors import SettingsError, nearest
from itdr.places import from_home
from itdr.settings.columns import ColumnsSettings
from itdr.settings.folders import FOLDERS, settings_file, settings_files
from itdr.settings.ids import DatasetId
from itdr.settings.reading import Strict, check, load_yaml, once


def _plain_name(name: str) -> str:
    if not re.fullmatch(r"\w[\w.+-]*", name):
        raise ValueError("a plain file name is needed: letters, digits, '_', '-', '.', no folder")
    return name


FileName = Annotated[str, AfterValidator(_plain_name)]
Md5 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
NonEmptyText = Annotated[str, StringConstraints(min_length=1)]


class Published(Strict):
    """A file as its publisher gives it; what is not known for certain is null."""

    name: FileName = Field(description="its name in the output folder")
    at: Annotated[tuple[NonEmptyText, ...], AfterValidator(once)] = Field(
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
    member: NonEmptyText | None = Field(
        None, description="its path inside the archive, or the end of it"
    )

    @property
    def stem(self) -> str:
        """Its name without .gz."""
        return self.name.removesuffix(".gz")

    @property
    def names(self) -> tuple[str, str]:
        """The names under which it may lie in a folder: plain and compressed."""
        return self.stem, f"{self.stem}.gz"


class Called(Strict):
    """What people call a dataset's items and users."""

    item: NonEmptyText = "item"
    items: NonEmptyText = "items"
    users: NonEmptyText = "users"


class DatasetSettings(Strict):
    """One file in config/datasets/; `id` is its name."""

    id: DatasetId
    title: NonEmptyText = Field(description="the name that its makers gave it")
    reader: NonEmptyText | None = Field(None, description="the adapter that knows its raw format")
    columns: ColumnsSettings | None = Field(
        None, description="in place of reader: which columns of the files become which of ours"
    )
    words: Called = Field(Called(), description="what its items and users are called")
    kind: Literal["http", "huggingface", "kaggle", "gdrive", "manual", "folder"] = Field(
        description="the place; manual: you must fetch the files yourself; folder: one of yours"
    )
    repository: NonEmptyText | None = Field(
        None, description="OWNER/NAME at Hugging Face or Kaggle"
    )
    revision: NonEmptyText | None = Field(
        None, description="Hugging Face: commit; Kaggle: version number; null: the newest"
    )
    folder: NonEmptyText | None = Field(
        None, description="kind folder: where the files lie, from the folder of this file"
    )
    page: NonEmptyText | None = Field(
        None, description="the page to read about it and to get it by hand"
    )
    licence: NonEmptyText = Field(description="what its terms allow, in one sentence")
    login: NonEmptyText | None = Field(
        None, description="what must be done before it can be fetched"
    )
    at_least_mb: int | None = Field(
        None, ge=1, description="MB that the download exceeds, where not every size is stated"
    )
    archives: tuple[Archive, ...] = ()
    files: tuple[RawFile, ...] = Field(
        (), description="the raw files; kind folder may leave them to 'columns'"
    )

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        names = [item.name for item in (*self.files, *self.archives)]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"the file name {name!r} stands twice")
        if (self.kind in ("huggingface", "kaggle")) != (self.repository is not None):
            raise ValueError("'repository' belongs to the kinds huggingface and kaggle, and only")
        if (self.reader is None) == (self.columns is None):
            raise ValueError("either 'reader' or 'columns' is needed, and not both")
        if self.kind != "folder" and self.page is None:
            raise ValueError("the key 'page' is missing; only the kind folder needs none")
        if self.kind != "folder" and self.folder is not None:
            raise ValueError("'folder' belongs to the kind folder, and only to it")
        self._check_files()
        for file in self.files:
            self._check_origin(file)
        for item in (*self.files, *self.archives):
            self._check_address(item)
        return self

    def _check_files(self) -> None:
        if not self.files and not (self.columns and self.kind == "folder"):
            raise ValueError("'files' is missing; only columns of the kind folder need none")
        names = [name for file in self.files for name in file.names]
        for pattern in self.columns.patterns if self.columns and self.files else ():
            if not any(fnmatchcase(name, pattern) for name in names):
                raise ValueError(
                    f"columns: no file of 'files' is called {pattern!r}.{nearest(pattern, names)}"
                )

    def _check_origin(self, file: RawFile) -> None:
        if (file.archive is None) != (file.member is None):
            raise ValueError(f"{file.name}: 'archive' and 'member' need each other")
        if file.archive is not None and file.archive not in [a.name for a in self.archives]:
            raise ValueError(f"{file.name}: no archive is called {file.archive!r}")
        archive = self.archive_of(file)
        is_at_hand = self.kind in ("manual", "folder")
        if not is_at_hand and not file.at and (archive is None or not archive.at):
            raise ValueError(f"{file.name}: 'at', its own or its archive's, must say where it is")

    def _check_address(self, item: Published) -> None:
        if self.kind in ("manual", "folder") and item.at:
            raise ValueError(f"{item.name}: a dataset of the kind {self.kind} has no 'at'")
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


def load_dataset(
    dataset: str, folders: Sequence[Path] = FOLDERS, where: str = ""
) -> DatasetSettings:
    """Return what the file of a dataset says.

    folders: of configuration. where: the key or file that asks, for the error.

    Raises:
        SettingsError: no folder has such a dataset, or its file is wrong.
    """
    path = settings_file("datasets", dataset, folders, where)
    value = load_yaml(path)
    if "id" in value:
        raise SettingsError(f"{path}: unknown key 'id'. The file's name is the dataset's id.")
    if isinstance(value.get("folder"), str):
        value["folder"] = os.path.normpath(path.parent / from_home(value["folder"]))
    return check(DatasetSettings, {"id": dataset, **value}, path)


def load_datasets(folders: Sequence[Path] = FOLDERS) -> dict[str, DatasetSettings]:
    """Return all datasets by id. Raises as load_dataset does."""
    return {name: load_dataset(name, folders) for name in settings_files("datasets", folders)}
