"""Reading a file of predictions, also one from elsewhere, and refusing what cannot be scored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from itdr.errors import DataError, MissingFileError, SettingsError, nearest
from itdr.evaluation.answers import Form
from itdr.evaluation.answers.attributes import reference_attributes
from itdr.evaluation.answers.numbers import plain_number
from itdr.evaluation.metrics import parse_metric
from itdr.files.checksums import parse_json
from itdr.files.formats import read_parquet
from itdr.instructions.record import PREDICTION
from itdr.settings.task import DatasetTemplate, TaskSettings, load_task
from itdr.vocabulary import Dataset, Task

_FAMILIES = {
    "number": ("rmse",),
    "ranked_list": ("ndcg", "hit", "precision"),
    "title": ("ndcg", "hit", "precision"),
    "attributes": ("accuracy", "rmse"),
    "text": ("bleu", "rouge"),
}
REQUIRED = tuple(field.name for field in PREDICTION if not field.nullable)


@dataclass(frozen=True)
class Example:
    """One answer with the form that was asked for and what is true.

    user_id: whose example it is, where known. truth: the number, the true titles, the attributes by
    name or the text.
    """

    id: str
    answer: str
    asked: bool
    form: Form
    truth: Any
    user_id: str | None = None


@dataclass(frozen=True)
class Cell:
    """The examples of one task and dataset, ordered by id, whatever their order in the file."""

    task: Task
    dataset: Dataset
    settings: TaskSettings
    examples: tuple[Example, ...]


def read_cells(path: Path, tasks: Path) -> list[Cell]:
    """Return the cells of a predictions file (.parquet or .jsonl) in the paper's order.

    tasks: the folder with the task files. The datasets stand in the order of the task's file.

    Raises:
        MissingFileError: there is no such file.
        DataError: a column is missing or has the wrong type, or a row cannot be scored.
    """
    rows = read_predictions(path).to_pylist()
    if not rows:
        raise DataError(f"{path}: no rows; at least one prediction is needed.")
    _check_ids(rows, path)
    loaded: dict[str, TaskSettings] = {}
    found: dict[tuple[str, str], list[Example]] = {}
    for number, row in enumerate(rows, start=1):
        try:
            settings = _settings_of(row, tasks, loaded)
            example = _example(row, settings, settings.of(row["dataset"]))
        except (DataError, SettingsError) as error:
            raise DataError(f"{path}: row {number} (id {row['id']!r}): {error}") from error
        found.setdefault((row["task"], row["dataset"]), []).append(example)
    return [
        Cell(task, dataset, loaded[task], tuple(sorted(examples, key=lambda item: item.id)))
        for task in Task
        if task in loaded
        for dataset in loaded[task].datasets
        if (examples := found.get((task, dataset)))
    ]


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
    for field in PREDICTION:
        if present.names.count(field.name) == 1:
            _check_type(path, field.name, present.field(field.name).type, field.type)
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
                for field in schema:
                    _check_value(row, field)
            except (ValueError, DataError) as error:
                raise DataError(f"{path}: row {number}: {error}.") from error
            rows.append(row)
    return pa.Table.from_pylist(rows, schema)


def _check_value(row: Mapping[str, Any], field: pa.Field) -> None:
    try:
        pa.array([row.get(field.name)], field.type)
    except (pa.ArrowException, OverflowError) as error:
        raise DataError(f"column {field.name!r}: {error}") from error


def _check_ids(rows: list[dict[str, Any]], path: Path) -> None:
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, start=1):
        first = seen.setdefault(row["id"], number)
        if first != number:
            raise DataError(
                f"{path}: row {number}: column 'id': {row['id']!r} stands in row {first} too; "
                "every example may be answered once. Score two variants from two files."
            )


def _settings_of(
    row: Mapping[str, Any], tasks: Path, loaded: dict[str, TaskSettings]
) -> TaskSettings:
    task = row["task"]
    if task not in list(Task):
        raise DataError(
            f"column 'task': unknown task {task!r}.{nearest(task, Task)} "
            f"Allowed: {', '.join(Task)}."
        )
    if row["dataset"] not in list(Dataset):
        raise DataError(
            f"column 'dataset': unknown dataset {row['dataset']!r}."
            f"{nearest(row['dataset'], Dataset)} Allowed: {', '.join(Dataset)}."
        )
    if task not in loaded:
        loaded[task] = load_task(tasks, task)
        for dataset in loaded[task].datasets:
            _check_metrics(loaded[task], dataset)
    return loaded[task]


def _check_metrics(settings: TaskSettings, dataset: str) -> None:
    """Refuse a task file whose metrics do not go with its kind of answer."""
    attributes = settings.of(dataset).attributes
    for name in settings.metrics_of(dataset) or ("none at all",):
        metric = parse_metric(name)
        fits = metric.family.startswith(_FAMILIES[settings.answer])
        if not fits or bool(metric.attribute) != (settings.answer == "attributes"):
            raise SettingsError(
                f"{settings.task}.yaml: 'metrics' of {dataset}: {name!r} does not go with answers "
                f"of kind {settings.answer!r}; allowed: {', '.join(_FAMILIES[settings.answer])}."
            )
        if metric.attribute and metric.attribute not in attributes:
            raise SettingsError(
                f"{settings.task}.yaml: 'metrics' of {dataset}: {name!r} is about no attribute of "
                f"the dataset; its attributes: {', '.join(attributes)}."
            )


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
        (cell.task.value, cell.dataset.value, example.id): example.truth
        for cell in cells
        for example in cell.examples
    }


def why_unscorable(columns: Mapping[str, Any], settings: TaskSettings) -> str | None:
    """Return why answers to an example cannot be scored, or None; columns: reference_columns."""
    row = {**columns, "answer": "", "finish_reason": "stop"}
    try:
        _example(row, settings, settings.of(row["dataset"]))
    except DataError as error:
        return str(error)
    return None


def _example(row: Mapping[str, Any], settings: TaskSettings, template: DatasetTemplate) -> Example:
    kind = settings.answer
    reference = row["reference"]
    form: Form
    truth: Any
    if kind == "number":
        form, truth = _number(reference, settings, template, row["dataset"])
    elif kind in ("ranked_list", "title"):
        form, truth = _choice(row, kind)
    elif kind == "attributes":
        form, truth = _attributes(reference, settings.metrics_of(row["dataset"]), template)
    else:
        if not reference.strip():
            raise DataError("column 'reference' is empty; a text is needed.")
        form, truth = Form("text"), reference.strip()
    asked = row["finish_reason"] != "skipped"
    return Example(row["id"], row["answer"], asked, form, truth, row.get("user_id"))


def _number(
    reference: str, settings: TaskSettings, template: DatasetTemplate, dataset: str
) -> tuple[Form, float]:
    if template.scale is None:
        raise SettingsError(
            f"{settings.task}.yaml: 'datasets.{dataset}.scale' is missing; an answer that is a "
            "number needs its lowest and highest value."
        )
    low, high = template.scale
    value = plain_number(reference.strip())
    if value is None or not low <= value <= high:
        raise DataError(
            f"column 'reference': {reference!r} is not a number from {low:g} to {high:g}."
        )
    return Form("number", scale=(low, high)), value


def _choice(row: Mapping[str, Any], kind: Any) -> tuple[Form, tuple[str, ...]]:
    lists = {}
    for name in ("candidates", "targets"):
        titles = row[name]
        if not titles or any(title is None or not title.strip() for title in titles):
            raise DataError(
                f"column {name!r}: found {titles!r}; task {row['task']} needs a list of titles, "
                "none of them null or empty."
            )
        lists[name] = tuple(title.strip() for title in titles)
    left = list(lists["candidates"])
    for title in lists["targets"]:
        if title not in left:
            raise DataError(f"column 'targets': {title!r} is not among the candidates {left!r}.")
        left.remove(title)
    return Form(kind, candidates=lists["candidates"]), lists["targets"]


def _attributes(
    reference: str, metrics: tuple[str, ...], template: DatasetTemplate
) -> tuple[Form, dict[str, str]]:
    numeric = frozenset(name.partition(":")[2] for name in metrics if name.startswith("rmse:"))
    truth = reference_attributes(reference, template.attributes, numeric)
    if not truth:
        raise DataError(
            f"column 'reference': {reference!r} holds none of the attributes "
            f"{', '.join(template.attributes)} as name:value, joined by commas."
        )
    return Form("attributes", attributes=tuple(truth), numeric=numeric), truth
