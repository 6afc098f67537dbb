"""Letting only audited examples go on."""

from collections.abc import Sequence
from pathlib import Path

from itdr.errors import DataError
from itdr.files.checksums import sha256
from itdr.files.formats import read_json_object


def require_clean(report: Path, parts: Sequence[Path]) -> None:
    """Do nothing if the audit found these very files clean.

    Raises:
        MissingFileError: there is no such report.
        DataError: it found faults, or it is about other files.
    """
    value = read_json_object(report)
    try:
        if not value["clean"]:
            raise DataError(f"{report}: {summary(value)} {advice(report.parent)}")
        audited = {part["sha256"] for part in value["parts"]}
    except (KeyError, TypeError) as error:
        raise DataError(f"{report}: not a report of 'itdr audit'. Run it again.") from error
    for part in parts:
        if sha256(part) not in audited:
            raise DataError(
                f"{part}: the audit {report} did not see this file. Run 'itdr audit' with it."
            )


def summary(report: dict) -> str:
    """Return the faults that are not tolerated in one sentence."""
    stopping = [c for c in report["checks"] if c["faults"] and not c["tolerated"]]
    kinds = ", ".join(f"{c['faults']:,} {c['check']}" for c in stopping)
    ids = [first["id"] for c in stopping for first in c["first"]]
    return f"the examples are not clean: {kinds}; the first one: {ids[0]}."


def advice(folder: Path) -> str:
    """Say what to do about faults."""
    return (
        f"Read {folder / 'audit.md'}; {folder / 'faults.csv'} lists every example. Mend the data "
        "or the settings that made them, or name a fault in audit.tolerate to live with it."
    )
