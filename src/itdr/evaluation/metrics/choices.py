"""Metrics of the probabilities that a model gives to choices.

An example's probabilities are the softmax of the log-probabilities of its choices, or of these per
token. An unreadable answer counts as wrong or does not count, as the settings say: in AUC, where it
counts, it loses against every example of the other class. Errors leave it out.
"""

from collections import defaultdict
from collections.abc import Sequence
from math import inf, log, nan

import numpy as np

from itdr.evaluation.answers import ParsedAnswer
from itdr.evaluation.kinds.core import Example
from itdr.evaluation.likelihoods import (
    Bools,
    auc,
    calibration_error,
    probabilities,
    scores_of,
)
from itdr.evaluation.metrics.rankings import hits_of_scores
from itdr.evaluation.metrics.scorers import Floats, Scorers, Whole
from itdr.registry import METRICS
from itdr.settings.metric import Metric, MetricKind

_KIND = ("choice",)
_BINS = 10
_HANLEY = "Hanley and McNeil, The Meaning and Use of the Area under a ROC Curve, 1982"
_LEAST = float(np.finfo(np.float64).eps)

Answers = Sequence[ParsedAnswer]
Examples = Sequence[Example]


def _weighed(answers: Answers, examples: Examples, metric: Metric, left_out: bool) -> Floats:
    """Return the log-odds of the first of two choices; NaN where an example does not count."""
    values = np.full(len(examples), nan)
    for place, (answer, example) in enumerate(zip(answers, examples, strict=True)):
        if answer.readable:
            first, second = scores_of(answer, example, metric)
            values[place] = first - second
        elif not left_out:
            values[place] = -inf if example.truth == example.form.candidates[0] else inf
    return values


def _positive(examples: Examples) -> Bools:
    return np.array([example.truth == example.form.candidates[0] for example in examples])


def _one_class(examples: Examples, positive: Bools, known: Bools) -> str:
    if positive[known].any() and (~positive[known]).any():
        return ""
    if not known.any():
        return "no answer can be read"
    right = next(example.truth for example, is_known in zip(examples, known, strict=True)
                 if is_known)  # fmt: skip
    return f"{right!r} is right in every example, and AUC compares those of two classes"


@METRICS.register(
    "auc", MetricKind, title="AUC", reads=_KIND, reference=_HANLEY, whole=True, choices=2
)
def _auc(answers: Answers, examples: Examples, metric: Metric, scorers: Scorers) -> Whole:
    """Return the AUC over all examples, the first choice being the positive class."""
    scores, positive = _weighed(answers, examples, metric, scorers.left_out), _positive(examples)
    known = ~np.isnan(scores)
    value = auc(scores[known], positive[known])
    return Whole(lambda times: value(times[known]), _one_class(examples, positive, known))


def _within_users(
    answers: Answers, examples: Examples, metric: Metric, scorers: Scorers, *, by_rows: bool
) -> Whole:
    """Return the mean AUC of the users who have examples of both classes.

    In a resample whole users are drawn, so a user's own AUC stays what it is.
    """
    nowhere = [example for example in examples if example.user_id is None]
    if nowhere:
        why = f"'user_id' is missing in {len(nowhere)} of {len(examples)} examples"
        return Whole(lambda times: nan, why)
    scores, positive = _weighed(answers, examples, metric, scorers.left_out), _positive(examples)
    of_user: dict[str | None, list[int]] = defaultdict(list)
    for place, example in enumerate(examples):
        if not np.isnan(scores[place]):
            of_user[example.user_id].append(place)
    rows = list(of_user.values())
    own = np.array([auc(scores[at], positive[at])(np.ones(len(at))) for at in rows])
    both = np.flatnonzero(~np.isnan(own))
    if not both.size:
        return Whole(lambda times: nan, "no user has examples of both classes")
    first = np.array([rows[user][0] for user in both])
    weights = np.array([len(rows[user]) if by_rows else 1 for user in both], dtype=float)

    def value(times: Floats) -> float:
        drawn = weights * times[first]
        return float(drawn @ own[both] / drawn.sum()) if drawn.any() else nan

    return Whole(value)


@METRICS.register(
    "auc-user",
    MetricKind,
    title="AUC within users",
    reads=_KIND,
    reference="the mean of the AUC of each user with examples of both classes, each counting once",
    whole=True,
    choices=2,
)
def _auc_user(answers: Answers, examples: Examples, metric: Metric, scorers: Scorers) -> Whole:
    return _within_users(answers, examples, metric, scorers, by_rows=False)


@METRICS.register(
    "gauc",
    MetricKind,
    title="GAUC",
    reads=_KIND,
    reference="Zhou et al., Deep Interest Network for Click-Through Rate Prediction, 2018, 5.3: "
    "auc-user with each user counting as often as the user has examples",
    whole=True,
    choices=2,
)
def _gauc(answers: Answers, examples: Examples, metric: Metric, scorers: Scorers) -> Whole:
    return _within_users(answers, examples, metric, scorers, by_rows=True)


@METRICS.register(
    "log-loss",
    MetricKind,
    title="Log loss",
    reads=_KIND,
    reference="the mean of -ln of the right choice's probability, Good, Rational Decisions, 1952; "
    "a probability below 2.2e-16 counts as that",
    lower_is_better=True,
)
def _log_loss(answer: ParsedAnswer, example: Example, metric: Metric, scorers: Scorers) -> float:
    found = probabilities(scores_of(answer, example, metric))
    right = float(found[example.form.candidates.index(example.truth)])
    return abs(log(max(right, _LEAST)))


@METRICS.register(
    "ece",
    MetricKind,
    title="ECE",
    reads=_KIND,
    reference="Guo et al., On Calibration of Modern Neural Networks, 2017: of the most probable "
    "choice, in K bins of equal width, 10 where no @K says how many",
    lower_is_better=True,
    whole=True,
    signature=lambda metric, texts: f"bins:{metric.k or _BINS}|width:equal",
)
def _calibration(answers: Answers, examples: Examples, metric: Metric, scorers: Scorers) -> Whole:
    confidence, right = confidences(answers, examples, metric)
    known = ~np.isnan(confidence)
    bins = metric.k or _BINS

    def value(times: Floats) -> float:
        return calibration_error(confidence[known], right[known], times[known], bins)

    # Drawing again makes bins more uneven, so resamples have larger errors than the examples.
    return Whole(value, "" if known.any() else "no answer can be read", resampled=False)


def confidences(answers: Answers, examples: Examples, metric: Metric) -> tuple[Floats, Floats]:
    """Return the probability of the most probable choice and whether it is right, 0 to 1.

    Both have the shape (examples,) and are NaN where an answer is unreadable.
    """
    found = np.full((2, len(examples)), nan)
    for place, (answer, example) in enumerate(zip(answers, examples, strict=True)):
        if answer.readable:
            scores = scores_of(answer, example, metric)
            right = example.form.candidates.index(example.truth)
            found[:, place] = probabilities(scores).max(), hits_of_scores(scores, right)[0]
    return found[0], found[1]
