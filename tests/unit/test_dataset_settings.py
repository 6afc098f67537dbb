"""Each dataset is one file, and a wrong one is refused with the key and what is allowed."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from itdr.datasets.adapters.columns import adapter_of
from itdr.errors import SettingsError
from itdr.registry import READERS
from itdr.settings.dataset import load_dataset
from itdr.settings.folders import CONFIG, settings_file, settings_files

DATASETS = list(settings_files("datasets"))
ENTRY: dict[str, Any] = {
    "title": "T",
    "reader": "steam",
    "kind": "http",
    "page": "P",
    "licence": "L",
    "archives": [{"name": "m.zip", "at": ["https://example.org/m.zip"]}],
    "files": [
        {"name": "a.csv", "at": ["https://example.org/a.csv"]},
        {"name": "b.csv", "archive": "m.zip", "member": "m/b.csv"},
    ],
}
OWN = {"kind": "folder", "folder": "data", "archives": [], "files": [], "page": None}
COLUMNS = {"interactions": {"file": "a.csv", "user_id": "u", "item_id": "i"}}


def written(place: Path, **changes: Any) -> Path:
    """Write the entry with some keys changed as the dataset `shop`, and return its folder."""
    (place / "datasets").mkdir(exist_ok=True)
    (place / "datasets" / "shop.yaml").write_text(yaml.safe_dump({**ENTRY, **changes}))
    return place


def refused(tmp_path: Path, **changes: Any) -> str:
    """Return the message for the entry with some keys changed."""
    with pytest.raises(SettingsError) as error:
        load_dataset("shop", [written(tmp_path, **changes)])
    return str(error.value)


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_dataset_says_what_is_needed_and_who_reads_it(dataset: str) -> None:
    source = load_dataset(dataset)
    assert any(file.needed for file in source.files)
    assert source.kind in ("http", "huggingface", "gdrive") or source.login
    assert source.words.items != "items"
    assert adapter_of(source) is READERS[source.reader or ""]


def test_amazon_has_reviews_and_metadata_of_the_twelve_domains() -> None:
    names = {file.name for file in load_dataset("amazon-2023").files}
    reviews = {name for name in names if not name.startswith("meta_")}
    assert len(reviews) == 12
    assert names == reviews | {f"meta_{name}" for name in reviews}


def test_a_folder_of_ones_own_adds_datasets(tmp_path: Path) -> None:
    source = load_dataset("shop", [written(tmp_path)])
    assert source.id == "shop"
    assert source.words.items == "items"


def test_a_folder_is_told_from_the_file_that_names_it(tmp_path: Path) -> None:
    own = load_dataset("shop", [written(tmp_path, **OWN, reader=None, columns=COLUMNS)])
    assert own.folder == str(tmp_path / "datasets" / "data")


def test_an_unknown_dataset_gets_the_nearest_name_and_the_list(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as error:
        settings_file("datasets", "movielens1m", [CONFIG, tmp_path])
    assert f"no movielens1m.yaml in config/datasets, {tmp_path}/datasets" in str(error.value)
    assert "Did you mean 'movielens-1m'?" in str(error.value)
    assert "steam, yelp" in str(error.value)


def test_one_name_stands_for_one_file(tmp_path: Path) -> None:
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "steam.yaml").touch()
    with pytest.raises(SettingsError, match=r"'steam' is the name of config/datasets/steam\.yaml"):
        load_dataset("steam", [CONFIG, tmp_path])


def test_an_unknown_reader_gets_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"unknown reader 'stem'. Did you mean 'steam'\?"):
        adapter_of(load_dataset("shop", [written(tmp_path, reader="stem")]))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"licence ": "L"}, "unknown key 'licence '. Did you mean 'licence'?"),
        ({"kind": "htp"}, "Did you mean 'http'?"),
        ({"files": []}, "'files' is missing"),
        ({"id": "yelp"}, "unknown key 'id'"),
        ({"reader": None}, "either 'reader' or 'columns'"),
        ({"columns": COLUMNS}, "either 'reader' or 'columns'"),
        (
            {"reader": None, "columns": {"interactions": {**COLUMNS["interactions"], "file": "x"}}},
            "columns: no file of 'files' is called 'x'",
        ),
        ({"folder": "data"}, "'folder' belongs to the kind folder"),
        ({"page": None}, "the key 'page' is missing"),
        ({"repository": "a/b"}, "'repository' belongs to the kinds huggingface and kaggle"),
        ({"kind": "kaggle"}, "'repository' belongs to the kinds huggingface and kaggle"),
        ({"kind": "manual"}, "a dataset of the kind manual has no 'at'"),
        ({"archives": []}, "b.csv: no archive is called 'm.zip'"),
    ],
)
def test_a_wrong_entry_is_refused(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    assert says in refused(tmp_path, **changes)


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ({"name": "../a.csv", "at": ["https://x/a"]}, "a plain file name is needed"),
        ({"name": ".a.csv", "at": ["https://x/a"]}, "a plain file name is needed"),
        ({"name": "a.csv", "at": ["ftp://x/a"]}, "'ftp://x/a' is no http(s) address"),
        ({"name": "a.csv"}, "must say where it is"),
        ({"name": "a.csv", "archive": "m.zip"}, "'archive' and 'member' need each other"),
        ({"name": "m.zip", "at": ["https://x/a"]}, "the file name 'm.zip' stands twice"),
        ({"name": "a.csv", "at": ["https://x/a"], "md5": "xyz"}, "md5"),
        ({"name": "a.csv", "at": ["https://x/a"], "bytes": "12"}, "valid integer"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, file: dict[str, Any], says: str) -> None:
    assert says in refused(tmp_path, files=[file])
