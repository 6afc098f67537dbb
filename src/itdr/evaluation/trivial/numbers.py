"""Ratings without a model: means."""

import numpy as np

from itdr.evaluation.trivial.core import Answerer, Known, Record, TrivialAnswer
from itdr.registry import TRIVIAL_ANSWERS


@TRIVIAL_ANSWERS.register(
    "global-mean",
    TrivialAnswer,
    description="mean of the training ratings",
    answers=("number",),
)
def _global_mean(known: Known) -> Answerer:
    mean = _mean_output(known)
    return lambda record, generator: f"{mean:.4f}"


@TRIVIAL_ANSWERS.register(
    "user-mean",
    TrivialAnswer,
    description="mean of the ratings shown",
    answers=("number",),
)
def _user_mean(known: Known) -> Answerer:
    mean = _mean_output(known)

    def answer(record: Record, generator: np.random.Generator) -> str:
        ratings = [item["rating"] for item in record["history"] or [] if item["rating"] is not None]
        return f"{np.mean(ratings) if ratings else mean:.4f}"

    return answer


def _mean_output(known: Known) -> float:
    return float(np.mean([float(record["output"]) for record in known.train]))
