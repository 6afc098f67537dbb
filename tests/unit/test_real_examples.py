"""Examples out of real samples: free of faults, and whole sentences where people wrote."""

import re

import pytest

from itdr.datasets.normalise import normalise
from itdr.files.formats import read_parquet
from itdr.instructions.audit.run import audit
from itdr.instructions.build import build
from itdr.instructions.record import DRAFT
from itdr.instructions.split import split
from itdr.instructions.tasks import load_task
from itdr.settings.audit import AuditSettings
from itdr.settings.dataset import load_dataset
from itdr.settings.experiment import BuildSettings, SplitSettings
from itdr.settings.folders import FOLDERS

SAMPLES = {
    "movielens-32m": "ml-latest-small",
    "movielens-1m": "ml-1m",
    "bookcrossing": "bookcrossing",
    "yelp": "yelp",
    "mind": "mind",
}
FROM_TABLES = ("RP/movielens-32m", "RP/bookcrossing", "TKR/movielens-32m", "NIR/movielens-32m",
               "UAP/movielens-1m", "UAP/bookcrossing")  # fmt: skip
TAUGHT = ("TUI/movielens-32m", "TUI/bookcrossing", "TUI/yelp", "TUI/mind")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("real")


@pytest.fixture
def examples(real_samples, folder):
    """Return a function that builds a pair out of its real sample, once."""

    def of(pair):
        task, dataset = pair.split("/")
        tables, out = folder / "tables" / dataset, folder / f"{task}-{dataset}.parquet"
        if not tables.exists():
            normalise(load_dataset(dataset), real_samples / SAMPLES[dataset], tables, threads=2)
        if not out.exists():
            settings = BuildSettings(max_examples=300)
            build(load_task(task), dataset, tables, out, settings, seed=4)
        return out

    return of


def test_what_comes_from_tables_has_no_fault(examples, folder, tmp_path):
    for pair in FROM_TABLES:
        split(examples(pair), tmp_path / pair, SplitSettings(), 4)
    parts = sorted(tmp_path.rglob("*.parquet"))
    report = audit(
        parts,
        tmp_path / "audit",
        AuditSettings(),
        folders=FOLDERS,
        tables=folder / "tables",
    )
    assert report["clean"], [check for check in report["checks"] if check["faults"]]
    assert sum(cell["train"] for cell in report["cells"]) > 500


@pytest.mark.parametrize("pair", TAUGHT)
def test_items_are_described_once_and_without_gaps(examples, pair):
    records = read_parquet(examples(pair), DRAFT).to_pylist()
    inputs = [record["input"] for record in records]
    assert len(set(inputs)) == len(inputs) >= 20
    for text in inputs:
        assert not re.search(r"\bNone\b|\bnan\b|[ \t]$|\n\n", text, re.M), text
    if pair == "TUI/yelp":
        reviews = [line for text in inputs for line in text.splitlines() if line.startswith("- ")]
        long = [line for line in reviews if len(line) > 400]
        assert len(long) > 5 and all(len(line) < 640 for line in long)
        assert all(re.search(r"[.!?)\"'*]$", line) for line in long), long


def test_tags_of_films_are_told(examples):
    records = read_parquet(examples("TUI/movielens-32m"), DRAFT).to_pylist()
    assert any("\nTags that viewers gave it: " in record["input"] for record in records)
