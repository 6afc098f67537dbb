"""JSON, JSON lines, Parquet and text files, written whole; what cannot be read is named."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from itdr.errors import DataError, MissingFileError
from itdr.files.atomic import atomic_file
from itdr.files.checksums import (
    check_parquet,
    not_parquet,
    parquet_writer,
    parse_json,
    sha256,
    sidecar,
    with_checksum,
    without_checksum,
)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with line feeds as they are in `text`."""
    with atomic_file(path) as part:
        part.write_text(text, encoding="utf-8", newline="")


def write_json(path: Path, value: Any) -> None:
    """Write indented JSON whose bytes depend on the value alone."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_checked_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write an object as write_json does, with a checksum that read_json holds it against."""
    write_json(path, with_checksum(value))


def read_json(path: Path) -> Any:
    """Return the value of a JSON file, without the checksum of write_checked_json.

    Raises:
        MissingFileError: there is no such file.
        DataError: it is not JSON or damaged.
    """
    _require(path)
    try:
        return without_checksum(parse_json(path.read_bytes()))
    except ValueError as error:
        raise DataError(
            f"{path}: not a JSON file or damaged ({error}). If a stage made it, run that again."
        ) from error


def read_json_object(path: Path) -> dict[str, Any]:
    """Return the object that a JSON file holds. Raises as read_json, DataError for other values."""
    value = read_json(path)
    if not isinstance(value, dict):
        raise DataError(f"{path}: holds a {type(value).__name__}, not an object. Make it again.")
    return value


def write_parquet(path: Path, table: pa.Table) -> None:
    """Write a Parquet file with a checksum; its bytes depend on the table and pyarrow alone."""
    with atomic_file(path) as part, parquet_writer(part, table.schema) as writer:
        writer.write_table(table)


def write_jsonl(path: Path, table: pa.Table) -> None:
    """Write a table as JSON lines: one object a row, its keys the columns, null where none is."""
    with atomic_file(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        for row in table.to_pylist():
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def write_checksum(path: Path) -> None:
    """Write the checksum of a file beside it, for check_sidecar."""
    write_text(sidecar(path), f"{sha256(path)}  {path.name}\n")


def read_parquet(path: Path, schema: pa.Schema) -> pa.Table:
    """Return the columns of `schema` from a Parquet file, in that order.

    Raises:
        MissingFileError: there is no such file.
        DataError: it is not Parquet or damaged, or a column is missing or has another type.
    """
    _require(path)
    check_parquet(path)
    try:
        table = pq.read_table(path)
        # Arrow takes the bytes of texts on trust, and Python stumbles over them later.
        table.validate(full=True)
        names = table.column_names
    except (pa.ArrowException, OSError, ValueError) as error:
        raise not_parquet(path, error) from error
    missing = [name for name in schema.names if name not in names]
    if missing:
        raise DataError(
            f"{path}: no column {missing[0]!r}; found {', '.join(names)}; "
            f"needed {', '.join(schema.names)}."
        )
    try:
        return table.select(schema.names).cast(schema)
    except (pa.ArrowException, ValueError) as error:
        raise DataError(f"{path}: {error}. Needed columns:\n{schema}") from error


def _require(path: Path) -> None:
    if not path.is_file():
        raise MissingFileError(f"{path}: no such file. Run the stage that makes it first.")
