"""A Hugging Face dataset folder: Parquet files, a dataset card, terms and Croissant metadata."""

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from itdr.files.atomic import atomic_folder
from itdr.files.checksums import sha256
from itdr.files.formats import write_json, write_text
from itdr.instructions.export.card import About, Counts, DataFile, card, terms
from itdr.instructions.export.croissant import croissant
from itdr.instructions.export.parts import by_part, tables
from itdr.instructions.protocol import read_protocol
from itdr.instructions.record import RECORD
from itdr.instructions.tasks import load_tasks
from itdr.settings.dataset import DatasetSettings
from itdr.vocabulary import Part

_SPLITS = {Part.TRAIN: "train", Part.VAL: "validation", Part.TEST: "test"}
_ROWS_PER_GROUP = 1_000  # the hub's viewer reads a row group at a time


def _loadable(kind: pa.DataType) -> pa.DataType:
    """Return the type without maps, which `datasets` cannot load: lists of key and value."""
    if pa.types.is_map(kind):
        return pa.list_(pa.struct([("key", kind.key_type), ("value", _loadable(kind.item_type))]))
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_loadable(field.type)) for field in kind])
    if pa.types.is_list(kind):
        return pa.list_(_loadable(kind.value_type))
    return kind


_COLUMNS = pa.schema([field.with_type(_loadable(field.type)) for field in RECORD])


def export(
    files: Sequence[Path],
    out: Path,
    sources: Mapping[str, DatasetSettings],
    folders: Sequence[Path],
    *,
    rows: bool = True,
) -> Counts:
    """Write data/TASK/SPLIT.parquet, README.md (the dataset card), LICENSE.md and croissant.json.

    Columns are those of RECORD, maps as lists of key and value. The splits are train, validation
    and test; the default configuration has all tasks, and each task is a configuration too.

    Args:
        files: parts, named train.parquet, val.parquet or test.parquet.
        out: the folder, which is replaced.
        sources: dataset id to where it comes from and on which terms.
        folders: of configuration, with the task files.
        rows: whether the examples come along. Without them the folder may be passed on: in place of
            data/ it has ids/TASK/SPLIT.txt, and the checksums of what a rebuild gives.

    Raises:
        MissingFileError, DataError: a file is not there, not in the form of RECORD or no part.
    """
    counts: Counts = Counter()
    with atomic_folder(out, "export hugging-face") as folder:
        for part, paths in by_part(files).items():
            _write(folder / "data", _SPLITS[part], paths, counts)
        about = About(
            counts,
            [DataFile(path.relative_to(folder).as_posix(), path.stat().st_size, sha256(path))
             for path in sorted(folder.glob("data/*/*.parquet"))],
            {name: sources.get(name) for name in sorted({dataset for _, dataset, _ in counts})},
            load_tasks(list(dict.fromkeys(task for task, _, _ in counts)), folders),
            frozenset(read_protocol(path).data for path in files) - {None},
            schema=_COLUMNS, rows=rows,
        )  # fmt: skip
        write_text(folder / "README.md", card(about))
        write_text(folder / "LICENSE.md", terms(about))
        write_json(folder / "croissant.json", croissant(about))
        if not rows:
            _keep_ids(folder)
    return counts


def _keep_ids(folder: Path) -> None:
    """Put the ids of the examples in the place of the examples."""
    for path in sorted(folder.glob("data/*/*.parquet")):
        ids = pq.read_table(path, columns=["id"])["id"].to_pylist()
        target = folder / "ids" / path.parent.name / f"{path.stem}.txt"
        target.parent.mkdir(parents=True, exist_ok=True)
        write_text(target, "".join(f"{name}\n" for name in ids))
    shutil.rmtree(folder / "data")


def _write(folder: Path, split: str, paths: Sequence[Path], counts: Counts) -> None:
    """Write the examples of one split, each task into its file."""
    writers: dict[str, pq.ParquetWriter] = {}
    try:
        for table in tables(paths):
            for task in table["task"].unique().to_pylist():
                rows = table.filter(pc.equal(table["task"], task))
                if task not in writers:
                    (folder / task).mkdir(parents=True, exist_ok=True)
                    writers[task] = pq.ParquetWriter(
                        folder / task / f"{split}.parquet", _COLUMNS, compression="zstd"
                    )
                writers[task].write_table(rows.cast(_COLUMNS), row_group_size=_ROWS_PER_GROUP)
                for dataset in rows["dataset"].to_pylist():
                    counts[task, dataset, split] += 1
    finally:
        for writer in writers.values():
            writer.close()
