"""Holding the parts of a split by time against time."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from itdr.instructions.audit.faults import Fault, Record, fault
from itdr.instructions.times import times_of
from itdr.settings.audit import Check
from itdr.vocabulary import Part


def out_of_order(records: Sequence[Record], tables: Path) -> Iterator[Fault]:
    """Yield the examples of one dataset that are no earlier than a later part begins.

    The first example of a part, of whichever task, says when it begins.
    """
    times = times_of(records, tables)
    parts = list(Part)
    begins: datetime | None = None
    for at in range(len(parts) - 1, 0, -1):
        of_part = [time for time, record in zip(times, records, strict=True)
                   if time is not None and record["part"] == parts[at]]  # fmt: skip
        begins = min([*of_part, *([begins] if begins else [])], default=None)
        for time, record in zip(times, records, strict=True):
            if record["part"] == parts[at - 1] and begins and (time is None or time >= begins):
                when = "has no time" if time is None else f"reaches to {time:%Y-%m-%d %H:%M:%S}"
                why = f"{when}; {parts[at]} begins at {begins:%Y-%m-%d %H:%M:%S}"
                yield fault(Check.LATER_THAN_TESTED, record, why)
