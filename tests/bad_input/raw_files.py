"""The raw files of all sources, and the archives that they come in."""

import gzip
import io
import tarfile
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from itdr.datasets.download.archive import extract
from itdr.datasets.download.checks import problem
from itdr.datasets.normalise import normalise
from itdr.datasets.readers.context import Format, NormalisationContext
from itdr.datasets.readers.fields import NeedsTextError
from itdr.datasets.readers.files import RawFile, find_file
from itdr.datasets.readers.lines import read_blocks
from itdr.datasets.readers.multiline import MultilineCsv
from itdr.datasets.readers.rejections import RejectionLog, write_rejected
from itdr.demo.raw_files import write_raw_files
from itdr.demo.world import simulate
from itdr.errors import ItdrError
from itdr.files.formats import read_json
from itdr.settings.dataset import load_dataset
from itdr.settings.folders import settings_files
from tests.bad_input.reader import Reader, empty_folder, scratch

_LINES = 12


@dataclass(frozen=True)
class _Known:
    """A raw file that a source reads: its name, form and the beginning of a simulated one."""

    name: str
    form: Format
    head: bytes


@lru_cache
def known_files(dataset: str) -> tuple[Path, list[_Known]]:
    """Return a folder of simulated raw files, and those files that the source reads."""
    folder = scratch() / dataset
    write_raw_files(simulate(1, users=8, items=30, interactions_per_user=6), dataset, folder, 1)
    found: list[_Known] = []
    load = NormalisationContext.load

    def note(
        self: NormalisationContext, name: str, table: str, form: Format, *more: Any, **others: Any
    ) -> Any:
        there = load(self, name, table, form, *more, **others)
        if there:
            source = self.accounts[-1].source
            with source.opened() as (stream, _):
                head = b"".join(stream.readline() for _ in range(_LINES))
            found.append(_Known(str(source.path.relative_to(folder)), form, head))
        return there

    NormalisationContext.load = note  # type: ignore[method-assign]
    try:
        normalise(load_dataset(dataset), folder, scratch() / "tables", threads=1)
    finally:
        NormalisationContext.load = load  # type: ignore[method-assign]
    return folder, found


def _numbered(dataset: str) -> list[bytes]:
    """Return the simulated files, each behind a byte that says which one it is."""
    return [bytes([place]) + file.head for place, file in enumerate(known_files(dataset)[1])]


def _chosen(dataset: str, data: bytes) -> tuple[_Known, bytes]:
    files = known_files(dataset)[1]
    return files[data[0] % len(files) if data else 0], data[1:]


def read_lines(dataset: str, data: bytes) -> None:
    """Read a file by its form as `itdr normalise` does; every line must be kept or rejected."""
    known, data = _chosen(dataset, data)
    folder = empty_folder("lines")
    path, staged = folder / "raw", folder / "staged.parquet"
    path.write_bytes(data)
    context = NormalisationContext(dataset, folder, folder, None, 1)  # type: ignore[arg-type]
    account = RejectionLog(RawFile(path), "raw", known.form.encoding)
    try:
        context._stage(known.form, account, staged)
    except NeedsTextError:
        account = RejectionLog(RawFile(path), "raw", known.form.encoding)
        context._stage(known.form.with_text_ids(), account, staged)
    rows = pq.read_table(staged)
    rows.validate(full=True)
    numbers = rows["line"].to_pylist()
    for lines in account.lines.values():
        numbers += lines
    lines_there = data.count(b"\n") + (not data.endswith(b"\n")) - known.form.header
    assert len(numbers) == len(set(numbers)) == account.rows_read
    if isinstance(known.form, MultilineCsv):
        assert account.rows_read <= lines_there
    else:
        first = 1 + known.form.header
        assert sorted(numbers) == list(range(first, first + lines_there))
    write_rejected(folder / "rejected.parquet", [account], threads=1)
    assert pq.read_metadata(folder / "rejected.parquet").num_rows == account.rows_rejected


def normalise_whole(dataset: str, data: bytes) -> None:
    """Normalise a dataset of which one file is bad; the account of rows must come out even."""
    known, data = _chosen(dataset, data)
    folder = empty_folder("whole")
    for path in known_files(dataset)[0].rglob("*"):
        if path.is_file() and "tables" not in path.parts:
            link = folder / path.name
            link.symlink_to(path)
    bad = folder / Path(known.name).name
    bad.unlink()
    bad.write_bytes(gzip.compress(data, 1) if bad.suffix == ".gz" else data)
    out = empty_folder("whole-tables")
    normalise(load_dataset(dataset), folder, out, threads=1)
    quality = read_json(out / "quality.json")
    assert quality["rows_read"] == quality["rows_kept"] + quality["rows_rejected"]
    assert quality["rows_rejected"] == pq.read_metadata(out / "rejected.parquet").num_rows
    for table in ("interactions", "items", "users"):
        read = pq.read_table(out / f"{table}.parquet")
        read.validate(full=True)
        assert read.num_rows == quality["tables"][table]


_ENDINGS = (".zip", ".tar", ".tar.gz", ".gz")
_ROWS = b"item_id,user_id,timestamp\ni2,u1,1605059546\n" * 20


def _archives() -> list[bytes]:
    zipped, tarred = io.BytesIO(), io.BytesIO()
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with zipfile.ZipFile(zipped, "a", method) as archive:
            archive.writestr(f"{method}/README", b"hello")
            if method == zipfile.ZIP_DEFLATED:
                archive.writestr("data/interaction.csv", _ROWS)
    with tarfile.open(fileobj=tarred, mode="w") as tar:
        for name, content in (("a/README", b"hello"), ("a/interaction.csv", _ROWS)):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    found = [zipped.getvalue(), tarred.getvalue(), gzip.compress(tarred.getvalue(), 1)]
    return [bytes([i]) + data for i, data in enumerate([*found, gzip.compress(_ROWS, 1)])]


def read_archive(data: bytes) -> None:
    """Read and unpack an archive; nothing may be written but the file that is asked for."""
    ending, data = _ENDINGS[data[0] % len(_ENDINGS) if data else 0], data[1:]
    folder = empty_folder("archive")
    name = f"interaction.csv{ending}" if ending == ".gz" else f"pixel{ending}"
    (folder / name).write_bytes(data)
    around = set(scratch().iterdir())
    refusal = None
    for read in (_read_where_it_lies, _unpack):
        try:
            read(folder, name)
        except ItdrError as error:
            refusal = error
    assert set(scratch().iterdir()) == around
    assert {path.name for path in folder.iterdir()} <= {name, "out.csv"}
    if refusal:
        raise refusal


def _read_where_it_lies(folder: Path, name: str) -> None:
    found = find_file("pixelrec", folder, "interaction.csv")
    assert found is not None
    for block in read_blocks(found):
        assert block.count
    (folder / name).exists()


def _unpack(folder: Path, name: str) -> None:
    assert problem(folder / name, name) is None or True
    missing = extract(folder / name, {"interaction.csv": folder / "out.csv"})
    assert (folder / "out.csv").exists() != bool(missing)


def readers() -> dict[str, Reader]:
    """Return all readers of this module by name."""
    found = {"archives": Reader(_archives, read_archive)}
    for name in settings_files("datasets"):

        def seeds(name: str = name) -> list[bytes]:
            return _numbered(name)

        def lines(data: bytes, name: str = name) -> None:
            read_lines(name, data)

        def whole(data: bytes, name: str = name) -> None:
            normalise_whole(name, data)

        found[f"lines-{name}"] = Reader(seeds, lines)
        found[f"dataset-{name}"] = Reader(seeds, whole, slow=True)
    return found
