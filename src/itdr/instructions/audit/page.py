"""The audit as a page to read."""

from collections.abc import Mapping, Sequence
from typing import Any

from itdr.instructions.audit.lengths import PERCENTILES
from itdr.rendering.plain import in_markdown
from itdr.vocabulary import Part

_SHOWN = 5  # faults of each kind


def page(report: Mapping[str, Any]) -> str:
    """Return the report (the content of audit.json) as Markdown."""
    return "\n\n".join(
        [
            "# Audit of the instruction examples",
            _verdict(report),
            "## What was looked for",
            _table(("Fault", "What it means", "Found", "Examples", "Result"),
                   [_check_row(check) for check in report["checks"]]),
            *_unchecked(report["checks"]),
            *_found(report["checks"]),
            "## Examples",
            _table(("Task", "Dataset", *Part, "all"), _cell_rows(report["cells"])),
            *_lengths(report["lengths"]),
        ]
    ) + "\n"  # fmt: skip


def _verdict(report: Mapping[str, Any]) -> str:
    stopping = [c["check"] for c in report["checks"] if c["faults"] and not c["tolerated"]]
    tolerated = [c["check"] for c in report["checks"] if c["faults"] and c["tolerated"]]
    words = f"**Not clean:** {', '.join(stopping)}." if stopping else "**Clean.**"
    return words + (f" Found but tolerated: {', '.join(tolerated)}." if tolerated else "")


def _check_row(check: Mapping[str, Any]) -> tuple[str, ...]:
    if check["faults"]:
        result = "tolerated" if check["tolerated"] else "**stops the build**"
    else:
        result = "not all could be checked" if check["unchecked"] else "clean"
    return (check["check"], check["meaning"], f"{check['faults']:,}", f"{check['examples']:,}",
            result)  # fmt: skip


def _unchecked(checks: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = [
        f"- {check['check']}: {number:,} examples, because {why}"
        for check in checks
        for why, number in check["unchecked"].items()
    ]
    return ["Not checked:\n\n" + "\n".join(lines)] if lines else []


def _found(checks: Sequence[Mapping[str, Any]]) -> list[str]:
    sections = []
    for check in checks:
        if not check["faults"]:
            continue
        first = check["first"][:_SHOWN]
        more = check["faults"] - len(first)
        rest = f"\n\n{more:,} more stand in `faults.csv`." if more else ""
        rows = [(f["id"], f["part"], f["why"]) for f in first]
        sections += [f"## {check['check']}", _table(("Example", "Part", "Found"), rows) + rest]
    return sections


def _cell_rows(cells: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    def row(name: tuple[str, str], chosen: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
        counts = [sum(cell[part] for cell in chosen) for part in Part]
        return (*name, *(f"{count:,}" for count in counts), f"{sum(counts):,}")

    rows = [row((cell["task"], cell["dataset"]), [cell]) for cell in cells]
    return [*rows, row(("all", ""), cells)]


def _lengths(lengths: Sequence[Mapping[str, Any]]) -> list[str]:
    sections = []
    for model in dict.fromkeys(item["model"] for item in lengths):
        chosen = [item for item in lengths if item["model"] == model]
        cut_off = chosen[0]["cut_off"]
        heads = ("Task", "Dataset", *(f"{p}%" for p in PERCENTILES), "longest", "longest prompt",
                 "too long to train on", "tokens beyond")  # fmt: skip
        rows = [
            (
                item["task"],
                item["dataset"],
                *(f"{item['whole'][f'p{p}']:,}" for p in PERCENTILES),
                f"{item['whole']['max']:,}",
                f"{item['prompt']['max']:,}",
                f"{item['lost_examples']:,} of {item['train_examples']:,}",
                f"{item['lost_tokens']:.1%}",
            )
            for item in chosen
        ]
        sections += [
            f"## Lengths in tokens of {model}",
            "Prompt with answer, as trained on: the length that the given share of examples does "
            f"not exceed. Training takes examples of up to {cut_off:,} tokens.",
            _table(heads, rows),
        ]
    return sections


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(_cell(text) for text in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return in_markdown(str(text))
