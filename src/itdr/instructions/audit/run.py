"""Auditing the parts of all cells."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv

from itdr.errors import DataError
from itdr.files.atomic import atomic_file
from itdr.files.checksums import sha256
from itdr.files.formats import read_parquet, write_checked_json, write_text
from itdr.instructions.audit.cells import position_bias, repeated, shared
from itdr.instructions.audit.faults import Fault, Findings, Record
from itdr.instructions.audit.interactions import Tables
from itdr.instructions.audit.lengths import CountTokens, Lengths, measure
from itdr.instructions.audit.page import page
from itdr.instructions.audit.texts import empty_fields, leaked_answer, target_in_history
from itdr.instructions.record import RECORD
from itdr.settings.audit import MEANING, AuditSettings, Check
from itdr.vocabulary import Part, Task

_LISTED = 20  # faults of each kind in audit.json; faults.csv has all
_CHOSEN = (Task.TKR, Task.CDR, Task.NIR)


def audit(
    parts: Sequence[Path],
    out: Path,
    settings: AuditSettings,
    *,
    tables: Path | None = None,
    counters: Mapping[str, CountTokens] | None = None,
    cut_off: int = 2048,
    threads: int | None = None,
) -> dict[str, Any]:
    """Audit parts and write audit.json, audit.md and faults.csv into the folder `out`.

    Args:
        parts: files {train,val,test}.parquet (columns: RECORD).
        out: the folder to write into.
        settings: which faults are tolerated.
        tables: folder with a folder of tables per dataset; None leaves out what needs them.
        counters: model id to a function that counts tokens, for the lengths.
        cut_off: longest example that training takes, in tokens.
        threads: processor threads for reading tables.

    Returns:
        What audit.json says; "clean" tells whether all faults are tolerated.

    Raises:
        MissingFileError, DataError: a part or a table is not there or not in its form.
    """
    findings, lengths, rows = Findings(), [], []
    for files in _by_dataset(parts):
        records = [record for path in files for record in _read(path)]
        _check(records, findings, tables, threads)
        lengths += list(_lengths(records, counters or {}, cut_off))
        rows += _counted(records)
    report = _report(findings, settings, lengths, rows, parts)
    out.mkdir(parents=True, exist_ok=True)
    _write_faults(out / "faults.csv", findings.faults)
    write_text(out / "audit.md", page(report))
    write_checked_json(out / "audit.json", report)
    return report


def _by_dataset(parts: Sequence[Path]) -> Iterator[list[Path]]:
    """Yield the files that hold each dataset, so that one dataset at a time is in memory."""
    groups: dict[str, list[Path]] = defaultdict(list)
    for path in parts:
        if path.stem not in list(Part):
            raise DataError(f"{path}: a part must be called {', '.join(Part)}, with .parquet.")
        for dataset in read_parquet(path, RECORD)["dataset"].unique().to_pylist():
            groups[dataset].append(path)
    if any(len(set(names)) > 1 for names in _datasets_of(groups).values()):
        raise DataError("a part holds several datasets; give the files of 'itdr split'.")
    yield from groups.values()


def _datasets_of(groups: Mapping[str, Sequence[Path]]) -> dict[Path, list[str]]:
    found: dict[Path, list[str]] = defaultdict(list)
    for dataset, files in groups.items():
        for path in files:
            found[path].append(dataset)
    return found


def _read(path: Path) -> list[Record]:
    return [row | {"part": path.stem} for row in read_parquet(path, RECORD).to_pylist()]


def _check(
    records: Sequence[Record], findings: Findings, folder: Path | None, threads: int | None
) -> None:
    """Look for every kind of fault in the examples of one dataset."""
    findings.add(shared(records))
    findings.add(repeated(records))
    findings.add(position_bias(records))
    titles = _check_tables(records, findings, folder, threads)
    for record in records:
        findings.add(empty_fields(record))
        findings.add(target_in_history(record))
        findings.add(leaked_answer(record, titles.get((record["targets"] or [""])[0])))
    whose = "the examples do not say whose they are"
    unnamed = [r for r in records if r["user_id"] is None and r["item_id"] is None]
    tui = sum(r["task"] == Task.TUI for r in unnamed)
    findings.skip(Check.SHARED_ITEM, whose, tui)
    findings.skip(Check.SHARED_USER, whose, len(unnamed) - tui)
    lists = "the examples do not say which items they show"
    bare = [r for r in records if r["history"] is None and r["task"] in (Task.RP, *_CHOSEN)]
    findings.skip(Check.TARGET_IN_HISTORY, lists, len(bare))
    bare = [record for record in bare if record["task"] in _CHOSEN]
    findings.skip(Check.LEAKED_ANSWER, lists, len(bare))
    findings.skip(Check.TELLING_PLACE, lists, sum(r["candidates"] is None for r in bare))


def _check_tables(
    records: Sequence[Record], findings: Findings, folder: Path | None, threads: int | None
) -> dict[str, str]:
    """Hold examples against the tables and return the titles of items to rate."""
    if folder is None:
        chosen = sum(record["task"] in _CHOSEN for record in records)
        for check in (Check.INTERACTED_NEGATIVE, Check.FUTURE_NEGATIVE, Check.TIED_TIMES):
            findings.skip(check, "no tables were given", chosen)
        described = sum(record["task"] == Task.TUI for record in records)
        findings.skip(Check.HELD_OUT_REVIEW, "no tables were given", described)
        findings.skip(Check.NOT_IN_TABLES, "no tables were given", len(records))
        return {}
    tables = Tables(folder / records[0]["dataset"], threads)
    try:
        findings.add(tables.contradictions(records))
        findings.add(tables.out_of_time(records))
        findings.add(tables.held_out_reviews(records))
        return tables.titles(
            item for r in records if r["task"] == Task.RP for item in r["targets"] or []
        )
    finally:
        tables.close()


def _lengths(
    records: Sequence[Record], counters: Mapping[str, CountTokens], cut_off: int
) -> Iterator[Lengths]:
    cells: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        cells[record["task"]].append(record)
    for task in sorted(cells, key=_rank):
        for model, count in counters.items():
            yield measure(model, cells[task], count, cut_off)


def _counted(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return one row per cell with its number of examples in each part."""
    counts = Counter((r["task"], r["dataset"], r["part"]) for r in records)
    cells = sorted({key[:2] for key in counts})
    return [
        {"task": task, "dataset": dataset}
        | {part.value: counts[task, dataset, part.value] for part in Part}
        for task, dataset in cells
    ]


def _report(
    findings: Findings,
    settings: AuditSettings,
    lengths: Sequence[Lengths],
    rows: Sequence[dict[str, Any]],
    parts: Sequence[Path],
) -> dict[str, Any]:
    by_check: dict[Check, list[Fault]] = defaultdict(list)
    for found in findings.faults:
        by_check[found.check].append(found)
    return {
        "clean": all(settings.tolerates(check) for check in by_check),
        "checks": [
            {
                "check": check.value,
                "meaning": MEANING[check],
                "faults": len(by_check[check]),
                "examples": len({f.id for f in by_check[check]}),
                "tolerated": settings.tolerates(check),
                "unchecked": {why: n for (which, why), n in findings.unchecked.items()
                              if which is check},
                "first": [asdict(f) for f in by_check[check][:_LISTED]],
            }
            for check in Check
        ],
        "cells": sorted(rows, key=lambda row: (_rank(row["task"]), row["dataset"])),
        "lengths": [
            asdict(item)
            for item in sorted(lengths, key=lambda x: (x.model, _rank(x.task), x.dataset))
        ],
        "parts": [{"file": str(path), "sha256": sha256(path)} for path in parts],
    }  # fmt: skip


def _rank(task: str) -> int:
    return list(Task).index(Task(task))


def _write_faults(path: Path, faults: Sequence[Fault]) -> None:
    names = ("check", "id", "part", "why")
    table = pa.table({name: pa.array([getattr(f, name) for f in faults], pa.string())
                      for name in names})  # fmt: skip
    with atomic_file(path) as part:
        pacsv.write_csv(table, part)
