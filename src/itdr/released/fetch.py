"""Bringing the released files of one task and dataset here, whole and under regular names."""

import logging
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from itdr.datasets.download.checks import Sums, file_sums, is_pointer, is_published, problem
from itdr.datasets.download.http import DownloadRequest, download
from itdr.datasets.download.local import Listing, list_folder
from itdr.errors import DataError, MissingFileError
from itdr.files.atomic import writing
from itdr.files.formats import write_checked_json
from itdr.files.locks import directory_lock
from itdr.files.progress import progress
from itdr.released.manifest import ReleasedFile
from itdr.retry import RetryPolicy
from itdr.settings.release import ReleaseSettings

log = logging.getLogger("itdr")

MANIFEST = "manifest.json"
_REPOSITORY = "https://github.com/hellolzk/ITDR"
_BY_HAND = (
    f"To get it by hand: git lfs install && git clone {_REPOSITORY}, then name the clone's folder "
    "with --folder (release.folder in the configuration)."
)
_RETRY_POLICY = RetryPolicy()


@dataclass(frozen=True)
class _Entry:
    """One file of the output folder, as its manifest has it."""

    name: str
    path: str
    """In the release."""
    origin: str
    bytes: int
    sha256: str
    published: bool


def fetch_release(
    files: Sequence[ReleasedFile],
    out: Path,
    settings: ReleaseSettings,
    *,
    retry_policy: RetryPolicy = _RETRY_POLICY,
) -> None:
    """Bring released files to the folder `out` and write `out`/manifest.json last.

    Downloads must be the published files. Files of a local folder are linked and may differ (a
    part of them, or files made for a test); the manifest says so.

    Raises:
        MissingFileError: a file is not in the local folder.
        DataError: a local file is a Git LFS pointer or no data at all.
        DownloadError: a file cannot be had, or what came is not the file.
        BusyError: another process is fetching to this folder.
        DiskFullError: there is no room for a file.
    """
    with directory_lock(out), writing(out):
        (out / MANIFEST).unlink(missing_ok=True)
        if settings.folder is None:
            entries = [_download(file, out, settings.address, retry_policy) for file in files]
        else:
            entries = _from_folder(files, out, Path(settings.folder))
        write_checked_json(out / MANIFEST, {"files": [asdict(entry) for entry in entries]})
    differing = sum(not entry.published for entry in entries)
    log.info("%s: %d files%s", out, len(entries),
             f", {differing} of which are not the published ones" if differing else "")  # fmt: skip


def _download(file: ReleasedFile, out: Path, address: str, retry_policy: RetryPolicy) -> _Entry:
    target, url = out / file.name, f"{address}/{quote(file.path)}"
    if target.is_symlink():
        target.unlink()
    if target.is_file() and is_published(file.published, sums := file_sums(target)):
        return _entry(file, "found in the folder", sums)
    return _entry(
        file,
        url,
        download(DownloadRequest(url, target, file.published, _BY_HAND), retry_policy, progress),
    )


def _from_folder(files: Sequence[ReleasedFile], out: Path, folder: Path) -> list[_Entry]:
    if not folder.is_dir():
        raise MissingFileError(f"{folder}: no such folder. {_BY_HAND}")
    listing = list_folder(folder, besides=out)
    found = {file: find_released(listing, file) for file in files}
    missing = [file.path for file, path in found.items() if path is None]
    if missing:
        raise MissingFileError(
            f"{folder}: {len(missing)} of {len(files)} files are not there at any depth:\n"
            + "\n".join(f"  {PurePosixPath(path).name}" for path in missing)
            + f"\n{_BY_HAND}"
        )
    return [_link(file, path, out, folder) for file, path in found.items() if path]


def find_released(listing: Listing, file: ReleasedFile) -> Path | None:
    """Return where a file lies: at its path in the release, else anywhere under its name.

    Raises:
        DataError: two files have its name.
    """
    exact = listing.folder / file.path
    if exact in listing.files:
        return exact
    named = [path for path in listing.files if path.name == exact.name]
    if len(named) > 1:
        shown = " or ".join(map(str, named))
        raise DataError(f"{listing.folder}: which file is meant? {shown}. Keep one of them.")
    return named[0] if named else None


def _link(file: ReleasedFile, path: Path, out: Path, folder: Path) -> _Entry:
    wrong = problem(path, path.name)
    if wrong:
        with path.open("rb") as stream:
            pointer = is_pointer(stream.read(1024))
        pull = f"git -C {shlex.quote(str(folder.absolute()))} lfs pull"
        advice = f"Fetch the content (this needs git-lfs): {pull}" if pointer else _BY_HAND
        raise DataError(f"{path}: it {wrong}. {advice}")
    link = out / file.name
    link.unlink(missing_ok=True)
    link.symlink_to(path.absolute())
    return _entry(file, str(path.absolute()), file_sums(link))


def _entry(file: ReleasedFile, origin: str, sums: Sums) -> _Entry:
    right = bool(is_published(file.published, sums))
    return _Entry(file.name, file.path, origin, sums.bytes, sums.sha256, right)
