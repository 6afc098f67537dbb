"""The dataset card of an export, and the terms of the sources in it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import yaml

from itdr.instructions.tasks import TaskSettings
from itdr.provenance import provenance
from itdr.registry import ANSWER_KINDS
from itdr.settings.dataset import DatasetSettings
from itdr.vocabulary import Origin

SPLITS = ("train", "validation", "test")
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))

Counts = Counter[tuple[str, str, str]]
"""Examples by task, dataset and split."""


@dataclass(frozen=True)
class DataFile:
    """One Parquet file, data/TASK/SPLIT.parquet."""

    name: str
    bytes: int
    sha256: str

    @property
    def task(self) -> str:
        """The task whose examples it has."""
        return self.name.split("/")[1]

    @property
    def split(self) -> str:
        """Their split."""
        return self.name.split("/")[2].removesuffix(".parquet")


@dataclass(frozen=True)
class About:
    """What is said of an export.

    Attributes:
        counts: examples by task, dataset and split.
        files: those with the examples, whether they come along or not.
        sources: dataset id to where it comes from and on which terms; None where nobody knows.
        tasks: by id.
        data: where the examples come from, as far as they say.
        schema: the columns.
        rows: whether the examples come along.
    """

    counts: Counts
    files: Sequence[DataFile]
    sources: Mapping[str, DatasetSettings | None]
    tasks: Mapping[str, TaskSettings]
    data: frozenset[Any]
    schema: pa.Schema
    rows: bool

    @property
    def simulated(self) -> bool:
        """Whether examples are."""
        return Origin.SIMULATED in self.data

    @property
    def name(self) -> str:
        """The printed name."""
        return "ITDR, simulated" if self.simulated else "ITDR, rebuilt"

    @property
    def description(self) -> str:
        """What it is, in two sentences."""
        what = (
            "Instruction-tuning examples for recommendation with language models, made by "
            "ITDR-pipeline after the ITDR dataset (KDD 2026)."
        )
        if self.simulated:
            return f"{what} The users, items and interactions are simulated and of nobody."
        return what


_CARD = """---
{metadata}---

# {name}

{description} Each example has an `instruction`, an `input` and the right `output`; the other
columns say which user, items and candidates it was made from.

## Terms of use

There is no single licence: [the terms of each source]({licence}) hold. {held}

## Examples

| Task | Dataset | train | validation | test |
| --- | --- | ---: | ---: | ---: |
{counts}

## {reading}

Made with {versions}.
"""

_HELD = (
    "Several sources forbid passing their data on. **Keep this folder to yourself unless the terms "
    "of every source in it allow otherwise.**"
)
_NOT_HELD = (
    "No example is in this folder, only what identifies them: their ids, and the checksums of the "
    "files that `itdr export hugging-face` writes where they have been rebuilt."
)

_READ = """Reading it

```python
from datasets import load_dataset

everything = load_dataset("PATH-OF-THIS-FOLDER")
one_task = load_dataset("PATH-OF-THIS-FOLDER", "{task}")
```"""

_REBUILD = """Rebuilding it

Bring the raw files of the sources from their own pages, run `snakemake export` of ITDR-pipeline at
the commit below, and hold the files in exports/hugging-face/data against the checksums in
`croissant.json`."""


def card(about: About) -> str:
    """Return the dataset card: YAML for the hub, then text to read."""
    made = provenance(["pyarrow", "duckdb"])
    reading = _READ.format(task=next(iter(about.tasks), "TASK")) if about.rows else _REBUILD
    return _CARD.format(
        metadata=yaml.safe_dump(_metadata(about), sort_keys=False, allow_unicode=True),
        name=about.name,
        description=about.description,
        licence="LICENSE.md",
        held=_HELD if about.rows else _NOT_HELD,
        counts="\n".join(_count_rows(about)),
        reading=reading,
        versions=", ".join(f"{name} {version}" for name, version in made.items()),
    )


def terms(about: About) -> str:
    """Return the terms of every source as Markdown."""
    lines = [
        "# Terms of the sources",
        "",
        "The texts come from the datasets below and stay under the terms of each; their own pages "
        "count, not the notes here.",
        "",
        "| Dataset | Terms | Page |",
        "| --- | --- | --- |",
        *(_terms(name, source) for name, source in about.sources.items()),
    ]
    return "\n".join(lines) + "\n"


def _metadata(about: About) -> dict[str, Any]:
    size = sum(about.counts.values())
    taught = {task for task, settings in about.tasks.items()
              if ANSWER_KINDS[settings.answer].taught}  # fmt: skip
    configs: list[dict[str, Any]] = [
        {"config_name": "default", "default": True, "data_files": _files("*", about)}
    ]
    configs += [{"config_name": task, "data_files": _files(task, about)} for task in about.tasks]
    found: dict[str, Any] = {
        "pretty_name": about.name,
        "language": ["en"],
        "license": "other",
        "license_name": "terms-of-each-source",
        "license_link": "LICENSE.md",
        "annotations_creators": sorted({"machine-generated" if task in taught else "found"
                                        for task in about.tasks}),
        "language_creators": ["machine-generated" if about.simulated else "found"],
        "source_datasets": ["original"] if about.simulated
        else [f"extended|other-{name}" for name in about.sources],
        "task_categories": ["text-generation"],
        "tags": ["recommendation", "instruction-tuning", *(["synthetic"] * about.simulated)],
        "size_categories": [next((name for most, name in _SIZES if size < most), "n>1M")],
    }  # fmt: skip
    if about.rows:  # without them there is nothing that the hub could load
        found["configs"] = configs
        found["dataset_info"] = [_info("default", None, about)]
        found["dataset_info"] += [_info(task, task, about) for task in about.tasks]
    return found


def _files(folder: str, about: About) -> list[dict[str, str]]:
    found = {file.split for file in about.files if folder in ("*", file.task)}
    return [
        {"split": split, "path": f"data/{folder}/{split}.parquet"}
        for split in SPLITS
        if split in found
    ]


def _info(name: str, task: str | None, about: About) -> dict[str, Any]:
    """Return features and sizes of a configuration, in bytes as they lie in the files."""
    files = [file for file in about.files if task in (None, file.task)]
    splits = []
    for split in SPLITS:
        sizes = [file.bytes for file in files if file.split == split]
        many = sum(n for (which, _, part), n in about.counts.items()
                   if part == split and task in (None, which))  # fmt: skip
        if sizes:
            splits.append({"name": split, "num_bytes": sum(sizes), "num_examples": many})
    size = sum(file.bytes for file in files)
    return {
        "config_name": name,
        "features": [_feature(field.name, field.type) for field in about.schema],
        "splits": splits,
        "download_size": size,
        "dataset_size": size,
    }


def _feature(name: str, kind: pa.DataType) -> dict[str, Any]:
    """Return a column as the hub's cards write it."""
    if pa.types.is_list(kind):
        inner = kind.value_type
        if pa.types.is_struct(inner):
            return {"name": name, "list": [_feature(f.name, f.type) for f in inner]}
        return {"name": name, "list": _dtype(inner)}
    return {"name": name, "dtype": _dtype(kind)}


def _dtype(kind: pa.DataType) -> str:
    return "float64" if pa.types.is_float64(kind) else str(kind)


def _terms(dataset: str, source: DatasetSettings | None) -> str:
    if source is None:
        return f"| {dataset} | not known | |"
    return f"| {source.title} (`{dataset}`) | {source.licence} | {source.page} |"


def _count_rows(about: About) -> list[str]:
    rows = []
    for task, settings in about.tasks.items():
        for dataset in sorted({name for key, name, _ in about.counts if key == task}):
            numbers = [f"{about.counts[task, dataset, split]:,}" for split in SPLITS]
            rows.append(f"| {settings.title} ({task}) | {dataset} | {' | '.join(numbers)} |")
    return rows
