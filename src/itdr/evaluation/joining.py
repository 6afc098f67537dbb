"""Answers made elsewhere, an id and a text each, joined with the test rows that they answer."""

import csv
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from itdr.errors import DataError, nearest
from itdr.files.checksums import parse_json
from itdr.instructions.asked import first_rows
from itdr.instructions.record import PREDICTION, reference_columns

log = logging.getLogger("itdr")

_ALL = 10**9
_KEYS = ("id", "answer")


def join_answers(parts: Sequence[Path], answers: Path, rows_per_cell: int | None) -> pa.Table:
    """Return the test rows with their answers (columns: PREDICTION), in the order of the parts.

    answers: JSON lines (.jsonl) or CSV (.csv) with `id` and `answer`. rows_per_cell: first rows of
    each part that must be answered; None: all.

    Raises:
        MissingFileError: a part is not there.
        DataError: the file is not in its form, an id stands twice or in no part, or a row that must
            be answered is not.
    """
    found = _read(answers)
    every = first_rows(parts, _ALL)
    asked = first_rows(parts, rows_per_cell or _ALL)
    known = [row["id"] for row in every]
    if unknown := [name for name in found if name not in set(known)]:
        raise DataError(
            f"{answers}: {len(unknown):,} ids, {unknown[0]!r} first, are in none of the "
            f"{len(known):,} test rows.{nearest(unknown[0], known)} Name the parts that were "
            "answered with --test."
        )
    if missing := [row["id"] for row in asked if row["id"] not in found]:
        raise DataError(
            f"{answers}: {len(missing):,} of {len(asked):,} test rows, {missing[0]!r} first, have "
            "no answer. An empty answer counts as unreadable; --rows-per-cell N asks for the first "
            "N rows of each part alone."
        )
    if more := len(found) - len(asked):
        log.info("%s: %s answers to other rows are left out", answers, f"{more:,}")
    rows = [reference_columns(row) | {"answer": found[row["id"]], "finish_reason": "stop"}
            for row in asked]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=PREDICTION)


def _read(path: Path) -> dict[str, str]:
    """Return id to answer."""
    found: dict[str, str] = {}
    places: dict[str, int] = {}
    for number, row in _csv_rows(path) if path.suffix == ".csv" else _json_rows(path):
        for key in _KEYS:
            if not isinstance(row.get(key), str):
                raise DataError(
                    f"{path}: row {number}: {key!r} is {row.get(key)!r}; a text is needed."
                )
        name: str = row["id"]
        if name in places:
            raise DataError(
                f"{path}: row {number}: the id {name!r} stands in row {places[name]} too; every "
                "row may be answered once."
            )
        places[name], found[name] = number, row["answer"]
    return found


def _json_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                row = parse_json(line)
            except ValueError as error:
                raise DataError(
                    f"{path}: row {number}: no JSON ({error}). Needed are lines such as "
                    '{"id": "RP/yelp/1", "answer": "4"}, or a file that ends in .csv.'
                ) from error
            if not isinstance(row, dict):
                raise DataError(f"{path}: row {number}: no object with 'id' and 'answer'.")
            yield number, row


def _csv_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            if missing := [key for key in _KEYS if key not in (rows.fieldnames or ())]:
                raise DataError(
                    f"{path}: no column {missing[0]!r}; the first line must name id and answer, "
                    f"found {', '.join(rows.fieldnames or ())[:200] or 'nothing'}."
                )
            yield from enumerate(rows, start=1)
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as CSV in UTF-8 ({error}).") from error
