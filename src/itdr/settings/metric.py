"""What the id of a metric stands for. The metrics themselves are in `itdr.evaluation.metrics`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from itdr.errors import SettingsError
from itdr.registry import METRICS

REPAIRED = "-repaired"
"""What stands behind the id of a metric of lists whose faults have been repaired."""

PER_TOKEN = "-per-token"  # noqa: S105 (no password)
"""What stands behind the id of a metric of choices whose log-probabilities are divided by their
numbers of tokens."""


@dataclass(frozen=True)
class MetricKind:
    """A metric, or a family of them that differ in a number or an attribute.

    Attributes:
        name: what ids begin with.
        value: from a readable answer, its example, the metric and the scorers to the value of the
            example; of squared errors, the number that the answer gives.
        title: printed name.
        reads: the kinds of answers that it goes with; none: no task file may name it.
        lower_is_better: its direction.
        reference: where its formula is defined.
        squared_error: whether a cell's value is the root of the mean of squared errors.
        variants: what may stand behind the name and a hyphen, if anything must.
        signature: from the metric and what compares texts to package, version and choices.
        whole: whether it is of a whole cell and not a mean over examples; `value` then takes the
            answers, the examples, the metric and the scorers, and returns a
            `itdr.evaluation.metrics.scorers.Whole`.
        choices: how many choices the task file must name; 0: any, or each example's own.
    """

    name: str
    value: Callable[..., Any]
    title: str
    reads: tuple[str, ...]
    reference: str
    lower_is_better: bool = False
    squared_error: bool = False
    variants: tuple[str, ...] = ()
    signature: Callable[..., str] | None = None
    whole: bool = False
    choices: int = 0


@dataclass(frozen=True)
class Metric:
    """The parts of a metric's id: KIND, KIND@K, KIND-VARIANT or KIND:ATTRIBUTE.

    ndcg@10 has k=10, rouge-l the variant "l", rmse:age the attribute "age"; ndcg@10-repaired is of
    repaired lists, hit@1-per-token of log-probabilities per token.
    """

    id: str
    kind: MetricKind
    k: int = 0
    variant: str = ""
    attribute: str = ""
    repaired: bool = False
    per_token: bool = False


def parse_metric(name: str) -> Metric:
    """Return the metric that an id stands for.

    Raises:
        SettingsError: there is none.
    """
    whole, repaired = name.removesuffix(REPAIRED), name.endswith(REPAIRED)
    whole, per_token = whole.removesuffix(PER_TOKEN), whole.endswith(PER_TOKEN)
    stem, _, attribute = whole.partition(":")
    stem, at, k = stem.partition("@")
    variant = ""
    if stem not in METRICS and not at:
        stem, _, variant = stem.rpartition("-")
    known = stem in METRICS and (not METRICS[stem].variants or variant in METRICS[stem].variants)
    if not known or (at and not (k.isascii() and k.isdigit() and int(k) > 0)):
        raise SettingsError(
            f"unknown metric {name!r}; allowed are {', '.join(METRICS)}, some with @K (ndcg@10), a "
            "variant (rouge-l) or :ATTRIBUTE (rmse:age) behind them"
        )
    return Metric(name, METRICS[stem], int(k or 0), variant, attribute, repaired, per_token)


def lower_is_better(metric: str) -> bool:
    """Say whether a smaller value of the metric with this id is the better one."""
    return parse_metric(metric).kind.lower_is_better


def metric_title(name: str) -> str:
    """Return a metric's printed name, such as "HR@1" for hit@1 or "RMSE (age)" for rmse:age."""
    metric = parse_metric(name)
    title = metric.kind.title
    title += f"@{metric.k}" if metric.k else ""
    title += f"-{metric.variant.upper()}" if metric.variant else ""
    title += ", repaired" if metric.repaired else ""
    title += ", per token" if metric.per_token else ""
    return f"{title} ({metric.attribute.replace('_', ' ')})" if metric.attribute else title


def judging_metric(metric: str) -> str:
    """Return the metric that says which of two is better, such as rmse-midpoint for rmse."""
    kind, colon, attribute = metric.partition(":")
    return f"rmse-midpoint{colon}{attribute}" if kind == "rmse" else metric
