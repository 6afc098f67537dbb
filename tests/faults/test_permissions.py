"""What may not be read or written is named in one line."""

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.faults.stages import STAGES

NOBODY = 65534
TABLES = "tables/movielens-32m"
READS = {
    "normalise": "raw/movielens-32m/manifest.json",
    "build": f"{TABLES}/interactions.parquet",
    "annotate": "drafts.parquet",
    "split": "examples.parquet",
    "audit": "parts/val.parquet",
    "mix": "audit/audit.json",
    "train": "mixture.parquet",
    "infer": "adapters/tiny/itdr/1/adapter_model.safetensors",
    "score": "predictions/tiny/itdr/1.parquet",
    "report": "scores/tiny/itdr/1.csv",
}


@contextmanager
def without_rights():
    """Be a user for whom permissions count."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture(scope="module")
def open_run(whole):
    """Return a copy of the run that every user may read, in a folder that every user may enter."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        run = shutil.copytree(whole, folder / "run")
        for path in [run, *run.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
        with without_rights():
            if not os.access(ROOT / "config" / "tasks", os.R_OK, effective_ids=True):
                pytest.skip("the checkout cannot be read by others")
        yield run


def refused(stage, run, out, capsys, path):
    with without_rights():
        assert STAGES[stage].start(run, out) == 1
    message = capsys.readouterr().err.strip().splitlines()[-1]
    assert message.startswith(f"itdr {stage}: {path}") and "Permission denied" in message, message


@pytest.mark.parametrize("stage", READS)
def test_an_input_that_may_not_be_read_is_named(open_run, tmp_path, capsys, stage):
    path = open_run / READS[stage]
    path.chmod(0)
    writable = open_run.parent / "writable"
    writable.mkdir(exist_ok=True)
    writable.chmod(0o777)
    try:
        refused(stage, open_run, writable, capsys, path)
    finally:
        path.chmod(0o644)


@pytest.mark.parametrize("stage", STAGES)
def test_a_folder_that_may_not_be_written_to_is_named(open_run, capsys, stage):
    sealed = open_run.parent / "sealed"
    (sealed / STAGES[stage].makes).parent.mkdir(parents=True, exist_ok=True)
    for path in [sealed, *sealed.rglob("*")]:
        path.chmod(0o555)
    refused(stage, open_run, sealed, capsys, sealed)
    assert not any(path.is_file() for path in sealed.rglob("*"))
