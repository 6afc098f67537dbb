"""Findings as text to read and as a value for programs."""

import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from itdr.doctor.finding import Finding

_LEVEL_WIDTH = len("missing")


def as_text(name: str, jobs: int, findings: Sequence[Finding], width: int = 80) -> str:
    """Return the findings, a paragraph each, and a last line that counts them."""
    work = f"{jobs} jobs are left to do" if jobs else "nothing is left to do"
    names = max((len(finding.check) for finding in findings), default=0)
    lines = [*textwrap.wrap(f"{name}: {work}.", width), ""]
    for finding in findings:
        lines += _paragraph(finding, names, width)
    counts = Counter(finding.level for finding in findings)
    warnings = f"{counts['warning']} warning{'' if counts['warning'] == 1 else 's'}"
    total = f"{counts['missing']} missing, {warnings}, {counts['ok']} ok."
    return "\n".join([*lines, "", total]) + "\n"


def as_value(name: str, jobs: int, findings: Sequence[Finding]) -> dict[str, Any]:
    """Return the findings for --json."""
    counts = Counter(finding.level for finding in findings)
    levels = {level: counts[level] for level in ("missing", "warning", "ok")}
    return {
        "targets": name,
        "jobs": jobs,
        **levels,
        "checks": [asdict(finding) for finding in findings],
    }


def _paragraph(finding: Finding, names: int, width: int) -> list[str]:
    needed = f"; needed: {finding.needed}" if finding.needed else ""
    level = f"{finding.level:<{_LEVEL_WIDTH}}"
    lines = _wrapped(f"{finding.found}{needed}", width, f"{level}  {finding.check:<{names}}  ")
    if finding.advice and finding.level != "ok":
        lines += _wrapped(finding.advice, width, f"{'':{_LEVEL_WIDTH}}  -> ")
    return lines


def _wrapped(text: str, width: int, before: str) -> list[str]:
    """Return lines; addresses and paths are broken nowhere, so that they can be copied."""
    return textwrap.wrap(
        text,
        width,
        initial_indent=before,
        subsequent_indent=" " * len(before),
        break_long_words=False,
        break_on_hyphens=False,
    )
