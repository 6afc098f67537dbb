"""What `snakemake --profile slurm` would submit, found out without a Slurm."""

import re
import shutil

import pytest

from tests.conftest import ROOT
from tests.workflow.conftest import RECOMMENDERS

# With everything that it reads and makes, or, of what reads very much, in a line.
ALONE = re.compile(
    r"^(?:Job \d+: )?(?:local)?rule (\w+):((?:\n    .*(?=\n))+\n| .*\n)", re.MULTILINE
)
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
        "fetch_model": 4,
        "fetch_tokenizer": 4,
        "recommend": RECOMMENDERS,
    }
    jobs = 242 + 2 * RECOMMENDERS
    assert len(groups) == 22
    assert "build-yelp" in groups and "score-glm-4-9b" in groups
    assert sum(text.count("rule ") for text in groups.values()) == jobs - len(alone)
    assert not any("gpu=" in text for text in groups.values())


def test_jobs_ask_for_what_their_base_model_needs(plan):
    blocks = {
        match[1]: text
        for _, text in ALONE.findall(plan)
        if (match := re.search(r"log: results/logs/([^;\s]+)\.log", text))
    }
    train = blocks["train/glm-4-9b/itdr/42"]
    assert "threads: 8" in train and "mem_mb=48000," in train and "gpu=1," in train
    assert "gpu=1," in blocks["infer/llama-3.2-3b/base/42"]
    assert all("nodes=1" in text for text in blocks.values() if "gpu=1," in text)
    assert "gpu=" not in blocks["infer/gpt-3.5-turbo/base/42"]


def test_the_cores_of_this_machine_hold_no_job_of_a_cluster(project):
    target = "results/adapters/glm-4-9b/itdr/42"
    done = project.run("--profile", str(ROOT / "slurm"), "--dry-run", target)
    assert re.search(r"rule train_adapter:\n(    .*\n)*    threads: 8\n", done.stdout)


def test_several_gpus_of_a_training_stand_in_one_node_with_memory_for_each_process(project):
    folder = project.folder / "config"
    folder.unlink()
    shutil.copytree(ROOT / "config", folder)
    file = folder / "models" / "glm-4-9b.yaml"
    text = file.read_text().replace("training_gpus: 1", "training_gpus: 4")
    file.write_text(text.replace("inference_gpus: 1", "inference_gpus: 2"))
    done = project.snakemake("--profile", str(ROOT / "slurm"), "--dry-run", "glm-4-9b/itdr")
    resources = {rule: re.search(r"resources: (.*)", text)[1]
                 for rule, text in ALONE.findall(done.stdout)
                 if rule in ("train_adapter", "infer_model")}  # fmt: skip
    assert all(word in resources["train_adapter"].split(", ")
               for word in ("gpu=4", "nodes=1", "mem_mb=192000"))  # fmt: skip
    assert all(word in resources["infer_model"].split(", ")
               for word in ("gpu=2", "nodes=1", "mem_mb=48000"))  # fmt: skip
