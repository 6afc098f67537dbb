"""Trivial answers, worked out from the training part and the test record alone.

They are texts in the asked-for form and go through the same reading and scoring as a model's. A
model that does not beat them has learnt nothing of its task.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from itdr.errors import DataError, SettingsError, nearest
from itdr.evaluation.trivial_texts import frequent_text, majority, template_fill
from itdr.instructions.record import PREDICTION, reference_columns
from itdr.vocabulary import BASELINE_TASKS, Baseline, Task

Row = Mapping[str, Any]
Categories = Mapping[str, Collection[str]]
Answerer = Callable[[Row, np.random.Generator], str]


@dataclass(frozen=True)
class Recipe:
    """How a trivial answer is made.

    prepare: turns the training rows of one task and dataset, and the categories of items, into
    what answers a record. needs_train, needs_categories: whether it uses them.
    """

    description: str
    prepare: Callable[[Sequence[Row], Categories], Answerer]
    needs_train: bool = True
    needs_categories: bool = False


def answer_trivially(
    name: str,
    train: pa.Table,
    test: pa.Table,
    seed: int,
    categories: Mapping[str, Categories] | None = None,
) -> pa.Table:
    """Return a baseline's answers to the test records (columns: PREDICTION).

    train, test: columns as in RECORD; training rows of other tasks and datasets are not used.
    seed: of random answers and of ties; a record's answer depends on it and the record's id alone.
    categories: dataset to the categories of every item id, for same-category.

    Raises:
        SettingsError: unknown baseline, or the baseline does not answer a task in `test`.
        DataError: there is no training row for a task and dataset in `test`, or no categories.
    """
    recipe, tasks = RECIPES[_known(name)], answered_by(name)
    train_rows = _by_cell(train)
    answers: dict[str, str] = {}
    for (task, dataset), rows in _by_cell(test).items():
        if task not in tasks:
            raise SettingsError(
                f"baseline {name} does not answer task {task}, only {', '.join(tasks)}."
            )
        if recipe.needs_categories and dataset not in (categories or {}):
            raise DataError(
                f"baseline {name}: needs the categories of the items of {dataset}; none were given."
            )
        learnt_from = train_rows.get((task, dataset), [])
        if recipe.needs_train and not learnt_from:
            raise DataError(f"baseline {name}: no training example of {task} on {dataset}.")
        answer = recipe.prepare(learnt_from, (categories or {}).get(dataset, {}))
        for row in rows:
            answers[row["id"]] = answer(row, _generator(seed, row["id"]))
    predictions = [
        reference_columns(row) | {"answer": answers[row["id"]], "finish_reason": "stop"}
        for row in test.to_pylist()
    ]
    return pa.Table.from_pylist(predictions, schema=PREDICTION)


def answered_by(name: str) -> tuple[Task, ...]:
    """Return the tasks that a baseline answers.

    Raises:
        SettingsError: unknown baseline.
    """
    return BASELINE_TASKS[_known(name)]


def _known(name: str) -> Baseline:
    if name not in list(Baseline):
        raise SettingsError(
            f"unknown baseline {name!r}.{nearest(name, Baseline)} Allowed: {', '.join(Baseline)}."
        )
    return Baseline(name)


def _by_cell(table: pa.Table) -> dict[tuple[str, str], list[Row]]:
    cells: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in table.to_pylist():
        cells[row["task"], row["dataset"]].append(row)
    return cells


def _generator(seed: int, record_id: str) -> np.random.Generator:
    digest = hashlib.sha256(record_id.encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "big")])


def _global_mean(train: Sequence[Row], _: Categories) -> Answerer:
    mean = float(np.mean([float(row["output"]) for row in train]))
    return lambda row, generator: f"{mean:.4f}"


def _user_mean(train: Sequence[Row], _: Categories) -> Answerer:
    mean = float(np.mean([float(row["output"]) for row in train]))

    def answer(row: Row, generator: np.random.Generator) -> str:
        ratings = [item["rating"] for item in row["history"] or [] if item["rating"] is not None]
        return f"{np.mean(ratings) if ratings else mean:.4f}"

    return answer


def _random(train: Sequence[Row], _: Categories) -> Answerer:
    return lambda row, generator: _ranked(row, lambda item: 0.0, generator)


def _popularity(train: Sequence[Row], _: Categories) -> Answerer:
    times = Counter(
        item
        for row in train
        for item in [*(shown["item_id"] for shown in row["history"] or []), *(row["targets"] or [])]
    )
    return lambda row, generator: _ranked(row, lambda item: times[item], generator)


def _same_category(train: Sequence[Row], categories: Categories) -> Answerer:
    def answer(row: Row, generator: np.random.Generator) -> str:
        history = row["history"] or []
        liked = Counter(name for item in history for name in categories.get(item["item_id"], ()))

        def share(item: str) -> float:
            names = categories.get(item, ())
            return sum(liked[name] for name in names) / len(names) if names else 0.0

        return _ranked(row, share, generator)

    return answer


def _ranked(row: Row, score: Callable[[str], float], generator: np.random.Generator) -> str:
    """Return the candidates by score, highest first, ties in random order; for NIR the first."""
    candidates = row["candidates"]
    shuffled = generator.permutation(len(candidates))
    # Never the order shown: were it to give the truth away, a baseline must not profit from it.
    order = sorted(shuffled, key=lambda at: -score(candidates[at]["item_id"]))
    titles = [candidates[at]["title"] for at in order]
    if row["task"] == Task.NIR:
        return str(titles[0])
    return "\n".join(f"{place}. {title}" for place, title in enumerate(titles, start=1))


def _majority(train: Sequence[Row], _: Categories) -> Answerer:
    text = majority([row["output"] for row in train])
    return lambda row, generator: text


def _frequent_text(train: Sequence[Row], _: Categories) -> Answerer:
    text = frequent_text([row["output"] for row in train])
    return lambda row, generator: text


def _template_fill(train: Sequence[Row], _: Categories) -> Answerer:
    return lambda row, generator: template_fill(row)


RECIPES = {
    Baseline.GLOBAL_MEAN: Recipe("mean of the training ratings", _global_mean),
    Baseline.USER_MEAN: Recipe("mean of the ratings shown", _user_mean),
    Baseline.RANDOM: Recipe("the candidates in random order", _random, needs_train=False),
    Baseline.POPULARITY: Recipe(
        "by how often an item stands in training histories and targets", _popularity
    ),
    Baseline.SAME_CATEGORY: Recipe(
        "by how many items of the history share the candidate's categories, a mean over these",
        _same_category,
        needs_train=False,
        needs_categories=True,
    ),
    Baseline.MAJORITY: Recipe(
        "the most frequent value of each attribute, the median of age and birth_year", _majority
    ),
    Baseline.FREQUENT_TEXT: Recipe(
        "the most frequent training text, the first in order of the alphabet among equals",
        _frequent_text,
    ),
    Baseline.TEMPLATE_FILL: Recipe(
        "one sentence around the titles shown or the beginning of the input",
        _template_fill,
        needs_train=False,
    ),
}
