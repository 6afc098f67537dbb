"""Are the raw files here, and if not, can they be fetched?"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from itdr.datasets.download.checks import head_problem
from itdr.datasets.download.local import Listing, find_archive, find_file, list_folder
from itdr.doctor.finding import Finding, gigabytes, listed
from itdr.doctor.logins import kaggle_login
from itdr.doctor.machine import Machine
from itdr.errors import DataError
from itdr.planning.needs import Needs
from itdr.released.fetch import find_released
from itdr.released.manifest import files_of
from itdr.settings.columns import matching
from itdr.settings.dataset import DatasetSettings

_KAGGLE = (
    "make an account and a token on https://www.kaggle.com/settings and set KAGGLE_API_TOKEN to "
    "it, or name a folder that holds the files under 'raw_folders'."
)


def check_datasets(needs: Needs, machine: Machine) -> Iterator[Finding]:
    """Yield a finding for each dataset whose raw files are still to be had."""
    experiment = needs.sizes.workflow.experiment
    for name in sorted(needs.values("dataset", "fetch_dataset")):
        source = needs.sizes.workflow.datasets[name]
        folder = experiment.raw_folders.get(name, source.folder)
        if source.kind == "folder" and folder is None:
            yield Finding(f"data {name}", "missing", "nobody says where it is", "",
                          "name its folder under 'raw_folders', or in its file.")  # fmt: skip
        elif folder is not None:
            yield _named_folder(source, Path(folder))
        elif experiment.simulated_world is not None:
            yield Finding(f"data {name}", "ok", "simulated, nothing is fetched")
        else:
            yield _fetched(source, needs, machine)
    if needs.of("fetch_release"):
        yield _release(needs)


def absent(source: DatasetSettings, listing: Listing) -> list[str]:
    """Return the names of needed files that lie in a folder neither alone nor in their archive.

    Raises:
        DataError: two files of one name are there, or one is no data at all.
    """
    if source.columns and not source.files:
        return [name for name in source.columns.patterns if not matching(listing.folder, name)]
    missing = []
    for file in (file for file in source.files if file.needed):
        archive = source.archive_of(file)
        path = find_file(listing, file) or (find_archive(listing, archive) if archive else None)
        if path is None:
            missing.append(file.name)
            continue
        with path.open("rb") as stream:
            wrong = head_problem(stream.read(1024))
        if wrong:
            raise DataError(f"{path}: {wrong}")
    return missing


def _named_folder(source: DatasetSettings, folder: Path) -> Finding:
    name, advice = f"data {source.id}", "name a folder that holds them under 'raw_folders'."
    names = [file.name for file in source.files if file.needed]
    needed = (
        f"its files ({listed(names or (source.columns.patterns if source.columns else []), 4)})"
    )
    try:
        missing = absent(source, list_folder(folder))
    except (DataError, OSError) as error:
        return Finding(name, "missing", str(error), needed, advice)
    if missing:
        return Finding(name, "missing", f"{folder}: no {listed(missing, 4)}",
                       needed, advice)  # fmt: skip
    return Finding(name, "ok", f"complete in {folder}")


def _fetched(source: DatasetSettings, needs: Needs, machine: Machine) -> Finding:
    name = f"data {source.id}"
    folder = Path(needs.sizes.workflow.experiment.results) / "raw" / source.id
    try:
        missing = absent(source, list_folder(folder))
    except DataError as error:
        return Finding(name, "missing", str(error), "", "delete it.")
    if not missing:
        return Finding(name, "ok", f"its files lie in {folder} already")
    if source.kind == "manual":
        return Finding(name, "missing", f"no {listed(missing, 4)} in {folder}",
                       "", f"{source.page}: {source.login or 'get them by hand.'}")  # fmt: skip
    mb, _, known = needs.sizes.raw_mb(source.id)
    size = f"a download of {gigabytes(mb)}"
    if not known:
        size = f"a download whose size nobody states (reckoned: {gigabytes(mb)})"
    return _login(name, source, size, machine)


def _login(name: str, source: DatasetSettings, size: str, machine: Machine) -> Finding:
    if source.kind == "kaggle":
        where, wrong = kaggle_login(machine)
        if where is None:
            return Finding(name, "missing", wrong, size, _KAGGLE)
        return Finding(name, "ok", f"login in {where}", size)
    if source.kind == "huggingface" and machine.is_offline:
        return Finding(name, "missing", "HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE is set", size,
                       "unset it, or name a folder under 'raw_folders'.")  # fmt: skip
    return Finding(name, "ok", "no login needed", size)


def _release(needs: Needs) -> Finding:
    release = needs.sizes.workflow.experiment.release
    manifest = (needs.sizes.workflow.paper.folder or Path()) / "release_manifest.csv"
    files = [file for job in needs.of("fetch_release")
             for file in files_of(manifest, job.wildcards["task"], job.wildcards["dataset"])
             ]  # fmt: skip
    size = gigabytes(sum(file.bytes for file in files) / 1e6)
    if release.folder is None:
        return Finding("released data", "ok", "no login needed",
                       f"a download of {len(files)} files, {size}")  # fmt: skip
    folder = Path(release.folder)
    needed = f"{len(files)} files of the release"
    try:
        listing = list_folder(folder)
        paths = {file.path: find_released(listing, file) for file in files}
        wrong = _no_data(path for path in paths.values() if path)
    except (DataError, OSError) as error:
        return Finding("released data", "missing", str(error), needed, "keep one of them.")
    missing = [path for path, found in paths.items() if found is None]
    if missing or wrong:
        found = f"{folder}: no {listed(missing)}" if missing else str(wrong)
        return Finding("released data", "missing", found, needed,
                       f"git -C {folder} lfs pull, or name another folder as "
                       "'release.folder'.")  # fmt: skip
    return Finding("released data", "ok", f"complete in {folder}")


def _no_data(paths: Iterable[Path]) -> str | None:
    for path in paths:
        with path.open("rb") as stream:
            wrong = head_problem(stream.read(1024))
        if wrong:
            return f"{path}: {wrong}"
    return None
