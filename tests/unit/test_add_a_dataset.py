"""docs/how-to/add-a-dataset.md does what it says."""

import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from itdr.cli.main import main
from itdr.settings.columns import (
    ColumnsSettings,
    InteractionColumns,
    ItemColumns,
    TableColumns,
    UserColumns,
)
from itdr.settings.experiment import load_experiment
from tests.conftest import ROOT
from tests.pages import files_of, page

NAME = "how-to/add-a-dataset.md"
PAGE = page(NAME)
FILES = {name: text for name, text in files_of(NAME).items() if name.startswith("shop/")}


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """The folder with the page's files in it, beside a copy of the configuration."""
    for name, content in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (tmp_path / "config").symlink_to(ROOT / "config")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_commands_of_the_page_make_the_tables_that_it_tells_of(shop):
    commands = [line.split()[1:] for line in PAGE.splitlines() if line.startswith("itdr ")]
    assert [main(command) for command in commands] == [0, 0]
    rejected = pq.read_table("tables/rejected.parquet").to_pylist()
    told = [(row["file"], row["line"], row["reason"]) for row in rejected]
    assert told == [("sales.csv", 5, "stars is outside 1 to 5")]
    assert "`sales.csv`, line 5, `stars is outside 1 to 5`" in PAGE
    rows = pq.read_table("tables/interactions.parquet").to_pylist()
    assert [(row["user_id"], row["item_id"], row["rating"]) for row in rows] == [
        ("ann", "007", 5.0),
        ("ann", "008", None),
        ("bob", "007", None),
    ]
    items = pq.read_table("tables/items.parquet").to_pylist()
    assert [item["categories"] for item in items] == [["Tools", "Garden"], []]


def test_the_experiment_of_the_page_is_one(shop):
    part = next(p for p in re.findall(r"```yaml\n(.*?)```", PAGE, re.S) if "config_folders" in p)
    (shop / "mine.yaml").write_text(part)
    experiment = load_experiment([Path("config/config.yaml"), shop / "mine.yaml"])
    assert experiment.config_folders == ("shop",)


def test_the_page_describes_every_key_of_columns():
    models = (TableColumns, InteractionColumns, ItemColumns, UserColumns, ColumnsSettings)
    for name in {name for model in models for name in model.model_fields}:
        assert f"`{name}`" in PAGE, name
