"""A data folder for LLaMA-Factory: alpaca JSON files and dataset_info.json."""

import json
from collections.abc import Sequence
from pathlib import Path

from itdr.files.atomic import atomic_folder
from itdr.files.formats import write_json
from itdr.instructions.export.parts import by_part, tables


def export(files: Sequence[Path], out: Path) -> dict[str, int]:
    """Write itdr_train.json, itdr_val.json and itdr_test.json with dataset_info.json.

    Each example has instruction, input and output. LLaMA-Factory puts one line feed between
    instruction and input; the instruction ends with another one here, so that the prompt is the one
    that our own training and inference use.

    Returns:
        Number of examples by name of the data set (itdr_train and so on).

    Raises:
        MissingFileError, DataError: a file is not there, not in the form of RECORD or no part.
    """
    counts: dict[str, int] = {}
    with atomic_folder(out, "export llama-factory") as folder:
        for part, paths in by_part(files).items():
            name = f"itdr_{part}"
            counts[name] = _write(folder / f"{name}.json", paths)
        columns = {"prompt": "instruction", "query": "input", "response": "output"}
        info = {name: {"file_name": f"{name}.json", "columns": columns} for name in counts}
        write_json(folder / "dataset_info.json", info)
    return counts


def _write(target: Path, paths: Sequence[Path]) -> int:
    """Write one JSON array, an example a line, without holding all of them in memory."""
    count = 0
    with target.open("w", encoding="utf-8", newline="\n") as file:
        for table in tables(paths):
            for row in table.select(["instruction", "input", "output"]).to_pylist():
                if row["instruction"]:
                    row["instruction"] += "\n"
                file.write(",\n" if count else "[\n")
                file.write(json.dumps(row, ensure_ascii=False))
                count += 1
        file.write("\n]\n" if count else "[]\n")
    return count
