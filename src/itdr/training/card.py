"""The model card beside an adapter."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from itdr.rendering.plain import in_markdown
from itdr.vocabulary import Origin

PICTURES = ("losses.png", "validation.png")
"""What the card shows; the second where validation chose a step."""

_INTRODUCTION = """\
---
{metadata}---

# {title}, fine-tuned for recommendation

A LoRA adapter of `{source}`, trained by ITDR-pipeline on a mixture of instruction examples for
recommendation. Use it with PEFT, or with `itdr infer --adapter`.

{data}

![Loss over the optimiser steps](losses.png)
{more}
"""
_VALIDATED = """
![Validation over the optimiser steps](validation.png)
"""

_LICENCE = "That of the base model and the terms of the datasets are its licence."
_SIMULATED = (
    "**The examples are simulated**: users, items and interactions come from a program, so it has "
    "learnt nothing of real users."
)
_NO_SCORES = (
    "Scores are not known when an adapter is trained. `itdr export model-card` writes this card "
    "again with those of `itdr score`."
)
_HEADS = ("Task", "Dataset", "Metric", "Value", "95% interval", "n", "unreadable")


def model_card(
    record: Mapping[str, Any],
    index: Sequence[Mapping[str, Any]] = (),
    scores: Sequence[Sequence[str]] = (),
) -> str:
    """Return the text of README.md for a training whose run.json is `record`.

    index: results as a hub's model-index has them. scores: rows of a table with the columns task,
    dataset, metric, value, interval, n and how many answers could not be read.
    """
    model = record["model"]
    facts = {
        "Base model": model["source"],
        "Revision": model["revision"] or "a local folder",
        "SHA-256 of the base weights": record["weights_sha256"] or "see the revision",
        "SHA-256 of the mixture": record["mixture_sha256"],
        "Starts from": _start(record.get("start_from")),
        "Examples": f"{record['examples']:,}",
        "Tokens in them": f"{record['tokens']:,}",
        "Too long and left out": _counts(record["dropped"]),
        "Too long and cut": _counts(record["cut"]),
        "Optimiser steps": f"{record['steps']:,}",
        "Step whose adapter this is": _chosen(record.get("validation")),
        "Loss at the beginning (nats)": f"{record['first_loss']:.4f}",
        "Loss at the end (nats)": f"{record['final_loss']:.4f}",
        "Seed": record["seed"],
    }
    introduction = _INTRODUCTION.format(
        metadata=yaml.safe_dump(_metadata(record, index), sort_keys=False, allow_unicode=True),
        source=model["source"],
        title=model["title"],
        more=_VALIDATED if (record.get("validation") or {}).get("best_step") else "",
        data=f"{_SIMULATED} {_LICENCE}" if _is_simulated(record) else _LICENCE,
    )
    return "\n".join(
        [
            introduction,
            *_scores(scores),
            *_table("Data and result", facts),
            *_table("Settings", record["settings"]),
            *_table("Versions", record["provenance"]),
        ]
    )


def _is_simulated(record: Mapping[str, Any]) -> bool:
    return record.get("data") == Origin.SIMULATED


def _metadata(record: Mapping[str, Any], index: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    model = record["model"]
    found = {
        "base_model": model["source"],
        "library_name": "peft",
        "pipeline_tag": "text-generation",
        "license": "other",
        "license_name": "those-of-base-model-and-datasets",
        "license_link": "README.md",
        "datasets": list(record.get("datasets", ())),
        "tags": ["lora", "recommendation", *(["synthetic"] if _is_simulated(record) else [])],
    }
    if index:
        found["model-index"] = [{"name": model["title"], "results": list(index)}]
    return found


def _scores(rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return ["## Scores", "", _NO_SCORES, ""]
    rule = [*["---"] * 3, *["---:"] * 4]
    lines = [_HEADS, rule, *([*map(in_markdown, row)] for row in rows)]
    return ["## Scores", "", *(f"| {' | '.join(line)} |" for line in lines), ""]


def _chosen(validation: dict[str, Any] | None) -> str:
    """Return which step was chosen, and by how many rows whose answers are known."""
    if validation is None or validation["best_step"] is None:
        return "the last one"
    early = ", training stopped early" if validation["stopped_early"] else ""
    return (
        f"{validation['best_step']:,}, chosen by {validation['metric']} "
        f"{validation['best_value']:.4f} of {validation['rows']:,} labelled rows that are not in "
        f"the mixture{early}"
    )


def _start(start: dict[str, Any] | None) -> str:
    """Return the adapters that were trained before this one, the last first."""
    if start is None:
        return "a new adapter"
    before = f", which starts from {_start(start['start_from'])}" if start["start_from"] else ""
    on = f", trained on the mixture {start['mixture_sha256']}" if start["mixture_sha256"] else ""
    return f"the adapter whose weights have the SHA-256 {start['adapter_sha256']}{on}{before}"


def _counts(by_task: dict[str, int]) -> str:
    return ", ".join(f"{task} {count:,}" for task, count in sorted(by_task.items())) or "none"


def _table(title: str, rows: dict[str, Any]) -> list[str]:
    lines = [f"| {in_markdown(name)} | {in_markdown(str(value))} |" for name, value in rows.items()]
    return [f"## {title}", "", "| | |", "|---|---|", *lines, ""]
