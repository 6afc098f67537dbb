"""Reading files inside zip and tar archives as streams, without unpacking them to disk."""

import io
import stat
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, cast

from itdr.datasets.download.archive import REFUSED, match_member, open_tar, unreadable, unzipped
from itdr.datasets.download.decompression import check_ratio, readable
from itdr.errors import DataError

ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz")
"""How the names of archives end."""


@dataclass(frozen=True)
class _Entry:
    """An entry of an archive: its name, sizes in bytes, and what keeps it from being read."""

    name: str
    size: int
    packed: int
    problem: str | None


def find_members(archive: Path, names: tuple[str, ...]) -> list[str]:
    """Return the entries of an archive that have one of the names, in any folder of it.

    Raises:
        DataError: the archive is damaged, or an entry climbs out of its folder, is no plain file,
            is encrypted, stands twice, or is larger than can be true.
    """
    wanted = dict.fromkeys(names, archive)
    missing = dict(wanted)
    found = []
    for entry in _entries(archive, archive.stat().st_mtime_ns):
        member = match_member(archive, entry.name, wanted, missing)
        if member is None:
            continue
        if entry.problem:
            raise DataError(f"{archive}: {entry.name!r} {entry.problem}")
        check_ratio(archive, entry.name, entry.size, entry.packed)
        del missing[member]
        found.append(entry.name)
    return found


def open_member(archive: Path, raw: IO[bytes], member: str) -> IO[bytes]:
    """Return the stream of an entry of the archive, of which `raw` is the open file."""
    with readable(archive):
        if zipfile.is_zipfile(raw):
            return zipfile.ZipFile(raw).open(member)
        stream = unzipped(archive, raw)
        entries = open_tar(stream, "r:")
        info = next(info for info in entries if info.name == member)
        return cast(IO[bytes], entries.extractfile(info))


@lru_cache
def _entries(archive: Path, _modified: int) -> tuple[_Entry, ...]:
    """Return all entries of an archive; listing a tar.gz takes reading it to its end."""
    with readable(archive), archive.open("rb") as raw:
        if zipfile.is_zipfile(raw):
            return tuple(map(_zip_entry, zipfile.ZipFile(raw).infolist()))
        packed = archive.stat().st_size
        stream = unzipped(archive, raw)
        with open_tar(stream, "r:") as entries:
            found = []
            for info in entries:
                # Before its content is passed over, which for a false size would take for ever.
                check_ratio(archive, info.name, info.size, packed)
                problem = None if info.isreg() else f"is no plain file. {REFUSED}"
                found.append(_Entry(info.name, info.size, packed, problem))
            # The checksum of a gzip file stands at its end.
            while stream.read(io.DEFAULT_BUFFER_SIZE):
                pass
        return tuple(found)


def _zip_entry(info: zipfile.ZipInfo) -> _Entry:
    problem = None
    if info.is_dir() or stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        problem = f"is no plain file. {REFUSED}"
    elif why := unreadable(info):
        problem = f"is {why}. Unpack it by hand."
    return _Entry(info.filename, info.file_size, info.compress_size, problem)
