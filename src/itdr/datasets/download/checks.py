"""Is a file what it should be? Sizes, checksums, and things that pass for data but are none."""

import hashlib
import re
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from itdr.datasets.download.decompression import BoundedGzip, readable
from itdr.settings.dataset import Published

_BLOCK = 1 << 20
_HEAD = 1024
_LFS = b"version https://git-lfs"
_HTML = re.compile(rb"(<!--.*?-->\s*)*<(!doctype\s+html|html|head|body)\b", re.I | re.S)
_XML_ERROR = re.compile(rb"<\?xml[^>]*>\s*<error\b", re.I)
_GZIP = b"\x1f\x8b"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")


@dataclass(frozen=True)
class Sums:
    """Size in bytes and checksums of a file."""

    bytes: int
    md5: str
    sha256: str


def file_sums(path: Path) -> Sums:
    """Return size and checksums of a file in one reading."""
    md5, sha256, size = hashlib.md5(usedforsecurity=False), hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            md5.update(block)
            sha256.update(block)
            size += len(block)
    return Sums(size, md5.hexdigest(), sha256.hexdigest())


def difference(known: Published, found: Sums) -> str | None:
    """Return what differs from the published size and checksums, or None."""
    for what in ("bytes", "sha256", "md5"):
        wanted, got = getattr(known, what), getattr(found, what)
        if wanted is not None and wanted != got:
            return f"its {what} is {got}, {wanted} is published"
    return None


def is_published(known: Published, found: Sums) -> bool | None:
    """Say whether the file is the published one; None when no checksum is known."""
    if known.md5 is None and known.sha256 is None:
        return None
    return difference(known, found) is None


def head_problem(head: bytes) -> str | None:
    """Return what a file that begins with these bytes is instead of data, or None."""
    if not head:
        return "is empty"
    text = head[:_HEAD].removeprefix(b"\xef\xbb\xbf").lstrip()
    if is_pointer(text):
        return "is a Git LFS pointer, not the file that it stands for"
    if _HTML.match(text):
        return "is an HTML page, not data (a login, terms or error page?)"
    if _XML_ERROR.match(text):
        return "is an error message in XML, not data"
    return None


def is_pointer(head: bytes) -> bool:
    """Say whether a file that begins with these bytes is a Git LFS pointer."""
    return head.startswith(_LFS)


def problem(path: Path, name: str) -> str | None:
    """Return what is wrong with a file, judged by its content and by the name it should have.

    Compressed files are read to their end, so that a truncated one is found here and not in the
    middle of a later stage.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    found = head_problem(head)
    if found is not None:
        return found
    with readable(path):
        if name.endswith(".zip"):
            whole = head.startswith(_ZIP) and zipfile.is_zipfile(path)
            return None if whole else "is no whole zip archive (truncated?)"
        if name.endswith((".gz", ".tgz")):
            return _gzip_problem(path, head)
        if name.endswith(".tar"):
            # Yelp calls a gzip-compressed archive yelp_dataset.tar.
            return None if tarfile.is_tarfile(path) else "is no tar archive (truncated?)"
    return "is compressed by gzip though its name lacks .gz" if head.startswith(_GZIP) else None


def is_zip(path: Path) -> bool:
    """Say whether a file begins as a zip archive does."""
    with path.open("rb") as file:
        return file.read(4).startswith(_ZIP)


def _gzip_problem(path: Path, head: bytes) -> str | None:
    if not head.startswith(_GZIP):
        return "is not compressed by gzip though its name says so"
    try:
        with path.open("rb") as file:
            stream = BoundedGzip(path, file)
            while stream.read(_BLOCK):
                pass
    except (EOFError, OSError, zlib.error) as error:
        return f"is a truncated or damaged gzip file ({error})"
    return None
