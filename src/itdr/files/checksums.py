"""Files that tell whether they are still as they were written.

Parquet files hold the SHA-256 of all their bytes in the metadata of their footer, JSON files one of
their values under "checksum", CSV files one in a file beside them, lines of JSON a CRC-32. Files
from elsewhere have none and are taken as they are.

Files beside all of them would be one form for all, but two files cannot be replaced at once.
Parquet's own page checksums leave the footer out: of 1,506 bits turned there 631 were not noticed,
and 45 of these changed values.
"""

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from itdr.errors import DataError

_KEY = "itdr.sha256"
_EMPTY = "0" * 64
_BEFORE = _KEY.encode() + b"\x18\x40"
"""The key in a footer, and what Thrift puts before a text of 64 bytes."""
_TAIL = 8  # length of the footer, then PAR1
_BLOCK = 1 << 20
_CHECKSUM = "checksum"
_CRC = "crc32"


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(value: Any) -> str:
    """Return 16 hexadecimal digits that change when the (JSON) value changes."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]


@contextmanager
def parquet_writer(path: Path, schema: pa.Schema, **options: Any) -> Iterator[pq.ParquetWriter]:
    """Yield a writer of a Parquet file that holds its checksum; options: those of ParquetWriter."""
    with pq.ParquetWriter(path, schema, compression="zstd", **options) as writer:
        yield writer
        writer.add_key_value_metadata({_KEY: _EMPTY})
    found, place = _sum(path)
    if place is None:
        raise RuntimeError(f"{path}: the place of the checksum is not in the footer")
    with path.open("r+b") as file:
        file.seek(place)
        file.write(found.encode())


def check_parquet(path: Path) -> None:
    """Read all bytes of a Parquet file and hold them against its checksum.

    Raises:
        DataError: it is damaged or no Parquet file at all.
    """
    try:
        with path.open("rb") as file:
            held = pq.read_metadata(file).metadata or {}
    except PermissionError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:  # names may be no UTF-8
        raise not_parquet(path, error) from error
    if _KEY.encode() not in held:
        return
    found, place = _sum(path)
    if place is None or held[_KEY.encode()] != found.encode():
        raise DataError(
            f"{path}: its bytes do not have the checksum that stands in it ({_KEY}), so it is "
            "damaged, or another program has rewritten it and kept its metadata. Run the stage "
            "that made it again; of a file of your own, write the table without metadata "
            "(table.replace_schema_metadata() of pyarrow)."
        )


def not_parquet(path: Path, why: object) -> DataError:
    """Return the error of a file that should be Parquet: one that is damaged, or another's."""
    with path.open("rb") as file:
        ours = file.read(4) == b"PAR1"
    if not ours:
        return DataError(f"{path}: is no Parquet file ({why}). Name the file that a stage made.")
    return DataError(
        f"{path}: not a whole Parquet file ({why}). Run the stage that made it again, or take a "
        "file of your own anew from where it comes."
    )


def require_different(files: Iterable[Path]) -> None:
    """Make sure that no file is there twice, by its name or by its content.

    Raises:
        DataError: one is, so that its rows would count twice.
    """
    seen: dict[str, Path] = {}
    for path in files:
        if path.is_file() and (first := seen.setdefault(sha256(path), path)) is not path:
            same = "is named twice" if first.samefile(path) else f"holds the same as {first}"
            raise DataError(f"{path}: {same}, so its rows would count twice. Name it once.")


def _sum(path: Path) -> tuple[str, int | None]:
    """Return the SHA-256 of a file with its checksum left empty, and where that stands."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        size = file.seek(-_TAIL, 2) + _TAIL
        footer = int.from_bytes(file.read(4), "little")
        start = max(0, size - _TAIL - footer)
        file.seek(start)
        end = file.read()
        at = end.rfind(_BEFORE)
        file.seek(0)
        left = start
        while block := file.read(min(_BLOCK, left)):
            digest.update(block)
            left -= len(block)
    if at < 0:
        return digest.hexdigest(), None
    at += len(_BEFORE)
    digest.update(end[:at] + _EMPTY.encode() + end[at + len(_EMPTY) :])
    return digest.hexdigest(), start + at


def with_checksum(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON object with a checksum of what is in it."""
    return {**value, _CHECKSUM: fingerprint(json.loads(json.dumps(value)))}


def without_checksum(value: Any) -> Any:
    """Return a JSON value without its checksum, where it has one.

    Raises:
        ValueError: the checksum is that of another value.
    """
    if not isinstance(value, dict) or _CHECKSUM not in value:
        return value
    rest = {name: item for name, item in value.items() if name != _CHECKSUM}
    if fingerprint(rest) != value[_CHECKSUM]:
        raise ValueError("its values do not have the checksum that they were written with")
    return rest


def parse_json(text: str | bytes) -> Any:
    """Return the value of a text of JSON (bytes: UTF-8).

    Raises:
        ValueError: it is not JSON, also where it nests deeper than Python's stack.
    """
    try:
        return json.loads(text if isinstance(text, str) else text.decode("utf-8"))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def checked_line(value: Mapping[str, Any]) -> bytes:
    """Return a JSON object and its CRC-32 as a line that ends with a line feed."""
    text = json.dumps({**value, _CRC: _crc(value)}, separators=(",", ":"))
    return text.encode() + b"\n"


def verified_line(line: bytes) -> dict[str, Any]:
    """Return the JSON object of a line without its CRC-32.

    Raises:
        ValueError, KeyError: the line is not as it was written.
    """
    value = parse_json(line)
    if not isinstance(value, dict):
        raise ValueError("it holds no object")
    if value.pop(_CRC) != _crc(value):
        raise ValueError("its CRC-32 is that of another line")
    return value


def _crc(value: Mapping[str, Any]) -> int:
    return zlib.crc32(json.dumps(value, separators=(",", ":")).encode())


def sidecar(path: Path) -> Path:
    """Return the file that holds the checksum of `path`, in the form of sha256sum."""
    return path.with_name(f"{path.name}.sha256")


def check_sidecar(path: Path) -> None:
    """Hold a file against the checksum beside it, if there is one.

    Raises:
        DataError: the file has another one.
    """
    note = sidecar(path)
    if note.is_file():
        wanted = note.read_text(errors="replace").partition(" ")[0]
        remedy = f"Make it again, or delete {note.name} if you changed the file yourself."
        check_files(path.parent, {path.name: wanted}, remedy)


def check_files(folder: Path, sums: Mapping[str, str], remedy: str) -> None:
    """Hold files of a folder against their SHA-256 by name.

    Raises:
        DataError: one is not there or has another checksum.
    """
    for name, wanted in sums.items():
        path = folder / name
        if not path.is_file():
            raise DataError(f"{path}: no such file, though its folder says so. {remedy}")
        if sha256(path) != wanted:
            raise DataError(
                f"{path}: damaged: it does not have the checksum that it was written with. {remedy}"
            )
