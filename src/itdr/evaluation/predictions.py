"""Reading a file of predictions, also one from elsewhere, and refusing what cannot be scored."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from itdr.errors import DataError, MissingFileError, SettingsError
from itdr.evaluation.kinds.core import AnswerKind, Example
from itdr.files.checksums import parse_json
from itdr.files.formats import read_parquet
from itdr.instructions.record import MAKER, PREDICTION
from itdr.instructions.tasks import TaskSettings, load_task
from itdr.registry import ANSWER_KINDS

_SAID = ("protocol", *(field.name for field in MAKER))
REQUIRED = tuple(field.name for field in PREDICTION if not field.nullable)


@dataclass(frozen=True)
class Cell:
    """The examples of one task and dataset, ordered by id, whatever their order in the file.

    protocol: what the predictions say of it; "" where they are silent.
    maker: what gave the answers, by the names of MAKER, in the same way.
    """

    task: str
    dataset: str
    settings: TaskSettings
    examples: tuple[Example, ...]
    protocol: str = ""
    maker: Mapping[str, str] = field(default_factory=dict)


def read_cells(path: Path, folders: Sequence[Path]) -> list[Cell]:
    """Return the cells of a predictions file (.parquet or .jsonl).

    folders: of configuration, with the task files. The tasks stand in the order of their ids, the
    datasets of one in the order of its file.

    Raises:
        MissingFileError: there is no such file.
        DataError: a column is missing or has the wrong type, or a row cannot be scored.
    """
    return cells_of(read_predictions(path).to_pylist(), folders, path)


def cells_of(rows: list[dict[str, Any]], folders: Sequence[Path], path: Path | str) -> list[Cell]:
    """Return the cells of rows of PREDICTION; path: where they come from, for errors.

    Raises:
        DataError: a row cannot be scored.
    """
    if not rows:
        raise DataError(f"{path}: no rows; at least one prediction is needed.")
    _check_ids(rows, path)
    loaded: dict[str, TaskSettings] = {}
    found: dict[tuple[str, str], list[Example]] = {}
    said: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for number, row in enumerate(rows, start=1):
        try:
            settings = _settings_of(row, folders, loaded)
            example = example_of(row, settings)
        except (DataError, SettingsError) as error:
            raise DataError(f"{path}: row {number} (id {row['id']!r}): {error}") from error
        cell = row["task"], row["dataset"]
        found.setdefault(cell, []).append(example)
        for name in _SAID:
            if row[name] is not None:
                said[cell][name].add(str(row[name]))
    return [
        Cell(
            task,
            dataset,
            loaded[task],
            tuple(sorted(examples, key=lambda item: item.id)),
            joined(said[task, dataset]["protocol"]),
            {name: joined(said[task, dataset][name]) for name in _SAID if name != "protocol"},
        )
        for task in sorted(loaded)
        for dataset in loaded[task].datasets
        if (examples := found.get((task, dataset)))
    ]


def joined(values: Iterable[str]) -> str:
    """Return the different values in order with " | " between them; "" for none."""
    return " | ".join(sorted(set(values) - {""}))


def read_predictions(path: Path) -> pa.Table:
    """Return the PREDICTION columns of a file; columns that may be null may also be missing.

    Raises:
        MissingFileError: there is no such file.
        DataError: a column is missing or has the wrong type, or a needed value is null.
    """
    if not path.is_file():
        raise MissingFileError(f"{path}: no such file. Run 'itdr infer' first.")
    table = _read_jsonl(path) if path.suffix == ".jsonl" else _read_parquet(path)
    for name in REQUIRED:
        column = table[name]
        if column.null_count:
            row = column.is_null().to_pylist().index(True) + 1
            raise DataError(f"{path}: row {row}: column {name!r} is null; a value is needed.")
    columns = {
        field.name: table[field.name]
        if field.name in table.column_names
        else pa.nulls(len(table), field.type)
        for field in PREDICTION
    }
    return pa.table(columns, schema=PREDICTION)


def _read_parquet(path: Path) -> pa.Table:
    try:
        present = pq.read_schema(path)
    except (pa.ArrowException, OSError, ValueError):
        present = pa.schema([])  # read_parquet below says what is wrong with the file
    for wanted in PREDICTION:
        if present.names.count(wanted.name) == 1:
            _check_type(path, wanted.name, present.field(wanted.name).type, wanted.type)
    return read_parquet(
        path,
        pa.schema(
            field.with_nullable(True)
            for field in PREDICTION
            if not field.nullable or field.name in present.names
        ),
    )


def _check_type(path: Path, name: str, found: pa.DataType, needed: pa.DataType) -> None:
    try:
        pa.nulls(0, found).cast(needed)
    except pa.ArrowException:
        raise DataError(f"{path}: column {name!r} holds {found}; {needed} is needed.") from None


def _read_jsonl(path: Path) -> pa.Table:
    schema = pa.schema(field.with_nullable(True) for field in PREDICTION)
    rows = []
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                row = parse_json(line)
                if not isinstance(row, dict):
                    raise DataError(f"holds a {type(row).__name__}; an object is needed")
                missing = [name for name in REQUIRED if name not in row]
                if missing:
                    raise DataError(f"no column {missing[0]!r}; needed: {', '.join(REQUIRED)}")
                for wanted in schema:
                    _check_value(row, wanted)
            except (ValueError, DataError) as error:
                raise DataError(f"{path}: row {number}: {error}.") from error
            rows.append(row)
    return pa.Table.from_pylist(rows, schema)


def _check_value(row: Mapping[str, Any], field: pa.Field) -> None:
    try:
        pa.array([row.get(field.name)], field.type)
    except (pa.ArrowException, OverflowError) as error:
        raise DataError(f"column {field.name!r}: {error}") from error


def _check_ids(rows: list[dict[str, Any]], path: Path | str) -> None:
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, start=1):
        first = seen.setdefault(row["id"], number)
        if first != number:
            raise DataError(
                f"{path}: row {number}: column 'id': {row['id']!r} stands in row {first} too; "
                "every example may be answered once. Score two variants from two files."
            )


def _settings_of(
    row: Mapping[str, Any], folders: Sequence[Path], loaded: dict[str, TaskSettings]
) -> TaskSettings:
    task: str = row["task"]
    if task not in loaded:
        try:
            loaded[task] = load_task(task, folders)
        except SettingsError as error:
            raise DataError(f"column 'task': {error}") from error
    return loaded[task]


def check_same_cells(
    path: Path, cells: Sequence[Cell], other: Path, others: Sequence[Cell]
) -> None:
    """Refuse two files that do not answer the same examples.

    Raises:
        DataError: an example is in one file alone, or has another truth in the other.
    """
    truth, other_truth = _truth(cells), _truth(others)
    for here, there, alone in (
        (path, other, truth.keys() - other_truth.keys()),
        (other, path, other_truth.keys() - truth.keys()),
    ):
        if alone:
            raise DataError(
                f"{here}: {len(alone)} examples, {min(alone)[-1]!r} for one, are not in {there}. "
                "Answer the same examples with both."
            )
    for key, value in truth.items():
        if other_truth[key] != value:
            raise DataError(
                f"{other}: id {key[-1]!r}: the truth is {other_truth[key]!r}, but {value!r} in "
                f"{path}. Answer the same examples with both."
            )


def _truth(cells: Sequence[Cell]) -> dict[tuple[str, str, str], Any]:
    return {
        (cell.task, cell.dataset, example.id): example.truth
        for cell in cells
        for example in cell.examples
    }


def why_unscorable(columns: Mapping[str, Any], settings: TaskSettings) -> str | None:
    """Return why answers to an example cannot be scored, or None; columns: reference_columns."""
    row = {**columns, "answer": "", "finish_reason": "stop"}
    try:
        example_of(row, settings)
    except DataError as error:
        return str(error)
    return None


def example_of(row: Mapping[str, Any], settings: TaskSettings) -> Example:
    """Return the example that a row of predictions is.

    Raises:
        DataError: a column is wrong, which the message names.
    """
    kind: AnswerKind = ANSWER_KINDS[settings.answer]
    form, truth = kind.ask(row, settings, row["dataset"])
    asked = row["finish_reason"] != "skipped"
    return Example(row["id"], kind.given(row, form), asked, form, truth, row.get("user_id"))
