"""Finding raw files, and refusing what only looks like one."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from itdr.datasets.download.decompression import BoundedGzip, readable
from itdr.datasets.readers.archive_stream import ENDINGS, find_members, open_member
from itdr.errors import DataError, MissingFileError

_LFS_POINTER = b"version https://git-lfs"


@dataclass(frozen=True)
class RawFile:
    """A raw file: a file, or the entry `member` of an archive."""

    path: Path
    member: str | None = None

    def __str__(self) -> str:
        """Return its path, an archive standing like a folder."""
        return f"{self.path}/{self.member}" if self.member else str(self.path)

    def below(self, folder: Path) -> str:
        """Return its path below a folder."""
        return str(RawFile(self.path.relative_to(folder), self.member))

    @contextmanager
    def opened(self) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
        """Yield the unpacked content, and the file on disk whose position says how far it is.

        Raises:
            DataError: what is read turns out to be cut off or damaged.
        """
        with self.path.open("rb", buffering=0) as file:
            raw = cast(IO[bytes], file)
            stream = open_member(self.path, raw, self.member) if self.member else raw
            if str(self).endswith(".gz"):
                stream = cast(IO[bytes], BoundedGzip(self.path, stream))
            with readable(self) if stream is not raw else nullcontext():
                yield stream, raw


def find_file(
    dataset: str, raw: Path, name: str, required: bool = True, also: tuple[str, ...] = ()
) -> RawFile | None:
    """Return the file `name` at any depth below `raw`; None if not there.

    It may be compressed as `name`.gz or lie inside an archive (zip, tar, tar.gz). Archives are only
    looked into where there is no such file beside them.

    also: other names under which people keep the file.

    Raises:
        MissingFileError: it is required and not there.
        DataError: there are two, it is a Git LFS pointer or a web page, or an archive is damaged.
    """
    if not raw.is_dir():
        raise MissingFileError(
            f"{raw}: no such folder. Run 'itdr fetch {dataset} --out {raw}' first."
        )
    names = tuple(n + ending for n in (name, *also) for ending in ("", ".gz"))
    files = sorted(path for path in raw.rglob("*") if path.is_file())
    found = [RawFile(path) for path in files if path.name in names]
    if not found:
        found = _inside_archives(dataset, files, names)
    if len(found) > 1:
        raise DataError(
            f"{raw}: {len(found)} files could be {name}: {', '.join(map(str, found))}. "
            f"Keep one of them, or name its own folder."
        )
    if found:
        refuse_stand_in(found[0], dataset)
        return found[0]
    if required:
        raise MissingFileError(
            f"{raw}: no {name} (or {name}.gz, or an archive with it) in this folder or below, "
            f"which {dataset} needs. Get it with 'itdr fetch {dataset} --out {raw}'."
        )
    return None


def _inside_archives(dataset: str, files: list[Path], names: tuple[str, ...]) -> list[RawFile]:
    found = []
    for path in files:
        if path.name.endswith(ENDINGS):
            refuse_stand_in(RawFile(path), dataset)
            found += [RawFile(path, member) for member in find_members(path, names)]
    return found


def refuse_stand_in(file: RawFile, dataset: str) -> None:
    """Raise DataError if a file is a Git LFS pointer or a web page."""
    with file.opened() as (stream, raw):
        head = (stream if file.member else raw).read(512).lstrip().lower()
    if head.startswith(_LFS_POINTER):
        kind = "a Git LFS pointer"
    elif head.startswith((b"<!doctype html", b"<html")):
        kind = "a web page"
    else:
        return
    raise DataError(f"{file}: is {kind}, not the data. Get it with 'itdr fetch {dataset}'.")
