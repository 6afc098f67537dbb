"""What an audit finds."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from itdr.settings.audit import Check

Record = dict[str, Any]
"""A row of RECORD with its part under "part", and how the parts were made under "split"."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        check: what kind of fault it is.
        id: the example, or TASK/DATASET where it concerns all examples of a cell.
        part: train, val or test; "all" for a cell.
        why: what was found.
    """

    check: Check
    id: str
    part: str
    why: str


def fault(check: Check, record: Record, why: str) -> Fault:
    """Return a fault of one example."""
    return Fault(check, record["id"], record["part"], why)


@dataclass
class Findings:
    """All faults found, and what could not be looked into."""

    faults: list[Fault] = field(default_factory=list)
    unchecked: Counter[tuple[Check, str]] = field(default_factory=Counter)
    """Examples by check and by the reason why it could not be made."""

    def add(self, faults: Iterable[Fault]) -> None:
        """Note faults."""
        self.faults += faults

    def skip(self, check: Check, why: str, examples: int) -> None:
        """Note that a check could not be made for some examples."""
        if examples:
            self.unchecked[check, why] += examples
