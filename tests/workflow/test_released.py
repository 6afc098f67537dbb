"""The workflow on the authors' released files instead of rebuilt examples."""

import pytest

from itdr.files.formats import read_json
from tests.release import make_release


@pytest.fixture
def released(project):
    """A project whose examples are made files in the shape of the release."""
    folder = make_release(project.folder / "release", ("TKR", "mind"), rows=40)
    release = {"folder": str(folder)}
    project.configure(
        data="released",
        release=release,
        pairs=["TKR/mind"],
        columns=[],
        trivial_answers=["random", "same-category", "user-mean"],
    )
    return project


def test_released_files_need_no_raw_files_and_no_tables(released):
    jobs = released.jobs()
    assert (jobs["fetch_release"], jobs["import_release"]) == (1, 1)
    rebuilding = ("fetch_dataset", "normalise_dataset", "build_examples", "split_examples")
    assert not set(rebuilding) & set(jobs)


def test_released_files_are_audited_and_mixed(released):
    done = released.snakemake("results/mixtures/itdr/42/train.parquet")
    assert done.returncode == 0, done.stdout
    report = read_json(released.folder / "results/audit/audit.json")
    assert report["clean"]
    assert report["cells"] == [
        {"task": "TKR", "dataset": "mind", "train": 40, "val": 40, "test": 40}
    ]
    unchecked = {row["check"]: row["unchecked"] for row in report["checks"]}
    assert unchecked["shared-user"] == {"the examples do not say whose they are": 120}
