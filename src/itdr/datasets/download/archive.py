"""Taking named files out of an archive that somebody else packed."""

import stat
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Literal, Protocol, Self, cast

from itdr.datasets.download.decompression import BoundedGzip, check_ratio, readable
from itdr.datasets.download.parts import room_for
from itdr.errors import DataError

_BLOCK = 1 << 20
_LONGEST_HEADER = 1 << 20
"""Bytes of a header that holds a long name or other facts on an entry; real ones have hundreds."""
_EXTENDING = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME,
              tarfile.GNUTYPE_LONGLINK)  # fmt: skip


class _Source(Protocol):
    def read(self, size: int, /) -> bytes: ...


def extract(archive: Path, wanted: Mapping[str, Path]) -> list[str]:
    """Write members of a zip, tar, tar.gz or gz archive to files; return the members not found.

    Args:
        archive: the archive; its content, not its name, tells its form.
        wanted: member (its path, or the end of it) to the file that it is written to. A gz file
            holds a single member, whatever it is called.

    Raises:
        DataError: the archive is damaged, a wanted member would climb out of a folder, is no
            plain file, stands twice, or is larger than it says or than can be true.
        DiskFullError: there is no room for a member.
    """
    try:
        with readable(archive):
            if zipfile.is_zipfile(archive):
                return _from_zip(archive, wanted)
            if _is_tar(archive):
                return _from_tar(archive, wanted)
            return _from_gzip(archive, wanted)
    except BaseException:
        for target in wanted.values():
            target.unlink(missing_ok=True)
        raise


def _from_zip(path: Path, wanted: Mapping[str, Path]) -> list[str]:
    missing = dict(wanted)
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            member = match_member(path, info.filename, wanted, missing)
            if member is None:
                continue
            kind = stat.S_IFMT(info.external_attr >> 16)
            if info.is_dir() or kind not in (0, stat.S_IFREG):
                raise DataError(f"{path}: {info.filename!r} is no plain file. {REFUSED}")
            if why := unreadable(info):
                raise DataError(f"{path}: {info.filename!r} is {why}. Unpack it by hand.")
            check_ratio(path, info.filename, info.file_size, info.compress_size)
            with archive.open(info) as source:
                _copy(path, source, missing.pop(member), info.file_size)
    return list(missing)


def _from_tar(path: Path, wanted: Mapping[str, Path]) -> list[str]:
    missing, packed = dict(wanted), path.stat().st_size
    with _unzipped(path) as stream, open_tar(stream, "r|") as archive:
        for info in archive:
            archive.members.clear()  # type: ignore[attr-defined]  # or millions would stay in memory
            # Before its content is passed over, which for a false size would take for ever.
            check_ratio(path, info.name, info.size, packed)
            member = match_member(path, info.name, wanted, missing)
            if member is None:
                continue
            source = archive.extractfile(info) if info.isreg() else None
            if source is None:
                raise DataError(f"{path}: {info.name!r} is no plain file. {REFUSED}")
            _copy(path, source, missing.pop(member), info.size)
        # Read on, for the checksum of a gzip file stands at its end.
        while stream.read(_BLOCK):
            pass
    return list(missing)


def unreadable(info: zipfile.ZipInfo) -> str | None:
    """Return why an entry of a zip archive is not read, or None.

    LZMA lets an entry of some bytes ask for gigabytes of memory.
    """
    if info.flag_bits & 1:
        return "encrypted"
    known = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
    return None if info.compress_type in known else "compressed in a way that is not read here"


class _BoundedInfo(tarfile.TarInfo):
    """An entry of a tar archive whose headers are short enough to be held in memory."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Return the entry that a header describes.

        Raises:
            tarfile.ReadError: a header for long names and other facts follows, and is too long.
        """
        info = super().frombuf(buf, encoding, errors)
        if info.type in _EXTENDING and info.size > _LONGEST_HEADER:
            raise tarfile.ReadError(
                f"a header of {info.size:,} bytes; allowed are {_LONGEST_HEADER:,}"
            )
        return info


def open_tar(stream: IO[bytes], mode: Literal["r|", "r:"]) -> tarfile.TarFile:
    """Return an archive whose headers are bounded before they are read."""
    return tarfile.open(fileobj=stream, mode=mode, tarinfo=_BoundedInfo)


def _is_tar(path: Path) -> bool:
    """Say whether a file, unpacked if gzip has packed it, begins as a tar archive does."""
    with _unzipped(path) as stream:
        first = stream.read(tarfile.BLOCKSIZE)
    try:
        tarfile.TarInfo.frombuf(first, tarfile.ENCODING, "surrogateescape")
    except tarfile.HeaderError:
        return len(first) == tarfile.BLOCKSIZE and not any(first)  # an archive without entries
    return True


@contextmanager
def _unzipped(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as file:
        yield unzipped(path, file)


def unzipped(path: Path, raw: IO[bytes]) -> IO[bytes]:
    """Return the content of the file at `path`, open as `raw`, unpacked if gzip has packed it."""
    raw.seek(0)
    packed = raw.read(2) == b"\x1f\x8b"
    raw.seek(0)
    return cast(IO[bytes], BoundedGzip(path, raw)) if packed else raw


def _from_gzip(path: Path, wanted: Mapping[str, Path]) -> list[str]:
    (target, *others) = wanted.values()
    with path.open("rb") as file:
        _copy(path, BoundedGzip(path, file), target, None)
    return list(wanted)[1:] if others else []


REFUSED = "Only plain files are taken out of archives; get it from its publisher."


def match_member(
    path: Path, name: str, wanted: Mapping[str, Path], missing: Mapping[str, Path]
) -> str | None:
    """Return which wanted member an archive's entry is, or None."""
    name = name.replace("\\", "/")
    member = next((m for m in wanted if name == m or name.endswith(f"/{m}")), None)
    if member is None:
        return None
    if name.startswith("/") or ".." in PurePosixPath(name).parts:
        raise DataError(f"{path}: the entry {name!r} climbs out of its folder. {REFUSED}")
    if member not in missing:
        raise DataError(f"{path}: {member!r} stands twice. Unpack the right one by hand.")
    return member


def _copy(path: Path, source: _Source, target: Path, size: int | None) -> None:
    """Write a member, which must have `size` bytes if that is known."""
    written = 0
    with room_for(target, size), target.open("wb") as file:
        while block := source.read(_BLOCK):
            written += len(block)
            if size is not None and written > size:
                raise DataError(
                    f"{path}: {target.name} grows beyond {size:,} bytes, more than its archive "
                    "says. Get it from its publisher."
                )
            file.write(block)
    if size is not None and written != size:
        raise DataError(f"{path}: truncated; {written:,} of {size:,} bytes. Fetch it again.")
