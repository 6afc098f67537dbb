"""What several tests share: small tables, a small model, and where the real samples lie."""

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).parent.parent
SAMPLES = Path(os.environ.get("ITDR_REAL_SAMPLES", ROOT.parent / "shared" / "real-samples"))

os.environ.setdefault("HF_HUB_OFFLINE", "1")


@pytest.fixture
def real_samples() -> Path:
    if not SAMPLES.is_dir():
        pytest.skip(f"no real samples in {SAMPLES}; set ITDR_REAL_SAMPLES to their folder")
    return SAMPLES


@pytest.fixture
def write_tables(tmp_path):
    """Return a function that writes tables from rows; interactions given as tuples are in order."""
    from itdr.datasets.tables.schema import SCHEMAS

    def write(interactions, items, users, folder="tables") -> Path:
        out = tmp_path / folder
        out.mkdir()
        given = {
            "interactions": (
                ("user_id", "item_id", "rating", "position"),
                [
                    (*row, place) if isinstance(row, tuple) else row
                    for place, row in enumerate(interactions)
                ],
            ),
            "items": (("item_id", "title", "categories"), items),
            "users": (("user_id",), users),
        }
        for table, (columns, rows) in given.items():
            rows = [
                row if isinstance(row, dict) else dict(zip(columns, row, strict=True))
                for row in rows
            ]
            pq.write_table(pa.Table.from_pylist(rows, SCHEMAS[table]), out / f"{table}.parquet")
        return out

    return write


@pytest.fixture(scope="session")
def random_model(tmp_path_factory) -> Path:
    """Return the folder of an untrained Qwen2 model with a byte-level tokenizer."""
    from tests.models import make_random_model

    return make_random_model(tmp_path_factory.mktemp("model"))
