"""What one check found."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "missing"]


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        check: its name, such as "GPUs" or "key OPENAI_API_KEY".
        level: ok; warning: it may fail or be slow; missing: it will fail.
        found: what is there.
        needed: what the target needs; "" where found says it all.
        advice: what to do; "" where there is nothing to do.
    """

    check: str
    level: Level
    found: str
    needed: str = ""
    advice: str = ""


def gigabytes(mb: float) -> str:
    """Return a size in MB as people read it."""
    return f"{mb / 1000:,.1f} GB" if mb >= 1000 else f"{mb:,.0f} MB"


def listed(names: "list[str] | tuple[str, ...]", most: int = 3) -> str:
    """Return names in one line, the rest of a long list as a number."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
