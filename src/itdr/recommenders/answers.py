"""Answers of one cell in the form that its task asks for."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from itdr.errors import DataError
from itdr.instructions.tasks import TaskSettings
from itdr.recommenders.interactions import Array, Recommender
from itdr.recommenders.texts import AttributeModel, NearestText
from itdr.recommenders.visible import Visible

Record = Mapping[str, Any]
Answerer = Callable[[Record], str]


def by_scores(
    model: Recommender, visible: Visible, task: TaskSettings, dataset: str, seed: int
) -> Answerer:
    """Return what answers an example (a row of RECORD) by the scores of a fitted recommender.

    A rating is held to the dataset's scale. Candidates stand by score, highest first, ties in an
    order drawn by the seed and the example's id, never in the order shown: were that to give the
    truth away, a recommender must not profit from it.
    """
    low, high = task.of(dataset).scale or (-np.inf, np.inf)

    def scores(row: Record, items: Sequence[str]) -> Array:
        history = visible.interactions.history(visible.users[row["user_id"]])
        return model.score(history, np.array([visible.items[item] for item in items]))

    def number(row: Record) -> str:
        return f"{np.clip(scores(row, row['targets'])[0], low, high):.4f}"

    def choice(row: Record) -> str:
        found = scores(row, [item["item_id"] for item in row["candidates"]])
        titles = [row["candidates"][at]["title"] for at in ranking(found, row["id"], seed)]
        if task.answer == "title":
            return str(titles[0])
        return "\n".join(f"{place}. {title}" for place, title in enumerate(titles, start=1))

    return number if task.answer == "number" else choice


def ranking(scores: Array, record_id: str, seed: int) -> Array:
    """Return the places from 0 by score, highest first, ties in an order drawn for the record."""
    digest = hashlib.sha256(record_id.encode()).digest()
    generator = np.random.default_rng([seed, int.from_bytes(digest[:8], "big")])
    return np.lexsort((generator.permutation(len(scores)), -scores))


def from_examples(task: TaskSettings, dataset: str, train: Sequence[Record]) -> Answerer:
    """Return what answers an example by what it learnt from training examples of the same cell.

    Raises:
        DataError: there are none, or they hold no attribute.
    """
    if not train:
        raise DataError(f"no training example of {task.task} on {dataset} to learn from.")
    model: AttributeModel | NearestText = NearestText()
    if task.answer == "attributes":
        metrics = (metric.partition(":") for metric in task.metrics_of(dataset))
        numeric = {attribute for family, _, attribute in metrics if family == "rmse"}
        model = AttributeModel(task.of(dataset).attributes, numeric)
    model.fit([row["input"] for row in train], [row["output"] for row in train])
    return lambda row: model.answer(row["input"])
