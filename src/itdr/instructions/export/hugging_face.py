"""A Hugging Face dataset folder: Parquet files by task and split, and a dataset card."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from itdr.files.atomic import atomic_folder
from itdr.files.formats import write_text
from itdr.instructions.export.parts import by_part, tables
from itdr.instructions.record import RECORD
from itdr.instructions.tasks import load_tasks
from itdr.provenance import provenance
from itdr.settings.dataset import DatasetSettings
from itdr.vocabulary import Part

_SPLITS = {Part.TRAIN: "train", Part.VAL: "validation", Part.TEST: "test"}
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
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

Counts = Counter[tuple[str, str, str]]
"""Examples by task, dataset and split."""


def export(
    files: Sequence[Path],
    out: Path,
    sources: Mapping[str, DatasetSettings],
    folders: Sequence[Path],
) -> Counts:
    """Write data/TASK/SPLIT.parquet and README.md, the dataset card.

    Columns are those of RECORD, maps as lists of key and value. The splits are train, validation
    and test; the default configuration has all tasks, and each task is a configuration too.

    Args:
        files: parts, named train.parquet, val.parquet or test.parquet.
        out: the folder, which is replaced.
        sources: dataset id to where it comes from and on which terms.
        folders: of configuration, with the task files.

    Raises:
        MissingFileError, DataError: a file is not there, not in the form of RECORD or no part.
    """
    counts: Counts = Counter()
    with atomic_folder(out, "export hugging-face") as folder:
        for part, paths in by_part(files).items():
            _write(folder / "data", _SPLITS[part], paths, counts)
        titles = {name: task.title for name, task in load_tasks(_tasks(counts), folders).items()}
        write_text(folder / "README.md", _card(counts, sources, titles))
    return counts


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


_CARD = """---
{metadata}---

# ITDR, rebuilt

Instruction-tuning examples for recommendation with language models, made by ITDR-pipeline after the
ITDR dataset (KDD 2026). Each example has an `instruction`, an `input` and the right `output`; the
other columns say which user, items and candidates it was made from.

## Terms of use

There is no single licence. The texts come from the datasets below and stay under the terms of each;
several of them forbid passing the data on. **Keep this folder to yourself unless the terms of every
source in it allow otherwise**; their own pages count, not the notes here.

| Dataset | Terms | Page |
| --- | --- | --- |
{terms}

## Examples

| Task | Dataset | train | validation | test |
| --- | --- | ---: | ---: | ---: |
{counts}

## Reading it

```python
from datasets import load_dataset

everything = load_dataset("PATH-OF-THIS-FOLDER")
one_task = load_dataset("PATH-OF-THIS-FOLDER", "{task}")
```

Made with {versions}.
"""


def _card(counts: Counts, sources: Mapping[str, DatasetSettings], titles: Mapping[str, str]) -> str:
    """Return the dataset card: YAML for the hub, then text to read."""
    used = sorted({dataset for _, dataset, _ in counts})
    made = provenance(["pyarrow", "duckdb"])
    return _CARD.format(
        metadata=yaml.safe_dump(_metadata(counts), sort_keys=False, allow_unicode=True),
        terms="\n".join(_terms(dataset, sources.get(dataset)) for dataset in used),
        counts="\n".join(_count_rows(counts, titles)),
        task=next(iter(titles), "TASK"),
        versions=", ".join(f"{name} {version}" for name, version in made.items()),
    )


def _tasks(counts: Counts) -> list[str]:
    return list(dict.fromkeys(task for task, _, _ in counts))


def _metadata(counts: Counts) -> dict[str, object]:
    tasks = _tasks(counts)
    size = sum(counts.values())
    return {
        "pretty_name": "ITDR, rebuilt",
        "language": ["en"],
        "license": "other",
        "license_name": "terms-of-each-source",
        "task_categories": ["text-generation"],
        "tags": ["recommendation", "instruction-tuning"],
        "size_categories": [next((name for most, name in _SIZES if size < most), "n>1M")],
        "configs": [
            {"config_name": "default", "default": True, "data_files": _files("*", None, counts)},
            *(
                {"config_name": task, "data_files": _files(task, task, counts)} for task in tasks
            ),
        ],
    }  # fmt: skip


def _files(folder: str, task: str | None, counts: Counts) -> list[dict[str, str]]:
    found = {split for name, _, split in counts if task in (None, name)}
    return [
        {"split": split, "path": f"data/{folder}/{split}.parquet"}
        for split in _SPLITS.values()
        if split in found
    ]


def _terms(dataset: str, source: DatasetSettings | None) -> str:
    if source is None:
        return f"| {dataset} | not known | |"
    return f"| {source.title} (`{dataset}`) | {source.licence} | {source.page} |"


def _count_rows(counts: Counts, titles: Mapping[str, str]) -> list[str]:
    rows = []
    for task, title in titles.items():
        for dataset in sorted({name for key, name, _ in counts if key == task}):
            numbers = [f"{counts[task, dataset, split]:,}" for split in _SPLITS.values()]
            rows.append(f"| {title} ({task}) | {dataset} | {' | '.join(numbers)} |")
    return rows
