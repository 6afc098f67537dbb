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
from itdr.instructions.audit.lengths import CountTokens, Lengths, measure_lengths
from itdr.instructions.audit.order import out_of_order
from itdr.instructions.audit.page import page
from itdr.instructions.audit.texts import empty_fields, leaked_answer, target_in_history
from itdr.instructions.protocol import read_protocol
from itdr.instructions.record import RECORD
from itdr.instructions.tasks import TaskSettings, load_tasks
from itdr.rendering.plain import in_csv
from itdr.settings.audit import MEANING, SHARED, AuditSettings, Check
from itdr.vocabulary import Part

_NO_TABLES = "no tables were given"
_LISTED = 20  # faults of each kind in audit.json; faults.csv has all


def audit(
    parts: Sequence[Path],
    out: Path,
    settings: AuditSettings,
    *,
    folders: Sequence[Path],
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
        folders: of configuration, with the task files.
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
    groups, names = _by_dataset(parts)
    known = load_tasks(names, folders)
    for files in groups:
        records = [record for path in files for record in _read(path)]
        _check(records, known, findings, tables, threads)
        lengths += list(_lengths(records, counters or {}, cut_off))
        rows += _counted(records)
    report = _report(findings, settings, lengths, rows, parts, tasks=names)
    out.mkdir(parents=True, exist_ok=True)
    _write_faults(out / "faults.csv", findings.faults)
    write_text(out / "audit.md", page(report))
    write_checked_json(out / "audit.json", report)
    return report


def _by_dataset(parts: Sequence[Path]) -> tuple[list[list[Path]], list[str]]:
    """Return the files of each dataset, so that one at a time is in memory, and all tasks."""
    tasks: dict[str, None] = {}
    groups: dict[str, list[Path]] = defaultdict(list)
    for path in parts:
        if path.stem not in list(Part):
            raise DataError(f"{path}: a part must be called {', '.join(Part)}, with .parquet.")
        table = read_parquet(path, RECORD)
        tasks |= dict.fromkeys(table["task"].unique().to_pylist())
        for dataset in table["dataset"].unique().to_pylist():
            groups[dataset].append(path)
    if any(len(set(names)) > 1 for names in _datasets_of(groups).values()):
        raise DataError("a part holds several datasets; give the files of 'itdr split'.")
    return list(groups.values()), list(tasks)


def _datasets_of(groups: Mapping[str, Sequence[Path]]) -> dict[Path, list[str]]:
    found: dict[Path, list[str]] = defaultdict(list)
    for dataset, files in groups.items():
        for path in files:
            found[path].append(dataset)
    return found


def _read(path: Path) -> list[Record]:
    protocol = read_protocol(path)
    known = {"part": path.stem, "split": protocol.split, "data": protocol.data}
    return [row | known for row in read_parquet(path, RECORD).to_pylist()]


def _check(
    records: Sequence[Record],
    tasks: Mapping[str, TaskSettings],
    findings: Findings,
    folder: Path | None,
    threads: int | None,
) -> None:
    """Look for every kind of fault in the examples of one dataset."""
    _check_parts(records, findings, folder)
    findings.add(repeated(records))
    findings.add(position_bias(records))
    chosen = [record for record in records if tasks[record["task"]].has_candidates]
    rated = [record for record in records if tasks[record["task"]].answer == "number"]
    tables = folder / records[0]["dataset"] if folder else None
    titles = _check_tables(records, findings, tables, threads, rated=rated)
    if folder is None:
        for check in (Check.INTERACTED_NEGATIVE, Check.FUTURE_NEGATIVE, Check.TIED_TIMES):
            findings.skip(check, _NO_TABLES, len(chosen))
        described = sum(tasks[r["task"]].describes_items for r in records)
        findings.skip(Check.HELD_OUT_REVIEW, _NO_TABLES, described)
        findings.skip(Check.NOT_IN_TABLES, _NO_TABLES, len(records))
    for record in records:
        task = tasks[record["task"]]
        findings.add(empty_fields(record, task))
        findings.add(target_in_history(record))
        findings.add(leaked_answer(record, task, titles.get((record["targets"] or [""])[0])))
    whose = "the examples do not say whose they are"
    unnamed = [r for r in records if r["user_id"] is None and r["item_id"] is None]
    of_items = sum(tasks[r["task"]].describes_items for r in unnamed)
    findings.skip(Check.SHARED_ITEM, whose, of_items)
    findings.skip(Check.SHARED_USER, whose, len(unnamed) - of_items)
    lists = "the examples do not say which items they show"
    bare = [record for record in chosen if record["history"] is None]
    unshown = sum(record["history"] is None for record in rated)
    findings.skip(Check.TARGET_IN_HISTORY, lists, len(bare) + unshown)
    findings.skip(Check.LEAKED_ANSWER, lists, len(bare))
    findings.skip(Check.TELLING_PLACE, lists, sum(r["candidates"] is None for r in bare))


def _check_parts(records: Sequence[Record], findings: Findings, folder: Path | None) -> None:
    """Look for what stands in two parts or, where parts follow in time, in too early a one."""
    by_time = [record for record in records if record["split"] == "time"]
    findings.add(shared(record for record in records if record["split"] != "time"))
    for check in SHARED:
        findings.skip(check, "parts follow each other in time", len(by_time))
    if by_time and folder is not None:
        findings.add(out_of_order(by_time, folder / by_time[0]["dataset"]))
    elif by_time:
        findings.skip(Check.LATER_THAN_TESTED, _NO_TABLES, len(by_time))


def _check_tables(
    records: Sequence[Record],
    findings: Findings,
    folder: Path | None,
    threads: int | None,
    *,
    rated: Sequence[Record],
) -> dict[str, str]:
    """Hold examples against the tables in a folder and return the titles of items to rate."""
    if folder is None:
        return {}
    tables = Tables(folder, threads)
    try:
        findings.add(tables.contradictions(records))
        findings.add(tables.out_of_time(records))
        # Where parts follow in time, a user's earlier review is no look ahead.
        findings.add(tables.held_out_reviews([r for r in records if r["split"] != "time"]))
        return tables.titles(item for record in rated for item in record["targets"] or [])
    finally:
        tables.close()


def _lengths(
    records: Sequence[Record], counters: Mapping[str, CountTokens], cut_off: int
) -> Iterator[Lengths]:
    cells: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        cells[record["task"]].append(record)
    for found in cells.values():
        for model, count in counters.items():
            yield measure_lengths(model, found, count, cut_off)


def _counted(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return one row per cell: where its data come from, and its examples in each part."""
    counts = Counter((r["task"], r["dataset"], r["part"]) for r in records)
    cells = {(r["task"], r["dataset"]): r["data"] for r in records}
    return [
        {"task": task, "dataset": dataset, "data": data}
        | {part.value: counts[task, dataset, part.value] for part in Part}
        for (task, dataset), data in cells.items()
    ]


def _report(
    findings: Findings,
    settings: AuditSettings,
    lengths: Sequence[Lengths],
    rows: Sequence[dict[str, Any]],
    parts: Sequence[Path],
    *,
    tasks: Sequence[str],
) -> dict[str, Any]:
    order = {task: place for place, task in enumerate(tasks)}
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
        "cells": sorted(rows, key=lambda row: (order[row["task"]], row["dataset"])),
        "lengths": [
            asdict(item)
            for item in sorted(lengths, key=lambda x: (x.model, order[x.task], x.dataset))
        ],
        "parts": [{"file": str(path), "sha256": sha256(path)} for path in parts],
    }  # fmt: skip


def _write_faults(path: Path, faults: Sequence[Fault]) -> None:
    names = ("check", "id", "part", "why")
    table = pa.table({name: pa.array([in_csv(getattr(f, name)) for f in faults], pa.string())
                      for name in names})  # fmt: skip
    with atomic_file(path) as part:
        pacsv.write_csv(table, part)
