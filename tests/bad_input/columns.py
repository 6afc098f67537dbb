"""Files of one's own, read by a mapping of their columns."""

import io
import json
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from itdr.datasets.normalise import normalise
from itdr.files.formats import read_json
from itdr.settings.dataset import DatasetSettings
from itdr.settings.reading import check
from tests.bad_input.reader import Reader, empty_folder

_ROWS = [
    {"u": "a", "i": "007", "r": 4.0, "t": "2024-05-01T10:30:00Z", "g": ["x", "y"], "n": "\u00e9"},
    {"u": "b", "i": "8", "r": None, "t": "2024-05-02", "g": [], "n": "say \"hi\",\nand go"},
    {"u": "a", "i": "8", "r": 2.5, "t": "2024-05-01 10:30:00.5", "g": None, "n": None},
]  # fmt: skip


def _columns(name: str) -> dict[str, Any]:
    file = {"file": name, "missing": ["NULL"]}
    return {
        "interactions": file | {"user_id": "u", "item_id": "i",
                                "rating": {"column": "r", "low": 1, "high": 5},
                                "timestamp": {"column": "t", "unit": "iso"}},
        "items": file | {"item_id": "i", "title": "n",
                         "categories": {"column": "g", "separator": "|"}},
        "users": file | {"user_id": "u", "attributes": {"name": "n"}},
    }  # fmt: skip


def _csv() -> list[bytes]:
    lines = [
        "u,i,r,t,g,n",
        'a,007,4.0,2024-05-01T10:30:00Z,x|y,"Caf\u00e9"',
        'b,8,NULL,2024-05-02,[],"say ""hi"",\nand go"',
        "a,8,2.5,2024-05-01 10:30:00.5,,",
    ]
    return ["\n".join(lines).encode(), ("\r\n".join(lines) + "\r\n").encode()]


def _json_lines() -> list[bytes]:
    return ["\n".join(json.dumps(row, ensure_ascii=ascii) for row in _ROWS).encode()
            for ascii in (True, False)]  # fmt: skip


def _parquet() -> list[bytes]:
    typed = [row | {"t": datetime(2024, 5, 1, place, tzinfo=UTC), "u": place}
             for place, row in enumerate(_ROWS)]  # fmt: skip
    found = []
    for rows, options in (
        (_ROWS, {}),
        (typed, {"compression": "none", "use_dictionary": False}),
        (typed, {"compression": "gzip", "data_page_version": "2.0"}),
    ):
        file = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows), file, **options)
        found.append(file.getvalue())
    return found


def _normalise(name: str, data: bytes) -> None:
    """Normalise a dataset of one file; the account of its rows must come out even."""
    told = {"id": "own", "title": "T", "licence": "L", "kind": "folder", "columns": _columns(name)}
    folder, out = empty_folder("own"), empty_folder("own-tables")
    (folder / name).write_bytes(data)
    normalise(check(DatasetSettings, told, "here"), folder, out, threads=1)
    quality = read_json(out / "quality.json")
    rejected = pq.read_table(out / "rejected.parquet")
    rejected.validate(full=True)
    assert quality["rows_read"] == quality["rows_kept"] + quality["rows_rejected"]
    assert quality["rows_rejected"] == rejected.num_rows
    assert quality["rows_kept"] == quality["tables"]["interactions"]
    assert len(set(rejected["line"].to_pylist())) == rejected.num_rows
    for table in ("interactions", "items", "users"):
        read = pq.read_table(out / f"{table}.parquet")
        read.validate(full=True)
        assert read.num_rows == quality["tables"][table]


def readers() -> dict[str, Reader]:
    """Return all readers of this module by name."""
    forms = {"csv": _csv, "jsonl": _json_lines, "parquet": _parquet}
    found = {}
    for ending, seeds in forms.items():

        def read(data: bytes, ending: str = ending) -> None:
            _normalise(f"rows.{ending}", data)

        found[f"columns-{ending}"] = Reader(seeds, read, slow=True)
    return found
