"""What `snakemake --profile slurm` would submit, found out without a Slurm."""

import re

import pytest

from tests.conftest import ROOT
from tests.workflow.conftest import RECOMMENDERS

ALONE = re.compile(r"^rule (\w+):\n((?:    .*\n)+)", re.MULTILINE)
TOGETHER = re.compile(r"Group job (\S+) .*\n((?:\s*\n|    .*\n)+)")


@pytest.fixture
def plan(project) -> str:
    """The jobs of the paper's experiment, as a dry run lists them."""
    done = project.snakemake("--profile", str(ROOT / "slurm"), "--dry-run", "--cores", "8")
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_small_jobs_share_slurm_jobs_and_none_of_them_holds_a_gpu(plan):
    alone = [rule for rule, _ in ALONE.findall(plan) if rule != "all"]
    groups = dict(TOGETHER.findall(plan))
    assert {rule: alone.count(rule) for rule in alone} == {
        "fetch_dataset": 13,
        "normalise_dataset": 13,
        "annotate_examples": 12,
        "train_adapter": 23,
        "infer_model": 27,
        "ask_endpoint": 2,
        "recommend": RECOMMENDERS,
    }
    assert len(groups) == 22
    assert "build-yelp" in groups and "score-glm-4-9b" in groups
    assert sum(text.count("rule ") for text in groups.values()) == 226 + 2 * RECOMMENDERS - len(
        alone
    )
    assert not any("gpu=" in text for text in groups.values())


def test_jobs_ask_for_what_their_base_model_needs(plan):
    blocks = {
        match[2]: text
        for _, text in ALONE.findall(plan)
        if (match := re.search(r"(output): (results/\S+)", text))
    }
    train = blocks["results/adapters/glm-4-9b/itdr/42"]
    assert "threads: 8" in train and "mem_mb=48000," in train and "gpu=1," in train
    assert "gpu=1," in blocks["results/predictions/llama-3.2-3b/base/42.parquet"]
    asked = blocks["results/predictions/gpt-3.5-turbo/base/42.parquet"]
    assert "gpu" not in asked.split("resources:")[1]


def test_the_cores_of_this_machine_hold_no_job_of_a_cluster(project):
    target = "results/adapters/glm-4-9b/itdr/42"
    done = project.run("--profile", str(ROOT / "slurm"), "--dry-run", target)
    assert re.search(r"rule train_adapter:\n(    .*\n)*    threads: 8\n", done.stdout)
