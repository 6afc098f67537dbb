"""Probabilities of fixed choices without a model: shares of the training examples and the history.

They are shares as they are, so they may be 0 and 1: AUC needs no more, log loss takes them at their
word.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

import numpy as np

from itdr.evaluation.kinds.choice import rated_choice
from itdr.evaluation.trivial.core import Answerer, Known, Record, TrivialAnswer
from itdr.registry import TRIVIAL_ANSWERS

_KIND = ("choice",)


@TRIVIAL_ANSWERS.register(
    "majority-choice",
    TrivialAnswer,
    description="each choice with the share of training examples in which it is right",
    answers=_KIND,
    choices="fixed",
)
def _majority(known: Known) -> Answerer:
    shares = _training_shares(known)
    return lambda record, generator: shares


@TRIVIAL_ANSWERS.register(
    "history-share",
    TrivialAnswer,
    description="each of two choices with the share of the items shown whose rating would make it "
    "right; without a rated item as majority-choice",
    answers=_KIND,
    choices="fixed",
)
def _history_share(known: Known) -> Answerer:
    shares = _training_shares(known)

    def answer(record: Record, generator: np.random.Generator) -> dict[str, float]:
        ratings = [item["rating"] for item in record["history"] or () if item["rating"] is not None]
        labels = [rated_choice(rating, known.task, known.dataset) for rating in ratings]
        return _shares(known, labels) if labels else shares

    return answer


@TRIVIAL_ANSWERS.register(
    "item-share",
    TrivialAnswer,
    description="each choice with the share of the target's training examples in which it is "
    "right: the item mean; without any as majority-choice",
    answers=_KIND,
    choices="fixed",
)
def _item_share(known: Known) -> Answerer:
    outputs: dict[str, list[str]] = defaultdict(list)
    for record in known.train:
        for item in record["targets"] or ():
            outputs[item].append(record["output"])
    of_item = {item: _shares(known, found) for item, found in outputs.items()}
    shares = _training_shares(known)
    return lambda record, generator: of_item.get((record["targets"] or [""])[0], shares)


def _training_shares(known: Known) -> dict[str, float]:
    return _shares(known, (record["output"] for record in known.train))


def _shares(known: Known, labels: Iterable[str]) -> dict[str, float]:
    counts = Counter(label.strip() for label in labels)
    return {choice: counts[choice] / counts.total() for choice in known.task.choices or ()}
