"""The workflow in a folder that is not its own, and as a module of another workflow."""

import os
import re
import shutil
import subprocess
import sys

import pandas as pd
import pytest
import yaml

from tests.conftest import ROOT
from tests.workflow.conftest import QUICK
from tests.workflow.test_chain import WORLD

SMALL = QUICK | {
    "simulated_world": WORLD,
    "pairs": ["UAP/movielens-1m"],
    "columns": ["tiny/base"],
    "trivial_answers": ["majority"],
    "teacher": {"kind": "rules"},
}
PARENT = """
configfile: "config/config.yaml"

module itdr:
    snakefile: {snakefile!r}
    config: config["itdr"]

use rule * from itdr as itdr_*

rule winners:
    input: "itdr results/report/tables/main.csv",
    output: "winners.txt",
    shell: "head -n 1 {{input:q}} > {{output:q}}; echo $PYTHONPATH >> {{output:q}}"

use rule normalise_dataset from itdr as itdr_normalise_dataset with:
    threads: 1
"""


def snakemake(folder, *words, **variables):
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2", *map(str, words)],
        cwd=folder,
        env=os.environ | {"HF_HUB_OFFLINE": "1"} | variables,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def test_the_workflow_runs_in_a_folder_that_holds_nothing_but_a_users_files(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there's results"
    for folder in (here, there / "config/models"):
        folder.mkdir(parents=True)
    model = (ROOT / "config/models/tiny.yaml").read_text()
    mine = model.replace("model: tiny", "model: mine").replace("title: Tiny", "title: My own")
    (there / "config/models/mine.yaml").write_text(mine)
    (here / "mine.yaml").write_text(yaml.safe_dump(SMALL | {"columns": ["mine/base"]}))
    snakemake(
        here, "--snakefile", ROOT / "Snakefile", "--directory", there, "--configfile", "mine.yaml"
    )
    table = pd.read_csv(there / "results/report/tables/main.csv")
    assert {"mine", "trivial"} == set(table["model"])
    assert (there / "results/report/index.html").is_file()
    assert {path.name for path in here.iterdir()} == {"mine.yaml"}
    assert {path.name for path in there.iterdir()} == {"config", "results", ".snakemake"}


def test_the_workflow_is_a_module_of_another_that_has_a_config_of_its_own(tmp_path):
    (tmp_path / "config").mkdir()
    config = {"ours": 1, "itdr": SMALL | {"results": "itdr results"}}
    (tmp_path / "config/config.yaml").write_text(yaml.safe_dump(config))
    (tmp_path / "Snakefile").write_text(PARENT.format(snakefile=str(ROOT / "Snakefile")))
    snakemake(tmp_path, "winners", PYTHONPATH=f"{ROOT}/src:/of/theirs")
    heads, path = (tmp_path / "winners.txt").read_text().splitlines()
    assert heads.startswith("table,model,variant,")
    assert path.split(":")[-1] == "/of/theirs" and f"{ROOT}/src" in path
    assert {path.name for path in tmp_path.iterdir()} == {
        "config", "Snakefile", "winners.txt", "itdr results", ".snakemake"
    }  # fmt: skip
    plan = snakemake(tmp_path, "itdr_all", "--dry-run", "--quiet", "rules")
    assert "itdr_make_page" in plan and "itdr_normalise_dataset" not in plan


@pytest.mark.parametrize(
    "words",
    [(), ("--configfile", "config/demo.yaml"), ("--workflow-profile", "demo-full"),
     ("--profile", "slurm"), ("--config", "data=released")],
)  # fmt: skip
def test_snakemakes_own_check_finds_nothing(words):
    said = snakemake(ROOT, "--lint", *words)
    assert "your workflow is in a good condition" in said, said


def test_every_job_says_its_memory_its_time_and_its_threads(project, tmp_path, monkeypatch):
    # Of a rule with a message Snakemake prints nothing else.
    bare = tmp_path / "bare"
    for name in ("rules", "workflow", "config", "src", "envs"):
        shutil.copytree(ROOT / name, bare / name)
    shutil.copy(ROOT / "Snakefile", bare)
    for path in (bare / "rules").glob("*.smk"):
        text = re.sub(r"^( +)message:\n(?:\1 +.*\n)+", "", path.read_text(), flags=re.MULTILINE)
        path.write_text(text)
    monkeypatch.setattr("tests.workflow.conftest.ROOT", bare)
    targets = ("all", "export", "so_far", "results/comparisons/main.csv",
               "results/predictions/glm-4-9b/base/42.jsonl",
               "results/scores/gpt-3.5-turbo/base/RP/yelp/42.csv")  # fmt: skip
    plans = [project.snakemake(*targets, "--dry-run", "-p", "--cores", "8").stdout]
    plans.append(project.snakemake("--config", "data=released", "--dry-run", "-p").stdout)
    project.configure(simulated_world=WORLD, columns=["tiny/released"])
    plans.append(project.snakemake("--dry-run", "-p").stdout)
    jobs = [re.split(r"\n\[", block)[0] for plan in plans
            for block in re.split(r"^rule ", plan, flags=re.MULTILINE)[1:]]  # fmt: skip
    jobs = [job for job in jobs if "python -m itdr" in job]
    rules = {job.partition(":")[0] for job in jobs}
    blocks = [block for path in (ROOT / "rules").glob("*.smk") for block in
              re.split(r"^(?:use )?rule (?:\w+ as )?", path.read_text(), flags=re.MULTILINE)[1:]
              ]  # fmt: skip
    assert rules == {re.split(r"\W", block)[0] for block in blocks
                     if "log:" in block or "resources:" in block}  # fmt: skip
    for job in jobs:
        asked = re.search(r"resources: (.*)", job)[1]
        assert re.search(r"\bmem_mb=\d", asked) and re.search(r"\bruntime=\d", asked), job
        assert "<results>" not in job, job
        threads = re.search(r"--threads (\d+)", job)
        if threads and threads[1] != "1":
            assert f"threads: {threads[1]}\n" in job, job
    parallel = {job.partition(":")[0] for job in jobs if "    threads: " in job}
    assert parallel - {"recommend"} == {"normalise_dataset", "build_examples", "audit_examples",
                                        "train_adapter", "infer_model", "infer_cell"}  # fmt: skip


def test_every_path_in_a_command_is_quoted():
    loose = [
        (path.name, found)
        for path in (ROOT / "rules").glob("*.smk")
        for found in re.findall(r"\{(?:input|output|log)[^}:]*\}", path.read_text())
        if found != "{log}"
    ]
    assert loose == []
