"""The model card beside an adapter."""

from typing import Any

from itdr.rendering.plain import in_markdown

_INTRODUCTION = """\
---
base_model: {source}
library_name: peft
pipeline_tag: text-generation
tags: [lora, recommendation]
---

# {title}, fine-tuned for recommendation

A LoRA adapter of `{source}`, trained by ITDR-pipeline on a mixture of instruction examples for
recommendation. Use it with PEFT, or with `itdr infer --adapter`. The base model's licence and the
terms of the datasets hold for it too.

![Loss over the optimiser steps](losses.png)
{more}"""
_VALIDATED = """
![Validation over the optimiser steps](validation.png)
"""


def model_card(record: dict[str, Any]) -> str:
    """Return the text of README.md for a training whose run.json is `record`."""
    model = record["model"]
    facts = {
        "Base model": model["source"],
        "Revision": model["revision"] or "a local folder",
        "SHA-256 of the base weights": record["weights_sha256"] or "see the revision",
        "SHA-256 of the mixture": record["mixture_sha256"],
        "Starts from": _start(record["start_from"]),
        "Examples": f"{record['examples']:,}",
        "Tokens in them": f"{record['tokens']:,}",
        "Too long and left out": _counts(record["dropped"]),
        "Too long and cut": _counts(record["cut"]),
        "Optimiser steps": f"{record['steps']:,}",
        "Step whose adapter this is": _chosen(record["validation"]),
        "Loss at the beginning (nats)": f"{record['first_loss']:.4f}",
        "Loss at the end (nats)": f"{record['final_loss']:.4f}",
        "Seed": record["seed"],
    }
    return "\n".join(
        [
            _INTRODUCTION.format(
                source=model["source"],
                title=model["title"],
                more=_VALIDATED if (record["validation"] or {}).get("best_step") else "",
            ),
            *_table("Data and result", facts),
            *_table("Settings", record["settings"]),
            *_table("Versions", record["provenance"]),
        ]
    )


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
