"""config/datasets.yaml is complete, and a wrong one is refused with the key and what is allowed."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from itdr.errors import SettingsError
from itdr.settings.dataset import load_source
from itdr.vocabulary import Dataset

REPOSITORY = Path(__file__).parents[2]
CATALOGUE = REPOSITORY / "config" / "datasets.yaml"
ENTRY: dict[str, Any] = {
    "title": "T",
    "kind": "http",
    "page": "P",
    "licence": "L",
    "archives": [{"name": "m.zip", "at": ["https://example.org/m.zip"]}],
    "files": [
        {"name": "a.csv", "at": ["https://example.org/a.csv"]},
        {"name": "b.csv", "archive": "m.zip", "member": "m/b.csv"},
    ],
}


def refused(tmp_path: Path, **changes: Any) -> str:
    """Return the message for the entry with some keys changed."""
    path = tmp_path / "datasets.yaml"
    path.write_text(yaml.safe_dump({"datasets": {"steam": {**ENTRY, **changes}}}))
    with pytest.raises(SettingsError) as error:
        load_source(path, "steam")
    return str(error.value)


@pytest.mark.parametrize("dataset", Dataset)
def test_every_dataset_has_an_entry(dataset: Dataset) -> None:
    source = load_source(CATALOGUE, dataset)
    assert any(file.needed for file in source.files)
    assert source.kind in ("http", "huggingface", "gdrive") or source.login


def test_amazon_has_reviews_and_metadata_of_the_twelve_domains() -> None:
    names = {file.name for file in load_source(CATALOGUE, "amazon-2023").files}
    reviews = {name for name in names if not name.startswith("meta_")}
    assert len(reviews) == 12
    assert names == reviews | {f"meta_{name}" for name in reviews}


def test_an_entry_knows_its_id(tmp_path: Path) -> None:
    path = tmp_path / "datasets.yaml"
    path.write_text(yaml.safe_dump({"datasets": {"steam": ENTRY}}))
    assert load_source(path, "steam").id is Dataset.STEAM


def test_an_unknown_dataset_gets_the_nearest_name() -> None:
    with pytest.raises(SettingsError, match=r"Did you mean 'movielens-1m'\?"):
        load_source(CATALOGUE, "movielens1m")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"licence ": "L"}, "unknown key 'datasets.steam.licence '. Did you mean 'licence'?"),
        ({"kind": "htp"}, "Did you mean 'http'?"),
        ({"files": []}, "datasets.steam.files"),
        ({"id": "yelp"}, "the entry 'steam' has the id 'yelp'"),
        ({"repository": "a/b"}, "'repository' belongs to the kinds huggingface and kaggle"),
        ({"kind": "kaggle"}, "'repository' belongs to the kinds huggingface and kaggle"),
        ({"kind": "manual"}, "a manual dataset has no 'at'"),
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
