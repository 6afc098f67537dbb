"""What a run left in its folder beside scores: audit, trainings, times, checksums of raw files."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from itdr.errors import DataError
from itdr.files.checksums import check_files
from itdr.files.formats import read_json, read_json_object
from itdr.reporting.origins import Origins
from itdr.reporting.tables import Columns, read_table
from itdr.settings.ids import DatasetId, TaskId
from itdr.settings.paper import Column
from itdr.vocabulary import Origin, Part

_RELIABILITY = Columns(
    texts=("task", "dataset"),
    numbers=("confidence", "right", "ci_low", "ci_high"),
    counts=("n",),
)
_AGAIN = "Run 'itdr train' again."


class Loss(NamedTuple):
    """The loss of one optimiser step, in nats."""

    step: int
    loss: float


@dataclass(frozen=True)
class Training:
    """One trained adapter: the content of run.json, and its losses."""

    run: Mapping[str, Any]
    losses: Sequence[Loss]


@dataclass(frozen=True)
class Run:
    """A run's folder; what is not there is empty.

    Attributes:
        audit: the content of audit.json.
        trainings: model and variant to its training.
        seconds: job, such as "train/tiny/itdr/42", to its wall time in seconds.
        raw: dataset to the content of its manifest.json.
        reliability: model and variant to the rows of its file of itdr.evaluation.reliability.
        started: settings, machine and versions of the newest start of the workflow.
    """

    audit: Mapping[str, Any] = field(default_factory=dict)
    trainings: Mapping[Column, Training] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict)
    started: Mapping[str, Any] = field(default_factory=dict)
    reliability: Mapping[Column, Sequence[Mapping[str, Any]]] = field(default_factory=dict)

    @cached_property
    def origins(self) -> Origins:
        """Where the examples come from, as the audit found it."""
        return Origins({(cell["task"], cell["dataset"]): frozenset({Origin(cell["data"])})
                        for cell in self.audit.get("cells", ()) if cell.get("data")})  # fmt: skip

    @property
    def examples(self) -> dict[tuple[str, str], int]:
        """Task and dataset to the number of examples in all parts."""
        return {(cell["task"], cell["dataset"]): sum(cell[part] for part in Part)
                for cell in self.audit.get("cells", ())}  # fmt: skip


def load_run(folder: Path) -> Run:
    """Return what the folder of a run holds.

    Raises:
        DataError: a file in it is not in its form.
    """
    audit, started = folder / "audit" / "audit.json", folder / "started.json"
    return Run(
        _audit(audit) if audit.is_file() else {},
        {(path.parts[-4], path.parts[-3]): _training(path.parent, run)
         for path in sorted(folder.glob("adapters/*/*/*/run.json"))
         if "imported" not in (run := read_json(path))},
        {str(path.relative_to(folder / "benchmarks").with_suffix("")): _seconds(path)
         for path in sorted(folder.glob("benchmarks/**/*.tsv"))},
        {path.parent.name: read_json(path) for path in sorted(folder.glob("raw/*/manifest.json"))},
        read_json_object(started) if started.is_file() else {},
        # Of one seed and of several the latter, whose names are longer.
        {(path.parts[-3], path.parts[-2]): rows
         for path in sorted(folder.glob("scores/*/*/*.reliability.csv"), key=_name_length)
         if (rows := read_table(path, _RELIABILITY, "Run 'itdr score' again."))},
    )  # fmt: skip


def _name_length(path: Path) -> tuple[int, Path]:
    return len(path.name), path


def _audit(path: Path) -> dict[str, Any]:
    """Return the content of audit.json, whose cells are those of tasks and datasets we know."""
    value = read_json_object(path)
    try:
        _Audit.model_validate_json(json.dumps(value))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise DataError(
            f"{path}: {key!r} is not as 'itdr audit' writes it ({first['msg']}). Run that again."
        ) from error
    return value


class _Check(BaseModel):
    check: str
    meaning: str
    faults: int
    examples: int
    tolerated: bool


class _Length(BaseModel):
    task: TaskId
    dataset: DatasetId
    model: str


class _Cell(BaseModel):
    task: TaskId
    dataset: DatasetId
    data: Origin | None = None
    train: int
    val: int
    test: int


class _Audit(BaseModel):
    """What of an audit.json is read."""

    clean: bool
    checks: list[_Check]
    lengths: list[_Length]
    cells: list[_Cell]


def _training(folder: Path, run: Mapping[str, Any]) -> Training:
    losses = folder / "losses.csv"
    sums = {name: value for name, value in run.get("files", {}).items() if name == losses.name}
    check_files(folder, sums, _AGAIN)
    table = read_table(losses, Columns(counts=("step",), numbers=("loss",)), _AGAIN)
    rows = [Loss(int(row["step"]), float(row["loss"])) for row in table]
    return Training(run, rows)


def _seconds(path: Path) -> float:
    """Return the seconds in a benchmark file of Snakemake, whose first column is "s"."""
    lines = path.read_text(encoding="utf-8").splitlines()
    try:
        return float(lines[1].split("\t")[0])
    except (IndexError, ValueError):
        return 0.0
