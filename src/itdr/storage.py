"""Writing that is whole or absent, reading that names the bad file, and checksums."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from itdr.errors import DataError, MissingFileError


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to, which replaces `path` when the block ends well.

    Whatever ends the process, `path` is the old file or the whole new one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    part = Path(name)
    try:
        yield part
        _sync(part)
        part.chmod(0o666 & ~_umask())
        part.replace(path)
        _sync(path.parent)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder that takes the place of the folder `path` when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
    try:
        yield part
        for file in sorted(part.rglob("*")):
            if file.is_file():
                _sync(file)
        part.chmod(0o777 & ~_umask())
        if path.exists():
            shutil.rmtree(path)
        part.replace(path)
        _sync(path.parent)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with line feeds as they are in `text`."""
    with atomic_file(path) as part:
        part.write_text(text, encoding="utf-8", newline="")


def write_json(path: Path, value: Any) -> None:
    """Write indented JSON whose bytes depend on the value alone."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Return the value of a JSON file.

    Raises:
        MissingFileError: there is no such file.
        DataError: it is not JSON.
    """
    _require(path)
    try:
        return parse_json(path.read_bytes())
    except ValueError as error:
        raise DataError(f"{path}: not a JSON file ({error}). Make it again.") from error


def read_json_object(path: Path) -> dict[str, Any]:
    """Return the object that a JSON file holds. Raises as read_json, DataError for other values."""
    value = read_json(path)
    if not isinstance(value, dict):
        raise DataError(f"{path}: holds a {type(value).__name__}, not an object. Make it again.")
    return value


def parse_json(text: str | bytes) -> Any:
    """Return the value of a text of JSON (bytes: UTF-8).

    Raises:
        ValueError: it is not JSON, also where it nests deeper than Python's stack.
    """
    try:
        return json.loads(text if isinstance(text, str) else text.decode("utf-8"))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def write_parquet(path: Path, table: pa.Table) -> None:
    """Write a Parquet file whose bytes depend on the table and the pyarrow version alone."""
    with atomic_file(path) as part:
        pq.write_table(table, part, compression="zstd")


def write_jsonl(path: Path, table: pa.Table) -> None:
    """Write a table as JSON lines: one object a row, its keys the columns, null where none is."""
    with atomic_file(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        for row in table.to_pylist():
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def read_parquet(path: Path, schema: pa.Schema) -> pa.Table:
    """Return the columns of `schema` from a Parquet file, in that order.

    Raises:
        MissingFileError: there is no such file.
        DataError: it is not Parquet, or a column is missing or has another type.
    """
    _require(path)
    try:
        table = pq.read_table(path)
        # Arrow takes the bytes of texts on trust, and Python stumbles over them later.
        table.validate(full=True)
        names = table.column_names
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(
            f"{path}: not a whole Parquet file ({error}). Delete it and make it again."
        ) from error
    missing = [name for name in schema.names if name not in names]
    if missing:
        raise DataError(
            f"{path}: no column {missing[0]!r}; found {', '.join(names)}; "
            f"needed {', '.join(schema.names)}."
        )
    try:
        return table.select(schema.names).cast(schema)
    except (pa.ArrowException, ValueError) as error:
        raise DataError(f"{path}: {error}. Needed columns:\n{schema}") from error


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(value: Any) -> str:
    """Return 16 hexadecimal digits that change when the (JSON) value changes."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _require(path: Path) -> None:
    if not path.is_file():
        raise MissingFileError(f"{path}: no such file. Run the stage that makes it first.")


def _sync(path: Path) -> None:
    """Make sure that what was written lies on the disk before it gets its final name."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
