"""Finding examples by their ids in the folder of a run."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from itdr.errors import DataError, MissingFileError, nearest
from itdr.files.formats import read_parquet
from itdr.instructions.record import RECORD
from itdr.vocabulary import Part


@dataclass(frozen=True)
class Found:
    """An example (a row of RECORD), the file that holds it and its row there, from 1."""

    example: dict[str, Any]
    file: Path
    row: int


def find_examples(results: Path, ids: Sequence[str]) -> dict[str, Found]:
    """Return the examples with these ids, in their order.

    results: folder of a run, with the parts that 'itdr split' or 'itdr import-release' made.

    Raises:
        MissingFileError: there are no parts of an id's task and dataset.
        DataError: an id is none, or no example has it.
    """
    wanted: dict[str, list[str]] = defaultdict(list)
    for name in ids:
        wanted["/".join(_cell(name))].append(name)
    found: dict[str, Found] = {}
    for cell, names in wanted.items():
        rows = _rows(results, cell)
        for name in names:
            if name not in rows:
                raise DataError(
                    f"{_folder(results, cell)}: none of the {len(rows):,} examples has the id "
                    f"{name!r}.{nearest(name, rows)} 'itdr trace {cell}' lists those of the test "
                    "part."
                )
            path, row = rows[name]
            table = read_parquet(path, RECORD)
            found[name] = Found(table.slice(row - 1, 1).to_pylist()[0], path, row)
    return {name: found[name] for name in ids}


def asked_ids(results: Path, cell: str, rows_per_cell: int) -> list[str]:
    """Return the ids of the test rows that models are asked, and that a table's cell is made of.

    cell: TASK/DATASET. Raises as find_examples.
    """
    _rows(results, cell)
    path = _folder(results, cell) / f"{Part.TEST}.parquet"
    ids: list[str] = read_parquet(path, RECORD)["id"].slice(0, rows_per_cell).to_pylist()
    return ids


def is_cell(name: str) -> bool:
    """Say whether a name is TASK/DATASET and not the id of an example."""
    return name.count("/") == 1


def _cell(name: str) -> tuple[str, str]:
    parts = name.split("/", 2)
    if len(parts) < 3 or not all(parts) or {".", ".."} & set(parts[:2]):
        raise DataError(
            f"{name!r} is no id of an example. Needed is TASK/DATASET/USER, as the column 'id' of "
            "predictions and of 'itdr score --rows' has it, or TASK/DATASET alone, which lists the "
            "ids of a table's cell."
        )
    return parts[0], parts[1]


def _folder(results: Path, cell: str) -> Path:
    return results / "instructions" / cell / "parts"


def _rows(results: Path, cell: str) -> dict[str, tuple[Path, int]]:
    """Return the ids of a cell, each with its file and row."""
    folder = _folder(results, cell)
    paths = [folder / f"{part}.parquet" for part in Part]
    if missing := [path for path in paths if not path.is_file()]:
        cells = sorted(str(path.parent.parent.relative_to(results / "instructions"))
                       for path in results.glob("instructions/*/*/parts/test.parquet"))  # fmt: skip
        here = f" Here are {', '.join(cells)}." if cells else ""
        raise MissingFileError(
            f"{missing[0]}: no such file, so the examples of {cell} cannot be traced."
            f"{nearest(cell, cells)}{here} Is it another run's --configfile? Else make it with "
            f"'snakemake {paths[-1]}'."
        )
    return {
        name: (path, row)
        for path in paths
        for row, name in enumerate(read_parquet(path, RECORD)["id"].to_pylist(), start=1)
    }
