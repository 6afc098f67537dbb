"""Rates measured by the jobs that have finished in a results folder."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from itdr.planning.jobs import Job
from itdr.reporting.run import load_run

_FOLDERS = {
    "fetch": ("fetch_dataset", ("dataset",)),
    "normalise": ("normalise_dataset", ("dataset",)),
    "build": ("build_examples", ("task", "dataset")),
    "annotate": ("annotate_examples", ("task", "dataset")),
    "audit": ("audit_examples", ()),
}
"""Folder or file of benchmarks to the rule that writes it and the wildcards in the names."""


@dataclass(frozen=True)
class Measured:
    """Rates of finished jobs, each a mean over all of its kind.

    training, answering: model to tokens per second. stages: rule to seconds per unit.
    jobs: how many jobs each rate was measured on, by "train MODEL", "infer MODEL" or rule.
    """

    training: dict[str, float] = field(default_factory=dict)
    answering: dict[str, float] = field(default_factory=dict)
    stages: dict[str, float] = field(default_factory=dict)
    jobs: dict[str, int] = field(default_factory=dict)


def measured_rates(
    results: Path, units: Callable[[Job], float], answered_tokens: float
) -> Measured:
    """Return the rates of the jobs whose benchmarks lie in a results folder.

    units: of a job of a processor's stage. answered_tokens: tokens of the prompts and answers of
    one column.
    """
    run = load_run(results)
    work: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for (model, _), training in run.trainings.items():
        rate = training.run.get("tokens_per_second")
        if rate:
            work[f"train {model}"].append((float(rate), 1.0))
    for name, seconds in run.seconds.items():
        kind, *names = name.split("/")
        if kind == "infer" and seconds:
            work[f"infer {names[0]}"].append((answered_tokens, seconds))
        elif kind in _FOLDERS and seconds:
            rule, wildcards = _FOLDERS[kind]
            job = Job(rule, dict(zip(wildcards, names, strict=True)))
            work[rule].append((seconds, units(job)))
    rates = {name: sum(a for a, _ in pairs) / sum(b for _, b in pairs)
             for name, pairs in work.items() if sum(b for _, b in pairs)}  # fmt: skip
    return Measured(
        training={name[6:]: rate for name, rate in rates.items() if name.startswith("train ")},
        answering={name[6:]: rate for name, rate in rates.items() if name.startswith("infer ")},
        stages={name: rate for name, rate in rates.items() if " " not in name},
        jobs={name: len(work[name]) for name in rates},
    )
