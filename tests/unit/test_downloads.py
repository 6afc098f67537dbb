"""A run that would download much ends before it begins, until somebody has said so."""

import pytest

from itdr.errors import SettingsError
from itdr.planning.downloads import refuse_large_download
from tests.conftest import ROOT
from tests.machines import needs

LARGE = ("fetch_dataset amazon-2023", "fetch_dataset movielens-1m", "fetch_dataset movielens-32m")


@pytest.fixture(autouse=True)
def here(monkeypatch):
    monkeypatch.chdir(ROOT)


def refuse(*jobs: str, **overrides) -> None:
    wanted = needs(*jobs, **overrides)
    refuse_large_download(wanted.jobs, wanted.sizes)


def test_more_than_a_gigabyte_is_refused_with_what_it_is_and_how_to_go_on():
    with pytest.raises(SettingsError) as error:
        refuse(*LARGE)
    said = str(error.value)
    assert "(amazon-2023 55.0 GB, movielens-1m 500.0 MB, movielens-32m 239.0 MB)" in said
    assert "'itdr plan' says what all of it costs" in said
    allowed = said.partition("--config most_download_gb=")[2].partition(".")[0]
    refuse(*LARGE, most_download_gb=int(allowed))


def test_little_and_what_is_here_are_no_matter(tmp_path):
    refuse("fetch_dataset movielens-32m", "train_adapter glm-4-9b/itdr")
    refuse("fetch_dataset movielens-32m", pairs=["UAP/lastfm-1k"], columns=[])
    refuse(*LARGE, raw_folders={"amazon-2023": str(tmp_path)})
    refuse(*LARGE, simulated_world={"users": 9, "items": 30, "interactions_per_user": 5})


def test_weights_count_and_only_what_is_left_to_do():
    with pytest.raises(SettingsError, match=r"about 18\.8 GB \(glm-4-9b 18\.8 GB\)"):
        refuse("fetch_model glm-4-9b", "infer_model glm-4-9b/base")
    refuse("infer_model glm-4-9b/base", "fetch_tokenizer glm-4-9b")
