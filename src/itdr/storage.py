"""Writing that is whole or absent, and reading that names the bad file."""

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from itdr.errors import DataError, DiskFullError, MissingFileError
from itdr.locks import same_file, try_lock
from itdr.seals import (
    beside,
    check_parquet,
    fingerprint,
    opened,
    parquet_writer,
    parse_json,
    sealed,
    sha256,
)

__all__ = ["fingerprint", "sha256"]

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_LOCK = ".lock"
_OLD = ".old.part"
_CONTENTS = ".contents.json"
_OTHERS = {_CONTENTS, _LOCK, ".snakemake_timestamp"}
"""Files in a finished folder that are not its contents; Snakemake adds the last of them."""


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to, which replaces `path` when the block ends well.

    Whatever ends the process, `path` is the old file or the whole new one. What a killed process
    left half-written beside it is cleared away.

    Raises:
        DataError: `path` is something else than a file: a folder, a link or a device.
        DiskFullError: there is no room for it.
    """
    require_file_place(path)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _clear_abandoned(path)
        handle, part = _begin(path)
        try:
            yield part
            _sync(part)
            part.chmod(0o666 & ~_umask())
            part.replace(path)
            _sync(path.parent)
        finally:
            part.unlink(missing_ok=True)
            os.close(handle)


@contextmanager
def atomic_folder(path: Path, made_by: str) -> Iterator[Path]:
    """Yield an empty folder that takes the place of the folder `path` when the block ends well.

    At no time is there a folder `path` that is not whole. Clears away as atomic_file.

    Args:
        path: the folder. One that is there already is replaced if the same command made it and
            nothing else has been put into it.
        made_by: name of the command.

    Raises:
        DataError: `path` is no folder, or one that may not be replaced.
        DiskFullError: there is no room for it.
    """
    require_folder_place(path, made_by)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _clear_abandoned(path)
        part = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
        handle = os.open(part / _LOCK, os.O_RDWR | os.O_CREAT)
        try_lock(handle)
        try:
            yield part
            (part / _LOCK).unlink()
            contents = {"made_by": made_by, "files": _files_in(part)}
            (part / _CONTENTS).write_text(json.dumps(contents, indent=2) + "\n")
            for name in (_CONTENTS, *contents["files"]):
                _sync(part / name)
            part.chmod(0o777 & ~_umask())
            require_folder_place(path, made_by)
            _replace_folder(part, path)
            _sync(path.parent)
        except DiskFullError as error:
            raise DiskFullError(str(error).replace(str(part), str(path))) from error
        finally:
            shutil.rmtree(part, ignore_errors=True)
            os.close(handle)


def require_file_place(path: Path) -> None:
    """Make sure that a file may be written to `path`.

    Raises:
        DataError: it is something else than a file.
    """
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise DataError(
            f"{path}: is {_kind(path)}; a file is to be written there. Nothing was changed. Name "
            "another place, or take it away first."
        )


def require_folder_place(path: Path, made_by: str) -> None:
    """Make sure that a command may put its output in the place of the folder `path`.

    It may if nothing is there, or an empty folder, or what the same command made and nobody has
    added to.

    Raises:
        DataError: anything else is there.
    """
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise DataError(
            f"{path}: is {_kind(path)}; a folder is to be written there. Nothing was changed. Name "
            "another place, or take it away first."
        )
    found = _files_in(path)
    known = _contents(path) if _CONTENTS in found else {}
    foreign = sorted(set(found) - set(known.get("files", ())) - _OTHERS)
    if not foreign and (not known or known.get("made_by") == made_by):
        return
    holds = f"holds {foreign[0]!r}" if foreign else f"is the output of 'itdr {known['made_by']}'"
    more = f" and {len(foreign) - 1} more files" if len(foreign) > 1 else ""
    raise DataError(
        f"{path}: {holds}{more}, which 'itdr {made_by}' did not make, so the folder is not "
        "replaced. Nothing was changed. Name another folder, or take that away first."
    )


def _contents(folder: Path) -> dict[str, Any]:
    """Return what a folder says of its own files; nothing if that cannot be read."""
    with suppress(ValueError, OSError):
        value = json.loads((folder / _CONTENTS).read_bytes())
        if isinstance(value, dict) and isinstance(value.get("files"), list):
            return value
    return {}


def _files_in(folder: Path) -> list[str]:
    """Return the paths of all that is not a folder, links to folders among it."""
    return sorted(
        (Path(above) / name).relative_to(folder).as_posix()
        for above, folders, files in os.walk(folder)
        for name in (*files, *(f for f in folders if (Path(above) / f).is_symlink()))
    )


def _kind(path: Path) -> str:
    if path.is_symlink():
        return f"a link to {str(path.readlink())!r}"
    return "a folder" if path.is_dir() else "a file" if path.is_file() else "a device"


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Name `path` in the error of whatever fails to write it.

    Raises:
        DiskFullError: the disk, the quota or the largest file size allowed is exhausted. Libraries
            say so in errors of their own.
    """
    try:
        yield
    except Exception as error:
        why = full_disk(error)
        if why and not isinstance(error, DiskFullError):
            raise DiskFullError(
                f"{path}: the disk is full or a quota is reached ({why}). Nothing half-written was "
                "left. Make room, then run it again."
            ) from error
        if isinstance(error, OSError):
            name = Path(error.filename).name if isinstance(error.filename, str) else ""
            if not name or name.startswith(f".{path.name}."):
                error.filename = str(path)
        raise


def full_disk(error: BaseException) -> str | None:
    """Return how the system says that there is no room if that is what an error is about."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return os.strerror(error.errno)
    text = str(error)
    return next((os.strerror(code) for code in _FULL if os.strerror(code) in text), None)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with line feeds as they are in `text`."""
    with atomic_file(path) as part:
        part.write_text(text, encoding="utf-8", newline="")


def write_json(path: Path, value: Any) -> None:
    """Write indented JSON whose bytes depend on the value alone."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_sealed_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write an object as write_json does, with a checksum that read_json holds it against."""
    write_json(path, sealed(value))


def read_json(path: Path) -> Any:
    """Return the value of a JSON file, without the checksum of write_sealed_json.

    Raises:
        MissingFileError: there is no such file.
        DataError: it is not JSON or damaged.
    """
    _require(path)
    try:
        return opened(parse_json(path.read_bytes()))
    except ValueError as error:
        raise DataError(f"{path}: not a JSON file or damaged ({error}). Make it again.") from error


def read_json_object(path: Path) -> dict[str, Any]:
    """Return the object that a JSON file holds. Raises as read_json, DataError for other values."""
    value = read_json(path)
    if not isinstance(value, dict):
        raise DataError(f"{path}: holds a {type(value).__name__}, not an object. Make it again.")
    return value


def write_parquet(path: Path, table: pa.Table) -> None:
    """Write a Parquet file with a checksum; its bytes depend on the table and pyarrow alone."""
    with atomic_file(path) as part, parquet_writer(part, table.schema) as writer:
        writer.write_table(table)


def write_jsonl(path: Path, table: pa.Table) -> None:
    """Write a table as JSON lines: one object a row, its keys the columns, null where none is."""
    with atomic_file(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        for row in table.to_pylist():
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def write_checksum(path: Path) -> None:
    """Write the checksum of a file beside it, for check_beside."""
    write_text(beside(path), f"{sha256(path)}  {path.name}\n")


def read_parquet(path: Path, schema: pa.Schema) -> pa.Table:
    """Return the columns of `schema` from a Parquet file, in that order.

    Raises:
        MissingFileError: there is no such file.
        DataError: it is not Parquet or damaged, or a column is missing or has another type.
    """
    _require(path)
    check_parquet(path)
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


def _begin(path: Path) -> tuple[int, Path]:
    """Return a new hidden file beside `path`, open and locked as long as it is open."""
    while True:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        if try_lock(handle) and same_file(handle, Path(name)):
            return handle, Path(name)
        os.close(handle)  # another process took it for abandoned


def _clear_abandoned(path: Path) -> None:
    """Delete hidden files and folders for `path` that no process writes to any more."""
    for part in path.parent.glob(f".{escape(path.name)}.*.part"):
        if part.name.endswith(_OLD):
            shutil.rmtree(part, ignore_errors=True)
            continue
        with suppress(OSError):
            handle = os.open(part / _LOCK if part.is_dir() else part, os.O_RDWR)
            try:
                if try_lock(handle):
                    shutil.rmtree(part) if part.is_dir() else part.unlink()
            finally:
                os.close(handle)


def _replace_folder(part: Path, path: Path) -> None:
    """Put the folder `part` in the place of `path`, the old one going as a whole."""
    old = part.with_name(part.name.removesuffix(".part") + _OLD)
    while True:
        with suppress(FileNotFoundError):
            path.rename(old)
        try:
            part.rename(path)
            break
        except OSError as error:  # another process has just put its own there
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            shutil.rmtree(old, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


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
