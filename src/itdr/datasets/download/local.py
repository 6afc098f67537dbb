"""Finding raw files, or the archives that hold them, in a folder of yours."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from itdr.errors import DataError
from itdr.settings.dataset import Archive, RawFile


@dataclass(frozen=True)
class Listing:
    """The visible files at any depth below a folder."""

    folder: Path
    files: tuple[Path, ...]


def list_folder(folder: Path, besides: Path | None = None) -> Listing:
    """Return the files below a folder but not below `besides`; symbolic links are followed."""
    files: list[Path] = []
    seen: set[str] = set()
    unwanted = os.path.realpath(besides) if besides else None
    for root, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(root)
        if real in seen or real == unwanted:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        files += [Path(root, name) for name in sorted(names) if not name.startswith(".")]
    return Listing(folder, tuple(path for path in files if path.is_file()))


def find_file(listing: Listing, file: RawFile) -> Path | None:
    """Return where a raw file lies, plain or compressed by gzip, or None.

    Of several, one whose path ends as in the archive is preferred, then the one nearest to the
    folder, then the plain one.

    Raises:
        DataError: two are equally good.
    """
    return _best(listing, file.names, file.member)


def find_archive(listing: Listing, archive: Archive) -> Path | None:
    """Return where an archive lies under one of its names, or None. Raises as find_file does."""
    return _best(listing, (archive.name, *archive.also), None)


def _best(listing: Listing, names: Sequence[str], member: str | None) -> Path | None:
    def rank(path: Path) -> tuple[bool, int, int]:
        inside = path.relative_to(listing.folder)
        plain = inside.as_posix().removesuffix(".gz")
        as_packed = member is not None and f"/{plain}".endswith(f"/{member.removesuffix('.gz')}")
        return not as_packed, len(inside.parts), names.index(path.name)

    found = sorted((path for path in listing.files if path.name in names), key=rank)
    if len(found) > 1 and rank(found[0]) == rank(found[1]):
        raise DataError(
            f"{listing.folder}: which {names[0]} is meant? {_shown(found)}. "
            "Name a folder that holds only one of them."
        )
    return found[0] if found else None


def _shown(paths: Iterable[Path]) -> str:
    return " or ".join(str(path) for path in paths)
