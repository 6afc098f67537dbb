"""Building the examples of one task from the tables of one dataset."""

import logging
from pathlib import Path
from typing import Any

import pyarrow as pa

from itdr.errors import DataError
from itdr.instructions.record import DRAFT
from itdr.instructions.sampling import Draw, sample
from itdr.instructions.templates import ExampleText
from itdr.settings.experiment import BuildSettings
from itdr.settings.task import TaskSettings
from itdr.storage import write_parquet

log = logging.getLogger("itdr")


def build(
    task: TaskSettings,
    dataset: str,
    tables: Path,
    out: Path,
    settings: BuildSettings,
    *,
    seed: int,
    threads: int | None = None,
) -> int:
    """Write the examples of a task for one dataset (columns: DRAFT) and return how many they are.

    Raises:
        SettingsError: the task has no template for the dataset, or the template is wrong.
        MissingFileError, DataError: the tables are not there, not readable, or hold no user with
            enough history.
    """
    template = task.of(dataset)
    text = ExampleText(task, dataset)
    draw = Draw(
        examples=min(template.examples, settings.max_examples or template.examples),
        negatives=settings.negatives,
        seed=seed,
        salt=f"{task.task}/{dataset}",
        attributes=template.attributes,
        liked=template.liked,
    )
    examples = sample(tables, task.sampling, draw, threads)
    if not examples:
        raise DataError(
            f"{tables}: no user has enough history for {task.task}; config/tasks/{task.task}.yaml "
            f"asks for {task.sampling.model_dump()}. Take more data or ask for less."
        )
    if len(examples) < draw.examples:
        log.info("%s: %d examples; %d were asked for, but no more users have enough history",
                 draw.salt, len(examples), draw.examples)  # fmt: skip
    records = [_record(task, dataset, text, example) for example in examples]
    write_parquet(out, pa.Table.from_pylist(records, schema=DRAFT))
    return len(records)


def _record(
    task: TaskSettings, dataset: str, text: ExampleText, example: dict[str, Any]
) -> dict[str, Any]:
    positives = [example["target"]] if "target" in example else example.get("positives")
    return {
        "id": "/".join(filter(None, (task.task, dataset, example["domain"], example["user_id"]))),
        "task": task.task.value,
        "dataset": dataset,
        "domain": example["domain"],
        "user_id": example["user_id"],
        "instruction": task.description,
        "input": text.input(example),
        "output": text.output(example),
        "history": [_kept(item) for item in example["history"]],
        "candidates": [_kept(item) for item in example["candidates"]]
        if "candidates" in example
        else None,
        "targets": [item["item_id"] for item in positives] if positives else None,
        "template_version": task.version,
        "teacher_prompt": text.teacher_prompt(example),
        "teacher": None,
    }


def _kept(item: dict[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in ("item_id", "title", "rating")}
