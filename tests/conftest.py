"""What several tests share: small tables, a small model, and where the real samples lie."""

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).parent.parent
SAMPLES = Path(os.environ.get("ITDR_REAL_SAMPLES", ROOT.parent / "shared" / "real-samples"))

_STEPS = pa.schema([("user_id", pa.string()), ("item_id", pa.string()), ("rating", pa.float64())])
_ITEMS = pa.schema(
    [("item_id", pa.string()), ("title", pa.string()), ("categories", pa.list_(pa.string()))]
)

os.environ.setdefault("HF_HUB_OFFLINE", "1")


@pytest.fixture
def real_samples() -> Path:
    if not SAMPLES.is_dir():
        pytest.skip(f"no real samples in {SAMPLES}; set ITDR_REAL_SAMPLES to their folder")
    return SAMPLES


@pytest.fixture
def write_tables(tmp_path):
    """Return a function that writes interactions, items and users from plain rows."""

    def write(interactions, items, users, folder="tables") -> Path:
        out = tmp_path / folder
        out.mkdir()
        steps = [
            dict(zip(("user_id", "item_id", "rating"), row, strict=True)) for row in interactions
        ]
        pq.write_table(pa.Table.from_pylist(steps, _STEPS), out / "interactions.parquet")
        rows = [dict(zip(("item_id", "title", "categories"), row, strict=True)) for row in items]
        pq.write_table(pa.Table.from_pylist(rows, _ITEMS), out / "items.parquet")
        pq.write_table(pa.Table.from_pylist(users), out / "users.parquet")
        return out

    return write


@pytest.fixture(scope="session")
def random_model(tmp_path_factory) -> Path:
    """Return the folder of an untrained Qwen2 model with a byte-level tokenizer."""
    from tests.models import make_random_model

    return make_random_model(tmp_path_factory.mktemp("model"))
