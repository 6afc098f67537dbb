"""The workflow on the authors' released files instead of rebuilt examples."""

import pyarrow.parquet as pq
import pytest

from itdr.files.checksums import sha256
from itdr.files.formats import read_json
from itdr.settings.model import load_model_settings
from tests.conftest import ROOT
from tests.models import make_random_adapter
from tests.release import make_release


def on_released(folder, **changes):
    """Return the configuration of an experiment on made files in the shape of the release."""
    return {
        "data": "released",
        "release": {"folder": str(make_release(folder, ("TKR", "mind"), rows=40))},
        "pairs": ["TKR/mind"],
        "columns": [],
        "trivial_answers": ["random", "same-category", "user-mean"],
    } | changes


@pytest.fixture
def released(project):
    """A project whose examples are made files in the shape of the release."""
    project.configure(**on_released(project.folder / "release"))
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
        {"task": "TKR", "dataset": "mind", "data": "released", "train": 40, "val": 40, "test": 40}
    ]
    unchecked = {row["check"]: row["unchecked"] for row in report["checks"]}
    assert unchecked["shared-user"] == {"the examples do not say whose they are": 120}


def test_a_released_adapter_is_imported_and_scored_and_nothing_is_trained(project):
    tiny = load_model_settings(ROOT / "config/models/tiny.yaml")
    adapter = make_random_adapter(tiny, project.folder / "adapters" / "tiny" / "itdr", 4)
    place = {"folder": str(adapter.parents[1])}
    project.configure(
        **on_released(
            project.folder / "release", columns=["tiny/released"], released_adapters=place
        )
    )
    jobs = project.jobs("tiny/released")
    assert jobs["import_adapter"] == jobs["infer_model"] == 1
    assert not {"train_adapter", "mix_examples", "audit_examples"} & set(jobs)
    done = project.snakemake("tiny/released")
    assert done.returncode == 0, done.stdout
    results = project.folder / "results"
    answers = pq.read_table(results / "predictions/tiny/released/42.parquet").to_pylist()
    assert {row["adapter"] for row in answers} == {sha256(adapter / "adapter_model.safetensors")}
    run = read_json(results / "adapters/tiny/released/42/run.json")
    assert run["imported"]["folder"] == "tiny/itdr"
    assert (results / "scores/tiny/released/42.csv").is_file()
