"""Locks that end with the process that holds them, however it ends.

They are held on the open file (flock), so a lock file that a killed process left behind is no lock.
They need a file open for writing, because network file systems lock no others.
With filelock, which leaves its file behind and names no holder, this module would have 83
lines in place of 81, and the locks of open files that atomic writes need would stay.
"""

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from itdr.errors import BusyError

_WITHOUT_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK}
"""What file systems answer that have no locks; there nobody is kept out."""


def try_lock(descriptor: int) -> bool:
    """Lock an open file; say whether that worked or another process holds it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _WITHOUT_LOCKS:
            raise
    return True


def same_file(descriptor: int, path: Path) -> bool:
    """Say whether `path` still names the open file."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False


@contextmanager
def directory_lock(folder: Path) -> Iterator[None]:
    """Keep other processes out of a folder, which is made if it is not there.

    The lock is the file .lock in the folder, gone afterwards.

    Raises:
        BusyError: another process is in it.
    """
    path = folder / ".lock"
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:  # whoever was in it has just taken the folder away
            continue
        try:
            if not try_lock(descriptor):
                raise BusyError(
                    f"{folder}: {_holder(descriptor)} is at work here. Wait for its end or stop "
                    "it, then run this again."
                )
            if not same_file(descriptor, path):  # it was taken away just before it was locked
                continue
            with suppress(OSError):  # a full disk; the name is only for the message
                os.truncate(descriptor, 0)
                os.write(descriptor, f"{os.getpid()} on {socket.gethostname()}".encode())
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
            return
        finally:
            os.close(descriptor)


def _holder(descriptor: int) -> str:
    name = os.pread(descriptor, 200, 0).decode(errors="replace")
    return f"the process {name}" if name else "another process"
