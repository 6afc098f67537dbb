"""docs/add-a-dataset.md does what it says, and a dataset takes the files that it says."""

import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from itdr.cli.main import main
from itdr.datasets.adapters import registry
from itdr.settings.columns import (
    ColumnsSettings,
    InteractionColumns,
    ItemColumns,
    TableColumns,
    UserColumns,
)
from itdr.settings.dataset import load_dataset
from itdr.settings.experiment import load_experiment
from itdr.settings.folders import settings_files
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "add-a-dataset.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`(shop/[^`]+)`:\n\n```\w+\n(.*?)```", PAGE, re.M | re.S))


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


def test_a_dataset_of_columns_is_one_file(shop):
    before = settings_files("datasets")
    added = [name for name in FILES if not name.startswith("shop/data/")]
    assert added == ["shop/datasets/my-shop.yaml"]
    assert settings_files("datasets", [Path("shop")]).keys() - before.keys() == {"my-shop"}


def test_a_dataset_with_an_adapter_is_two_files(shop, monkeypatch):
    package = shop / "adapters"
    package.mkdir()
    (package / "my_format.py").write_text(
        "from itdr.datasets.adapters.adapter import Adapter\n"
        "def _load(context):\n"
        "    ids = \"'a' AS user_id, 'x' AS item_id\"\n"
        "    row = f'{ids}, 0::USMALLINT AS file, 1 AS line'\n"
        "    context.query(f'CREATE VIEW interactions AS SELECT {row}')\n"
        'READERS = {"my-format": Adapter(_load, scale=None)}\n'
    )
    described = FILES["shop/datasets/my-shop.yaml"].split("columns:")[0]
    (shop / "shop" / "datasets" / "odd.yaml").write_text(
        f"{described}reader: my-format\nfiles: [{{name: sales.csv}}]\n"
    )
    monkeypatch.setattr(registry.adapters, "__path__", [*registry.adapters.__path__, str(package)])
    registry.readers.cache_clear()
    try:
        assert load_dataset("odd", [Path("shop")]).reader == "my-format"
        flags = ["odd", "--config-folder", "shop"]
        assert main(["fetch", *flags, "--out", "raw"]) == 0
        assert main(["normalise", *flags, "--raw", "raw", "--out", "tables"]) == 0
        assert pq.read_table("tables/items.parquet")["item_id"].to_pylist() == ["x"]
    finally:
        registry.readers.cache_clear()
