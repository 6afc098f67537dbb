"""What a trivial answer is, and answering test records with one."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, log
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from itdr.errors import DataError, SettingsError
from itdr.instructions.record import PREDICTION, reference_columns
from itdr.instructions.tasks import TaskSettings, load_task
from itdr.provenance import Maker
from itdr.registry import TRIVIAL_ANSWERS

Record = Mapping[str, Any]
Answerer = Callable[[Record, np.random.Generator], str | Mapping[str, float]]
"""From a record to the answer: a text, or of choices the probability of each."""


class ItemFacts(NamedTuple):
    """What is known of an item: its categories, and its year of release or None."""

    categories: Collection[str] = ()
    year: int | None = None


@dataclass(frozen=True)
class Known:
    """What trivial answers may know of one task and dataset.

    train: the training records. items: what is known of items, by id; empty where not needed.
    """

    task: TaskSettings
    dataset: str
    train: Sequence[Record]
    items: Mapping[str, ItemFacts] = field(default_factory=dict)


@dataclass(frozen=True)
class TrivialAnswer:
    """How a trivial answer is made.

    prepare: turns what is known of one task and dataset into what answers a record. answers: the
    kinds of answers that it gives. choices: of which source, if it gives choices; "" for any.
    needs_train, needs_items: whether it uses them.
    """

    name: str
    prepare: Callable[[Known], Answerer]
    description: str
    answers: tuple[str, ...]
    choices: str = ""
    needs_train: bool = True
    needs_items: bool = False


def answer_trivially(
    name: str,
    train: pa.Table,
    test: pa.Table,
    *,
    folders: Sequence[Path],
    seed: int,
    items: Mapping[str, Mapping[str, ItemFacts]] | None = None,
) -> pa.Table:
    """Return trivial answers to the test records (columns: PREDICTION).

    train, test: columns as in RECORD; training records of other tasks and datasets are not used.
    folders: of configuration, with the task files. seed: of random answers and of ties; a record's
    answer depends on it and the record's id alone. items: dataset to what is known of its items,
    by id.

    Raises:
        SettingsError: unknown name, or no answer to a task in `test`.
        DataError: there is no training record for a task and dataset in `test`, or no items.
    """
    trivial: TrivialAnswer = TRIVIAL_ANSWERS.find(name)
    train_records = _by_cell(train)
    answers: dict[str, dict[str, Any]] = {}
    for (task, dataset), records in _by_cell(test).items():
        settings = load_task(task, folders)
        if settings.answer not in trivial.answers:
            raise SettingsError(
                f"trivial answer {name}: the task {task} asks for answers of the kind "
                f"{settings.answer!r}, and it gives {', '.join(trivial.answers)} alone."
            )
        if trivial.needs_items and dataset not in (items or {}):
            raise DataError(
                f"trivial answer {name}: needs the items of {dataset}; none were given."
            )
        learnt_from = train_records.get((task, dataset), [])
        if trivial.needs_train and not learnt_from:
            raise DataError(f"trivial answer {name}: no training example of {task} on {dataset}.")
        known = Known(settings, dataset, learnt_from, (items or {}).get(dataset, {}))
        answer = trivial.prepare(known)
        for record in records:
            answers[record["id"]] = _columns(answer(record, _generator(seed, record["id"])))
    shared = Maker(engine=name, seed=seed).columns | {"finish_reason": "stop"}
    predictions = [
        reference_columns(record) | answers[record["id"]] | shared for record in test.to_pylist()
    ]
    return pa.Table.from_pylist(predictions, schema=PREDICTION)


def _columns(answer: str | Mapping[str, float]) -> dict[str, Any]:
    if isinstance(answer, str):
        return {"answer": answer}
    choices = [
        # One token each, so that a logprob per token is that of the choice.
        {"text": text, "logprob": log(p) if p > 0 else -inf, "tokens": 1}
        for text, p in answer.items()
    ]
    return {"answer": max(answer, key=lambda text: answer[text]), "choices": choices}


def _by_cell(table: pa.Table) -> dict[tuple[str, str], list[Record]]:
    cells: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in table.to_pylist():
        cells[record["task"], record["dataset"]].append(record)
    return cells


def _generator(seed: int, record_id: str) -> np.random.Generator:
    digest = hashlib.sha256(record_id.encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "big")])
