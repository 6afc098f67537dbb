"""Writing that is whole or absent, in places that may be written to."""

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import Any

from itdr.errors import DataError, DiskFullError
from itdr.files.locks import same_file, try_lock

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
        handle, part = _begin_folder(path)
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
    found, known = _inventory(path)
    foreign = sorted(set(found) - set(known.get("files", ())) - _OTHERS)
    if not foreign and (not known or known.get("made_by") == made_by):
        return
    holds = f"holds {foreign[0]!r}" if foreign else f"is the output of 'itdr {known['made_by']}'"
    more = f" and {len(foreign) - 1} more files" if len(foreign) > 1 else ""
    raise DataError(
        f"{path}: {holds}{more}, which 'itdr {made_by}' did not make, so the folder is not "
        "replaced. Nothing was changed. Name another folder, or take that away first."
    )


def _inventory(folder: Path) -> tuple[list[str], dict[str, Any]]:
    """Return the files in a folder and what it says of them, both of the same folder."""
    while True:
        before = _identity(folder)
        found = _files_in(folder)
        known = _contents(folder) if _CONTENTS in found else {}
        if _identity(folder) == before:  # else another process has just put its own there
            return found, known


def _identity(path: Path) -> tuple[int, int] | None:
    with suppress(FileNotFoundError):
        status = path.stat()
        return status.st_dev, status.st_ino
    return None


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


def _begin(path: Path) -> tuple[int, Path]:
    """Return a new hidden file beside `path`, open and locked as long as it is open."""
    while True:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        if try_lock(handle) and same_file(handle, Path(name)):
            return handle, Path(name)
        os.close(handle)  # another process took it for abandoned


def _begin_folder(path: Path) -> tuple[int, Path]:
    """Return a new hidden folder beside `path`, whose lock file is open and locked."""
    while True:
        part = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
        with suppress(FileNotFoundError):
            handle = os.open(part / _LOCK, os.O_RDWR | os.O_CREAT)
            if try_lock(handle) and same_file(handle, part / _LOCK):
                return handle, part
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
