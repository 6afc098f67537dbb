"""Putting together what a variant is trained on."""

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from itdr.errors import DataError
from itdr.files.formats import read_parquet, write_parquet
from itdr.instructions.protocol import Protocol, read_protocol
from itdr.instructions.record import RECORD
from itdr.settings.variant import MixtureOptions
from itdr.vocabulary import Origin


def mix(parts: Sequence[Path], out: Path, variant: MixtureOptions, seed: int) -> int:
    """Write a variant's examples out of the training parts in one random order.

    Of each cell of its tasks and datasets (all where it names none) the variant's share is taken,
    rounded up, or as many rows as it says. Which examples these are, and the order, depend on the
    seed and the ids alone, so that a smaller share or number of rows lies inside every larger one.

    Returns:
        The number of examples.

    Raises:
        MissingFileError, DataError: a part is not there or not in the form of RECORD, an id stands
            twice, the variant has no example, or a cell has fewer rows than it says.
    """
    table = pa.concat_tables([read_parquet(part, RECORD) for part in parts])
    ids = table["id"].to_pylist()
    if len(set(ids)) < len(ids):
        twice = next(name for name, count in Counter(ids).items() if count > 1)
        raise DataError(
            f"{parts[0]} and others: the id {twice!r} stands twice; ids must be unique."
        )
    rows = _drawn(table, variant, seed)
    if not rows:
        kinds = {"tasks": variant.tasks, "datasets": variant.datasets}
        named = [f"the {kind} {', '.join(names)}" for kind, names in kinds.items() if names]
        of = f" of {' and '.join(named)}" if named else ""
        raise DataError(f"{parts[0]} and others: no example{of}.")
    rows.sort(key=lambda row: _key(seed, "mix", ids[row]))
    mixture = table.take(pa.array(rows, pa.int64()))
    if not variant.description:
        place = RECORD.get_field_index("instruction")
        empty = pa.array([""] * len(rows), pa.string())
        mixture = mixture.set_column(place, RECORD.field(place), empty)
    data = Protocol(data=_origin(parts))
    write_parquet(out, mixture.replace_schema_metadata(data.attached(RECORD).metadata))
    return len(rows)


def _origin(parts: Sequence[Path]) -> Origin | None:
    """Return where examples come from: simulated if some are, and nothing where they differ."""
    found = {read_protocol(part).data for part in parts}
    if Origin.SIMULATED in found:
        return Origin.SIMULATED
    return found.pop() if len(found) == 1 else None


def _drawn(table: pa.Table, variant: MixtureOptions, seed: int) -> list[int]:
    """Return the rows that the variant takes of each of its cells."""
    cells: dict[tuple[str, str], list[tuple[bytes, int]]] = defaultdict(list)
    columns = (table[name].to_pylist() for name in ("id", "task", "dataset"))
    for row, (name, task, dataset) in enumerate(zip(*columns, strict=True)):
        if task in (variant.tasks or [task]) and dataset in (variant.datasets or [dataset]):
            cells[task, dataset].append((_key(seed, "share", name), row))
    found = []
    for (task, dataset), cell in cells.items():
        count = variant.rows or math.ceil(len(cell) * variant.share)
        if count > len(cell):
            raise DataError(
                f"{task}/{dataset}: {count} rows are to be taken of the training part, which has "
                f"{len(cell)}. Ask for fewer rows, or for all of them by leaving rows out."
            )
        found += [row for _, row in sorted(cell)[:count]]
    return found


def _key(seed: int, purpose: str, name: str) -> bytes:
    return hashlib.md5(f"{seed}:{purpose}:{name}".encode(), usedforsecurity=False).digest()
