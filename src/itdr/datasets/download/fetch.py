"""Bringing the raw files of a dataset into one folder, whole and with a manifest."""

import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from itdr.datasets.download import hubs, manifest
from itdr.datasets.download.archive import extract
from itdr.datasets.download.checks import difference, file_sums, is_zip, problem
from itdr.datasets.download.http import DownloadRequest, ShowProgress, download
from itdr.datasets.download.local import Listing, find_archive, find_file, list_folder
from itdr.datasets.download.manifest import Entry
from itdr.datasets.download.own_folder import link_own
from itdr.datasets.download.parts import finish, part_of
from itdr.errors import DataError, DownloadError, MissingFileError
from itdr.files.atomic import writing
from itdr.files.locks import directory_lock
from itdr.files.progress import progress as show_progress
from itdr.retry import RetryPolicy
from itdr.settings.dataset import Archive, DatasetSettings, Published, RawFile

log = logging.getLogger("itdr")

_STAGING = ".hub"
_RETRY_POLICY = RetryPolicy()


def fetch(
    dataset: DatasetSettings,
    out: Path,
    from_folder: Path | None = None,
    progress: ShowProgress = show_progress,
    *,
    optional: bool = False,
    retry_policy: RetryPolicy = _RETRY_POLICY,
) -> None:
    """Bring the raw files of a dataset to the folder `out` and write `out`/manifest.json last.

    Files that are there already and are the right ones are used.

    Args:
        dataset: what to bring and from where.
        out: the folder for the files; made when absent.
        from_folder: take the files from this local folder instead: found at any depth, plain, as
            .gz or inside their archive, and linked into `out`. They may differ from the published
            ones (a sample, a simulation); the manifest says so.
        progress: makes the display of a download's progress, in bytes.
        optional: download also what no task needs; what lies at hand is taken in any case.
        retry_policy: when to try a failed download again.

    Raises:
        MissingFileError: a needed file is not in the folder, or must be fetched by hand.
        DownloadError: a file cannot be had, or what came is not the file.
        DataError: a local file or an archive is damaged or no data at all.
        BusyError: another process is fetching to this folder.
        DiskFullError: there is no room for a file.
    """
    if from_folder is None and dataset.kind == "folder":
        if dataset.folder is None:
            raise MissingFileError(
                f"{dataset.id}: nobody says where it is. {_by_hand(dataset, out)}"
            )
        from_folder = Path(dataset.folder)
    if from_folder is not None and not from_folder.is_dir():
        raise MissingFileError(f"{from_folder}: no such folder. {_by_hand(dataset, out)}")
    log.info("%s: %s", dataset.title, dataset.licence)
    with directory_lock(out), writing(out):
        _fetch(_Work(dataset, out, progress, retry_policy), from_folder, optional)


def _fetch(work: "_Work", from_folder: Path | None, optional: bool) -> None:
    dataset, out = work.dataset, work.out
    kept = {} if from_folder else manifest.unchanged(out, dataset)
    wanted = [file for file in dataset.files if file.needed or optional]
    if kept and all(file.name in kept for file in wanted):
        log.info("%s: complete already, see its %s", out, manifest.NAME)
        return
    # From here on the folder changes, so it must not pass for complete.
    (out / manifest.NAME).unlink(missing_ok=True)
    data = manifest.origin_of(from_folder or out)
    if from_folder is None:
        entries = work.from_place(wanted, kept)
    elif dataset.columns and not dataset.files:
        entries = link_own(dataset.columns, from_folder, out, _by_hand(dataset, out))
    else:
        entries = work.from_folder(from_folder)
    manifest.write(out, dataset, entries, data)
    shutil.rmtree(out / _STAGING, ignore_errors=True)
    log.info("%s: %d files, complete", out, len(entries))


@dataclass(frozen=True)
class _Work:
    """One run: what is brought where, and how."""

    dataset: DatasetSettings
    out: Path
    show: ShowProgress
    retry_policy: RetryPolicy

    def from_folder(self, folder: Path) -> list[Entry]:
        """Link or unpack what lies in a local folder."""
        listing = list_folder(folder, besides=self.out)
        found = {file.name: find_file(listing, file) for file in self.dataset.files}
        packed = self._packed([f for f in self.dataset.files if not found[f.name]], listing)
        at_hand = {file.name for files in packed.values() for file in files}
        absent = [f for f in self.dataset.files if not found[f.name] and f.name not in at_hand]
        self._require_none_needed(absent, folder)
        self._drop_links()
        entries = [self._link(f, path) for f in self.dataset.files if (path := found[f.name])]
        for archive, files in packed.items():
            self._require_sound(archive)
            entries += self._unpack(archive, files, str(archive.absolute()), check=False)
        return entries

    def from_place(self, wanted: Sequence[RawFile], kept: dict[str, Entry]) -> list[Entry]:
        """Use what lies in `out`, and download the rest."""
        there = {f.name: kept.get(f.name) or self._there(f) for f in self.dataset.files}
        entries = [entry for entry in there.values() if entry]
        missing = [file for file in wanted if not there[file.name]]
        for path, files in self._packed(missing, list_folder(self.out)).items():
            archive = self.dataset.archive_of(files[0])
            if archive is not None and self._is_right(archive, path):
                entries += self._unpack(path, files, f"{path.name} in the folder", check=True)
                missing = [file for file in missing if file not in files]
        if self.dataset.kind == "manual":
            self._require_none_needed(missing, self.out)
            return entries
        apart = [file for file in missing if not file.at]
        for archive, files in _by_archive(self.dataset, apart).items():
            path = self.out / archive.name
            origin = self._bring(archive, path)
            entries += self._unpack(path, files, origin, check=True)
            path.unlink()
        for file in missing:
            if file.at:
                path = self.out / file.name
                origin = self._bring(file, path)
                entries.append(manifest.entry(file, path, origin, file_sums(path)))
        return entries

    def _there(self, file: RawFile) -> Entry | None:
        """Return the entry of a file that lies in `out` already and is the right one."""
        path = next((self.out / n for n in file.names if (self.out / n).is_file()), None)
        if path is None or not self._is_right(file, path):
            return None
        return manifest.entry(file, path, "found in the folder", file_sums(path))

    def _is_right(self, item: Published, path: Path) -> bool:
        """Say whether a file in `out` is the published one, as far as that is known."""
        wrong = problem(path, path.name)
        if wrong is None and path.name == item.name:
            wrong = difference(item, file_sums(path))
        if wrong is None:
            return True
        if self.dataset.kind == "manual":
            raise DataError(f"{path}: {wrong}. {_by_hand(self.dataset, self.out)}")
        log.warning("%s: %s; fetching it again", path, wrong)
        return False

    def _packed(self, files: Sequence[RawFile], listing: Listing) -> dict[Path, list[RawFile]]:
        """Return which of the files lie in which archives of a folder."""
        found: dict[Path, list[RawFile]] = {}
        for archive, members in _by_archive(self.dataset, files).items():
            path = find_archive(listing, archive)
            if path is not None:
                found[path] = members
        return found

    def _drop_links(self) -> None:
        """Take away the links of an earlier run, which may lead to another folder."""
        for name in (name for file in self.dataset.files for name in file.names):
            if (self.out / name).is_symlink():
                (self.out / name).unlink()

    def _link(self, file: RawFile, path: Path) -> Entry:
        self._require_sound(path)
        link = self.out / path.name
        link.unlink(missing_ok=True)
        link.symlink_to(path.absolute())
        return manifest.entry(file, link, str(path.absolute()), file_sums(link))

    def _unpack(
        self, archive: Path, files: Sequence[RawFile], origin: str, *, check: bool
    ) -> list[Entry]:
        """Take files out of an archive; `check` holds them against the published checksums."""
        parts = {str(file.member): part_of(self.out / file.name) for file in files}
        missing = extract(archive, parts)
        try:
            here = [file for file in files if file.member not in missing or file.needed]
            return [self._take(archive, file, origin, check) for file in here]
        finally:
            for part in parts.values():
                part.unlink(missing_ok=True)

    def _take(self, archive: Path, file: RawFile, origin: str, check: bool) -> Entry:
        """Put a member that was unpacked into its place."""
        target = self.out / file.name
        part = part_of(target)
        by_hand = _by_hand(self.dataset, self.out)
        if not part.exists():
            raise DataError(
                f"{archive}: holds no {file.member!r} (truncated, or another edition?). {by_hand}"
            )
        sums = file_sums(part)
        wrong = difference(file, sums) if check else None
        if wrong is not None:
            raise DownloadError(
                f"{archive}: {file.member} is not the published one: {wrong}. Delete the archive "
                f"and fetch it again. {by_hand}"
            )
        finish(part, target)
        return manifest.entry(file, target, f"{origin}!{file.member}", sums)

    def _bring(self, item: Published, target: Path) -> str:
        """Download a file to `target` and return the address that it came from."""
        by_hand = _by_hand(self.dataset, self.out)
        if self.dataset.kind != "http":
            staged = hubs.bring(self.dataset, item, self.out / _STAGING, self.retry_policy, by_hand)
            commit = hubs.commit_of(item, self.out / _STAGING)
            self._adopt(item, staged, target, by_hand)
            origin = f"{self.dataset.kind}:{self.dataset.repository or ''}/{item.at[0]}"
            if commit is None:
                return origin
            log.info("%s: at commit %s", origin, commit)
            return f"{origin}@{commit}"
        failures = []
        for url in item.at:
            try:
                download(DownloadRequest(url, target, item, by_hand), self.retry_policy, self.show)
                return url
            except DownloadError as error:
                failures.append(str(error))
        raise DownloadError("\n".join(failures))

    def _adopt(self, item: Published, staged: Path, target: Path, by_hand: str) -> None:
        """Check what a hub's client brought and put it in its place."""
        if is_zip(staged) and not item.name.endswith(".zip"):
            # Kaggle packs a large file when it is asked for alone.
            unpacked = part_of(target)
            if extract(staged, {item.name: unpacked}):
                raise DownloadError(f"{staged}: holds no {item.name!r}. {by_hand}")
            staged.unlink()
            staged = unpacked
        wrong = difference(item, file_sums(staged)) or problem(staged, item.name)
        if wrong is not None:
            staged.unlink()
            raise DownloadError(f"{self.dataset.id}: what came for {item.name}: {wrong}. {by_hand}")
        finish(staged, target)

    def _require_sound(self, path: Path) -> None:
        wrong = problem(path, path.name)
        if wrong is not None:
            raise DataError(f"{path}: {wrong}. {_by_hand(self.dataset, self.out)}")

    def _require_none_needed(self, absent: Sequence[RawFile], folder: Path) -> None:
        for file in absent:
            if not file.needed:
                log.info("%s: no %s; no task needs it", folder, file.stem)
        needed = [file for file in absent if file.needed]
        if not needed:
            return
        lines = []
        for file in needed:
            archive = self.dataset.archive_of(file)
            inside = f", or {' or '.join((archive.name, *archive.also))}" if archive else ""
            lines.append(f"  {file.name}: looked for {' or '.join(file.names)}{inside}")
        raise MissingFileError(
            f"{folder}: {len(needed)} needed file(s) of {self.dataset.id} are not there at any "
            "depth:\n" + "\n".join(lines) + f"\n{_by_hand(self.dataset, self.out)}"
        )


def _by_archive(dataset: DatasetSettings, files: Sequence[RawFile]) -> dict[Archive, list[RawFile]]:
    grouped: dict[Archive, list[RawFile]] = {}
    for file in files:
        archive = dataset.archive_of(file)
        if archive is not None:
            grouped.setdefault(archive, []).append(file)
    return grouped


def _by_hand(dataset: DatasetSettings, out: Path) -> str:
    """Say how to get a dataset without this program's downloads."""
    if dataset.kind == "folder":
        return (
            "Name the folder that holds its files with --from, under 'raw_folders', or as 'folder' "
            "in the dataset's file."
        )
    login = f" {dataset.login}" if dataset.login else ""
    return (
        f"To get it by hand: {dataset.page}.{login} Put the files into {out}, "
        "or name their folder with --from."
    )
