"""Which file of the release holds what: release_manifest.csv in the folder of a paper.

The authors' file names are irregular (a dataset is "ml-32m", "Ml-32m" or "Amazon_book_review", a
part "val" or "val2"), so the table says for each what it is.
"""

from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from itdr.errors import DataError, SettingsError
from itdr.settings.dataset import Published, Sha256
from itdr.settings.ids import DatasetId, TaskId
from itdr.settings.reading import Strict, check, read_csv
from itdr.vocabulary import Part

_EVERYTHING = "all"
_OUR_NAMES = {"Beauty": "All_Beauty", "Fashion": "Amazon_Fashion"}


def _inside(path: str) -> str:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or pure.suffix != ".json":
        raise ValueError("a path inside the release that ends in .json is needed")
    return path


def _our_name(domain: str) -> str | None:
    """Return an Amazon domain by the name that the tables have."""
    ours = _OUR_NAMES.get(domain, domain)
    return ours or None


class ReleasedFile(Strict):
    """One file of the release: a part of the examples of one task and dataset (and domain)."""

    path: Annotated[str, AfterValidator(_inside)] = Field(description="its path in the release")
    part: Part
    task: TaskId
    dataset: DatasetId
    domain: Annotated[str | None, BeforeValidator(_our_name)] = None
    sha256: Sha256
    bytes: int = Field(ge=1)

    @property
    def name(self) -> str:
        """The regular name that it gets here."""
        return f"{self.domain}.{self.part}.json" if self.domain else f"{self.part}.json"

    @property
    def published(self) -> Published:
        """What is known of it before it is there."""
        return Published(name=self.name, sha256=self.sha256, bytes=self.bytes)


def files_of(manifest: Path, task: str, dataset: str) -> list[ReleasedFile]:
    """Return the files of a task and dataset in the manifest's order.

    Raises:
        MissingFileError: there is no such manifest.
        DataError: a line of it is wrong.
        SettingsError: the release has no such task and dataset.
    """
    files = load_manifest(manifest)
    found = [file for file in files if (file.task, file.dataset) == (task, dataset)]
    if not found:
        pairs = sorted({f"{file.task}/{file.dataset}" for file in files})
        raise SettingsError(
            f"{manifest}: the release has no {task}/{dataset}. It has {', '.join(pairs)}."
        )
    return found


def load_manifest(path: Path) -> list[ReleasedFile]:
    """Return all files of single tasks and datasets; those that repeat all of them are left out.

    Raises:
        MissingFileError: there is no such file.
        DataError: a line of it is wrong.
    """
    try:
        _, rows = read_csv(path)
    except SettingsError as error:
        raise DataError(str(error)) from error
    files = [
        _file(row, f"{path}: line {number}")
        for number, row in rows
        if row.get("task") != _EVERYTHING
    ]
    names = [(file.task, file.dataset, file.name) for file in files]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise DataError(f"{path}: two files are {'/'.join(twice[:2])}, {twice[2]}.")
    return files


def _file(row: dict[str, str], where: str) -> ReleasedFile:
    try:
        values = {
            "path": row["path"],
            "part": Part(row["split"]),
            "task": row["task"],
            "dataset": row["dataset"],
            "domain": row["domain"],
            "sha256": row["sha256"],
            "bytes": int(row["bytes"]),
        }
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{where}: {error}. Needed: path, split, task, dataset, domain, sha256, bytes."
        ) from error
    try:
        return check(ReleasedFile, values, where)
    except SettingsError as error:
        raise DataError(str(error)) from error
