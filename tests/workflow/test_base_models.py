"""Base models come from a hub before the jobs that need them, which then ask no hub."""

import json
import shutil

import pytest
import yaml

from tests.conftest import ROOT
from tests.hub import serving
from tests.models import make_random_model

SOURCE, REVISION = "makers/random", "b" * 40


@pytest.fixture
def hub(project, tmp_path_factory, monkeypatch):
    """A hub with a model that the project names, which has nothing in its cache."""
    folder = project.folder / "config"
    folder.unlink()
    shutil.copytree(ROOT / "config", folder)
    model = {"model": "random", "title": "Random", "source": SOURCE, "revision": REVISION,
             "dtype": "float32", "memory_mb": 500}  # fmt: skip
    (folder / "models" / "random.yaml").write_text(yaml.safe_dump(model))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with serving(SOURCE, REVISION, make_random_model(tmp_path_factory.mktemp("model"))) as hub:
        project.variables = {"HF_ENDPOINT": hub.address, "HF_HOME": str(project.folder / "hub")}
        yield hub


def test_a_model_is_fetched_first_and_answers_without_the_hub(project, hub):
    project.configure(pairs=["RP/movielens-32m"], columns=["random/base"], trivial_answers=[],
                      simulated_world={"users": 60, "items": 50, "interactions_per_user": 20},
                      )  # fmt: skip
    answers = "results/predictions/random/base/RP/movielens-32m/42.parquet"
    done = project.snakemake(answers, "--until", "fetch_model")
    assert done.returncode == 0, done.stdout
    assert "state 'billions'" in done.stdout and "download is not counted" in done.stdout
    told = json.loads((project.folder / "results/models/random/fetched.json").read_text())
    assert told["revision"] == REVISION and "model.safetensors" in hub.downloaded

    hub.asked.clear()
    done = project.snakemake(answers)
    assert done.returncode == 0, done.stdout
    assert (project.folder / answers).exists() and hub.asked == []

    (project.folder / "results/models/random/fetched.json").touch()
    assert "Nothing to be done" in project.snakemake(answers, "--dry-run").stdout
