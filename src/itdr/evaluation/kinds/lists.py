"""Candidates in an order, and the title of one of them."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from itdr.errors import DataError
from itdr.evaluation.answers import Form
from itdr.evaluation.answers.choices import read_choice
from itdr.evaluation.answers.rankings import read_ranking
from itdr.evaluation.kinds.core import AnswerKind
from itdr.instructions.tasks import TaskSettings
from itdr.registry import ANSWER_KINDS


def _candidates(
    row: Mapping[str, Any], task: TaskSettings, dataset: str, *, kind: str
) -> tuple[Form, tuple[str, ...]]:
    lists = {}
    for name in ("candidates", "targets"):
        titles = row[name]
        if not titles or any(title is None or not title.strip() for title in titles):
            raise DataError(
                f"column {name!r}: found {titles!r}; task {task.task} needs a list of titles, "
                "none of them null or empty."
            )
        lists[name] = tuple(title.strip() for title in titles)
    left = list(lists["candidates"])
    for title in lists["targets"]:
        if title not in left:
            raise DataError(f"column 'targets': {title!r} is not among the candidates {left!r}.")
        left.remove(title)
    return Form(kind, candidates=lists["candidates"]), lists["targets"]


def _ranking(example: Mapping[str, Any], task: TaskSettings, dataset: str) -> str:
    """Return the positives and behind them the others, each in the order of the list shown.

    Any other order could not be worked out from the input.
    """
    positives = {item["item_id"] for item in example["positives"]}
    ranked = sorted(example["candidates"], key=lambda item: item["item_id"] not in positives)
    return "\n".join(f"{place}. {item['title']}" for place, item in enumerate(ranked, 1))


ANSWER_KINDS.register(
    "ranked_list",
    AnswerKind,
    read=lambda text, form, lenient: read_ranking(text, form.candidates, lenient),
    write=_ranking,
    faults=("duplicated", "out_of_list", "missing"),
)(partial(_candidates, kind="ranked_list"))
ANSWER_KINDS.register(
    "title",
    AnswerKind,
    read=lambda text, form, lenient: read_choice(text, form.candidates, lenient),
    write=lambda example, task, dataset: str(example["positives"][0]["title"]),
    faults=("out_of_list",),
)(partial(_candidates, kind="title"))
