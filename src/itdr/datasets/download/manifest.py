"""The manifest of a raw folder, written last: where there is one, the folder is complete."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from itdr.datasets.download.checks import Sums, file_sums, is_published
from itdr.errors import DataError, ItdrError
from itdr.files.checksums import check_files
from itdr.files.formats import read_json, read_json_object, write_checked_json
from itdr.settings.dataset import DatasetSettings, RawFile
from itdr.vocabulary import Origin

NAME = "manifest.json"

SIMULATION = "simulation.json"
"""What `itdr simulate` writes beside its files: the sizes and the seed of its world."""


@dataclass(frozen=True)
class Entry:
    """One file of a raw folder."""

    name: str
    origin: str
    """The address, or the path of the local file, that it came from."""
    bytes: int
    sha256: str
    published: bool | None
    """Whether its checksum is the published one; None when that is not known."""


def entry(file: RawFile, path: Path, origin: str, sums: Sums) -> Entry:
    """Return the entry of the file that lies at `path`."""
    published = is_published(file, sums) if path.name == file.name else None
    return Entry(path.name, origin, sums.bytes, sums.sha256, published)


def origin_of(folder: Path) -> Origin | None:
    """Return where the files below a folder come from; None where its manifest does not say."""
    note = folder / NAME
    if note.is_file():
        known = read_json_object(note).get("data")
        return Origin(known) if known in list(Origin) else None
    return Origin.SIMULATED if any(folder.rglob(SIMULATION)) else Origin.REAL


def write(
    out: Path, dataset: DatasetSettings, entries: Iterable[Entry], data: Origin | None
) -> None:
    """Mark the folder `out` as complete; data: where its files come from, if that is known."""
    files = [asdict(item) for item in sorted(entries, key=lambda item: item.name)]
    write_checked_json(
        out / NAME,
        {"dataset": str(dataset.id), "revision": dataset.revision, "data": data, "files": files},
    )


def check_folder(folder: Path) -> None:
    """Hold the files of a raw folder against its manifest, if it has one.

    Raises:
        DataError: a file or the manifest is damaged, or was changed since it was fetched.
    """
    note = folder / NAME
    if not note.is_file():
        return
    try:
        sums = {item["name"]: item["sha256"] for item in read_json(note)["files"]}
    except (KeyError, TypeError) as error:
        raise DataError(
            f"{note}: not a manifest of 'itdr fetch'. Fetch the files again."
        ) from error
    check_files(folder, sums, f"Delete {note} and fetch the files again.")


def unchanged(out: Path, dataset: DatasetSettings) -> dict[str, Entry]:
    """Return, by RawFile.name, the entries whose files in `out` are still as the manifest says.

    {} where there is no usable manifest of this dataset and revision.
    """
    try:
        value = read_json(out / NAME)
        if value["dataset"] != dataset.id or value["revision"] != dataset.revision:
            return {}
        entries = {item["name"]: Entry(**item) for item in value["files"]}
    except (ItdrError, KeyError, TypeError):
        return {}
    found = {}
    for file in dataset.files:
        known = next((entries[name] for name in file.names if name in entries), None)
        if known is not None and _is_same(out / known.name, known):
            found[file.name] = known
    return found


def _is_same(path: Path, known: Entry) -> bool:
    if not path.is_file() or path.stat().st_size != known.bytes:
        return False
    return file_sums(path).sha256 == known.sha256
