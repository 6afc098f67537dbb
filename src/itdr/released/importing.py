"""From released files to the parts that the rest of the pipeline reads."""

import hashlib
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from itdr.datasets.download.manifest import check_folder
from itdr.errors import DataError, MissingFileError
from itdr.evaluation.predictions import why_unscorable
from itdr.files.atomic import atomic_folder
from itdr.files.checksums import sha256
from itdr.files.formats import write_checked_json, write_parquet
from itdr.instructions.protocol import Protocol
from itdr.instructions.record import RECORD, reference_columns
from itdr.instructions.tasks import TaskSettings
from itdr.released.candidates import Choice, find_choice
from itdr.released.manifest import ReleasedFile
from itdr.released.reader import Rejected, ReleasedRow, read_released
from itdr.vocabulary import Origin, Part

log = logging.getLogger("itdr")

_NO_CHOICE = "its candidates cannot be found"
_UNSCORABLE = "its output cannot be scored"

REJECTED = pa.schema(
    [
        pa.field("file", pa.string(), nullable=False),
        pa.field("row", pa.int64(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("detail", pa.string()),
        pa.field("text", pa.string(), nullable=False),
    ]
)
"""Rows that are no examples: file (path in the release), row (from 1), why, and its text there."""


def import_release(
    files: Sequence[ReleasedFile], folder: Path, out: Path, task: TaskSettings, *, seed: int
) -> dict[str, Any]:
    """Write the parts of one task and dataset into the folder `out`.

    Besides train.parquet, val.parquet and test.parquet (columns: RECORD) there are
    rejected.parquet (columns: REJECTED) and import.json, which counts what was read, kept and
    rejected. Texts are taken over to the letter. The release names neither users nor items: a
    record's id is TASK/DATASET[/DOMAIN]/PART-ROW, and the title of a candidate stands for its id.
    Test rows that could not be scored are rejected too. Each part is in a random order that
    depends on the seed and the ids, so that its first rows are a fair sample.

    Args:
        files: all files of the task and dataset.
        folder: folder of fetch_release.
        out: the folder, which is replaced.
        task: the task's settings.
        seed: of the order.

    Returns:
        What import.json says.

    Raises:
        MissingFileError: a file is not there.
        DataError: a file is no JSON or damaged, or a part has no example left.
    """
    check_folder(folder)
    done = [_read(file, folder / file.name, task) for file in files]
    schema = Protocol(data=Origin.RELEASED).attached(RECORD)
    with atomic_folder(out, "import-release") as unfinished:
        for part in Part:
            records = [row for one in done if one.file.part is part for row in one.records]
            if not records:
                raise DataError(f"{folder}: no example of the part {part} is left. {_why(done)}")
            records.sort(key=lambda record: _order_key(seed, record["id"]))
            write_parquet(unfinished / f"{part}.parquet", pa.Table.from_pylist(records, schema))
        rejected = [row for one in done for row in one.rejected]
        write_parquet(
            unfinished / "rejected.parquet", pa.Table.from_pylist(rejected, schema=REJECTED)
        )
        report = {"seed": seed, "files": [one.report for one in done]}
        write_checked_json(unfinished / "import.json", report)
    return report


@dataclass
class _Imported:
    """What came of one file."""

    file: ReleasedFile
    sha256: str
    records: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    without_candidates: int = 0

    @property
    def report(self) -> dict[str, Any]:
        """The file's entry in import.json."""
        reasons = Counter(row["reason"] for row in self.rejected)
        return {
            "file": self.file.path,
            "sha256": self.sha256,
            "published": self.sha256 == self.file.sha256,
            "read": len(self.records) + len(self.rejected),
            "kept": len(self.records),
            "rejected": dict(sorted(reasons.items())),
            "without_candidates": self.without_candidates,
        }


def _read(file: ReleasedFile, path: Path, task: TaskSettings) -> _Imported:
    if not path.is_file():
        raise MissingFileError(f"{path}: no such file. Run 'itdr fetch-release' first.")
    done = _Imported(file, sha256(path))
    for row in read_released(path):
        if isinstance(row, Rejected):
            done.rejected.append(_rejected(file, row.number, row.reason, row.text))
            continue
        record = _record(file, row, task)
        lost = task.has_candidates and record["candidates"] is None
        detail = why_unscorable(reference_columns(record), task) if file.part is Part.TEST else None
        if detail:
            reason = _NO_CHOICE if lost else _UNSCORABLE
            text = f"{row.input}\n{row.output}"
            done.rejected.append(_rejected(file, row.number, reason, text, detail))
            continue
        done.records.append(record)
        done.without_candidates += lost
    return done


def _record(file: ReleasedFile, row: ReleasedRow, task: TaskSettings) -> dict[str, Any]:
    chosen = task.has_candidates
    choice = find_choice(task.answer, row.input, row.output) if chosen else None
    words = (file.task, file.dataset, file.domain, f"{file.part}-{row.number}")
    return {
        "id": "/".join(filter(None, words)),
        "task": file.task,
        "dataset": file.dataset,
        "domain": file.domain,
        "instruction": row.instruction,
        "input": row.input,
        "output": row.output,
        "candidates": _items(choice),
        "targets": list(choice.targets) if choice else None,
        "target_places": [choice.candidates.index(title) + 1 for title in choice.targets]
        if choice
        else None,
        "template_version": 0,
    }


def _items(choice: Choice | None) -> list[dict[str, Any]] | None:
    if choice is None:
        return None
    return [{"item_id": title, "title": title, "rating": None} for title in choice.candidates]


def _rejected(
    file: ReleasedFile, number: int, reason: str, text: str, detail: str | None = None
) -> dict[str, Any]:
    return {
        "file": file.path,
        "row": number,
        "reason": reason,
        "detail": detail,
        "text": text,
    }


def _why(done: Iterable[_Imported]) -> str:
    """Say why nothing is left: each reason with its first case."""
    rejected = [row for one in done for row in one.rejected]
    counts = Counter(row["reason"] for row in rejected)
    first = {row["reason"]: row for row in reversed(rejected)}
    lines = [
        f"  {count} rows: {reason}, such as row {first[reason]['row']} of {first[reason]['file']}"
        + (f": {first[reason]['detail']}" if first[reason]["detail"] else "")
        for reason, count in counts.most_common()
    ]
    return "\n".join(["Rejected:", *lines]) if lines else "The files hold no rows."


def _order_key(seed: int, name: str) -> bytes:
    return hashlib.md5(f"{seed}:{name}".encode(), usedforsecurity=False).digest()
