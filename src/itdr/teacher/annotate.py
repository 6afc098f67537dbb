"""Filling in the outputs that a teacher writes."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from itdr.errors import DataError
from itdr.files.formats import read_parquet, write_parquet
from itdr.instructions.protocol import read_protocol
from itdr.instructions.record import DRAFT, RECORD

log = logging.getLogger("itdr")

_SHOWN = 10


class Teacher(Protocol):
    """Whoever writes answers.

    Attributes:
        name: stands in every record that it answered.
    """

    name: str

    def answer(self, records: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """Return id to answer for records (rows of DRAFT); an id that is missing was withheld."""


def annotate(examples: Path, out: Path, teacher: Teacher, *, drop_withheld: bool = False) -> int:
    """Write the examples with the outputs that a teacher gives (columns: RECORD).

    Examples that have an output already stay as they are, and so does the order.

    Args:
        examples: Parquet file of DRAFT.
        out: Parquet file to write.
        teacher: whom to ask.
        drop_withheld: leave out examples that the teacher does not answer, instead of an error.

    Returns:
        The number of examples written.

    Raises:
        MissingFileError, DataError: `examples` is not there or not in the form of DRAFT, or an
            answer was withheld.
        EndpointError, SettingsError: as the teacher raises them.
    """
    records, waiting = read_drafts(examples)
    answers = {name: text.strip() for name, text in teacher.answer(waiting).items() if text.strip()}
    withheld = [record["id"] for record in waiting if record["id"] not in answers]
    if withheld:
        shown = ", ".join(withheld[:_SHOWN]) + (", ..." if len(withheld) > _SHOWN else "")
        count = f"{len(withheld):,} of {len(waiting):,} examples"
        what = f"{examples}: {teacher.name} gives no answer to {count}: {shown}"
        if not drop_withheld:
            raise DataError(f"{what}. Leave them out with 'withheld: drop', or ask another model.")
        log.warning("%s; they are left out", what)
    filled = [
        record | {"output": answers[record["id"]], "teacher": teacher.name}
        if record["output"] is None
        else record
        for record in records
        if record["output"] is not None or record["id"] in answers
    ]
    schema = read_protocol(examples).attached(RECORD)
    write_parquet(out, pa.Table.from_pylist(filled, schema=schema))
    return len(filled)


def read_drafts(examples: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return all examples (rows of DRAFT), and those that wait for a teacher.

    Raises:
        MissingFileError, DataError: as annotate does.
    """
    records = read_parquet(examples, DRAFT).to_pylist()
    _require_prompts(examples, records)
    return records, [record for record in records if record["output"] is None]


def _require_prompts(examples: Path, records: Sequence[Mapping[str, Any]]) -> None:
    """Raise DataError where there is nothing to ask, or two answers could be mixed up."""
    seen: set[str] = set()
    for record in records:
        if record["id"] in seen:
            raise DataError(f"{examples}: the id {record['id']!r} stands twice; ids are unique.")
        seen.add(record["id"])
        if record["output"] is None and not record["teacher_prompt"]:
            raise DataError(
                f"{examples}: {record['id']} has neither an output nor a teacher's prompt. "
                "Build the examples again."
            )
