"""Building the examples of one task from the tables of one dataset."""

import logging
from pathlib import Path
from typing import Any

import pyarrow as pa

from itdr.errors import DataError
from itdr.files.formats import write_parquet
from itdr.instructions.protocol import Protocol, table_origin
from itdr.instructions.record import DRAFT
from itdr.instructions.sampling import Draw, sample
from itdr.instructions.split import training_users
from itdr.instructions.tasks import TaskSettings
from itdr.instructions.templates import ExampleText
from itdr.settings.experiment import BuildSettings, SplitSettings

log = logging.getLogger("itdr")


def build(
    task: TaskSettings,
    dataset: str,
    tables: Path,
    out: Path,
    settings: BuildSettings,
    *,
    division: SplitSettings | None = None,
    seed: int,
    threads: int | None = None,
) -> int:
    """Write the examples of a task for one dataset (columns: DRAFT) and return how many they are.

    division: how `split` divides the examples with the same seed afterwards. Where it divides
    users, reviews are shown of those of the training part alone, because an item of the training
    part would else show what users of the test part wrote.

    Raises:
        SettingsError: the task has no template for the dataset, or the template is wrong.
        MissingFileError, DataError: the tables are not there, not readable, or hold nothing that is
            fit for the task.
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
        disliked=template.disliked,
        reviews=template.reviews,
        reviewers=training_users(dataset, division or SplitSettings(), seed),
        domain_pairs=template.domain_pairs,
    )
    examples = sample(tables, task.sampling, draw, threads, settings.memory_limit_mb)
    if not examples:
        raise DataError(
            f"{tables}: nothing is fit for {task.task}; tasks/{task.task}.yaml "
            f"asks for {task.sampling.model_dump()}. Take more data or ask for less."
        )
    if len(examples) < draw.examples:
        log.info("%s: %d examples; %d were asked for, but no more are fit",
                 draw.salt, len(examples), draw.examples)  # fmt: skip
    records = [_record(task, dataset, text, example) for example in examples]
    chosen = hasattr(task.sampling, "negatives")
    protocol = Protocol(settings.negatives if chosen else None, data=table_origin(tables))
    write_parquet(out, pa.Table.from_pylist(records, schema=protocol.attached(DRAFT)))
    return len(records)


def _record(
    task: TaskSettings, dataset: str, text: ExampleText, example: dict[str, Any]
) -> dict[str, Any]:
    whose = example.get("user_id") or example["item_id"]
    place = str(example.get("window", ""))
    shown = [*example.get("source_history", []), *example.get("history", [])]
    targets = [item["item_id"] for item in _asked_for(example)]
    candidates = [_kept(item) for item in example.get("candidates", [])]
    places = {item["item_id"]: place for place, item in enumerate(candidates, 1)}
    asked = text.input(example)
    return {
        "id": "/".join(filter(None, (task.task, dataset, example["domain"], whose, place))),
        "task": task.task,
        "dataset": dataset,
        "domain": example["domain"],
        "user_id": example.get("user_id"),
        "item_id": example.get("item_id"),
        "instruction": task.description,
        "input": asked,
        "output": text.output(example),
        "history": [_kept(item) for item in shown] or None,
        "candidates": candidates or None,
        "targets": targets or None,
        "target_places": [places[item] for item in targets] if candidates else None,
        "template_version": task.version,
        "teacher_prompt": text.teacher_prompt(example, asked),
        "teacher": None,
    }


def _asked_for(example: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the items that the output is about, none where it is about the user or an item."""
    return [example["target"]] if "target" in example else example.get("positives", [])


def _kept(item: dict[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in ("item_id", "title", "rating")}
