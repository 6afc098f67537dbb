"""Files of one's own: linked from where they lie, at the same places below the raw folder."""

from pathlib import Path

from itdr.datasets.download.checks import file_sums, problem
from itdr.datasets.download.manifest import Entry
from itdr.errors import DataError, MissingFileError
from itdr.settings.columns import ColumnsSettings, matching


def link_own(columns: ColumnsSettings, folder: Path, out: Path, advice: str) -> list[Entry]:
    """Link all files that the columns name, and no others; `advice` ends what errors say.

    Raises:
        MissingFileError: a name or pattern fits no file.
        DataError: a file is damaged or no data at all.
    """
    for link in [path for path in out.rglob("*") if path.is_symlink()]:
        link.unlink()
    entries = []
    for pattern in columns.patterns:
        paths = matching(folder, pattern)
        if not paths:
            raise MissingFileError(f"{folder}: no {pattern} or {pattern}.gz. {advice}")
        entries += [_link(path, folder, out, advice) for path in paths]
    return entries


def _link(path: Path, folder: Path, out: Path, advice: str) -> Entry:
    wrong = problem(path, path.name)
    if wrong is not None:
        raise DataError(f"{path}: {wrong}. {advice}")
    inside = path.relative_to(folder)
    link = out / inside
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(path.absolute())
    sums = file_sums(link)
    return Entry(str(inside), str(path.absolute()), sums.bytes, sums.sha256, None)
