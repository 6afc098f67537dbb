"""What the workflow would do, found out without doing it."""

import logging
import os
import re
import subprocess
import sys

import pytest

from itdr.cli.main import main
from itdr.errors import SettingsError
from itdr.planning.jobs import open_jobs
from tests.conftest import ROOT
from tests.pages import page
from tests.workflow.conftest import RECOMMENDERS


def test_a_plain_dry_run_lists_the_papers_jobs(project):
    assert project.jobs() == {
        "fetch_dataset": 13,
        "fetch_model": 4,
        "fetch_tokenizer": 4,
        "normalise_dataset": 13,
        "build_examples": 33,
        "annotate_examples": 12,
        "split_examples": 33,
        "audit_examples": 1,
        "mix_examples": 14,
        "train_adapter": 23,
        "infer_model": 27,
        "ask_endpoint": 2,
        "answer_trivially": 9,
        "recommend": RECOMMENDERS,
        "score_predictions": 38 + RECOMMENDERS,
        "compare_columns": 6,
        "make_table": 6,
        "make_aggregates": 1,
        "make_statistics": 1,
        "draw_figures": 1,
        "make_page": 1,
        "all": 1,
        "total": 243 + 2 * RECOMMENDERS,
    }


def test_a_target_needs_only_what_leads_to_it(project):
    jobs = project.jobs("results/scores/qwen2.5-7b/base/42.csv")
    assert jobs["infer_model"] == jobs["score_predictions"] == 1
    assert "train_adapter" not in jobs and "make_table" not in jobs


def test_a_column_and_a_table_have_names(project):
    jobs = project.jobs("glm-4-9b/wo-tkr")
    assert jobs["train_adapter"] == jobs["infer_model"] == jobs["score_predictions"] == 1
    jobs = project.jobs("root_ablation")
    assert jobs["train_adapter"] == jobs["infer_model"] == 8
    assert jobs["mix_examples"] == 2 and jobs["make_table"] == 1


def test_one_cell_needs_its_own_dataset_alone(project):
    assert project.jobs("results/scores/glm-4-9b/base/IR/steam/42.csv") == {
        "fetch_dataset": 1,
        "normalise_dataset": 1,
        "build_examples": 1,
        "annotate_examples": 1,
        "split_examples": 1,
        "fetch_model": 1,
        "infer_cell": 1,
        "score_cell": 1,
        "total": 8,
    }


def test_the_docs_draw_the_rules_that_there_are(project):
    drawn = project.snakemake("--rulegraph", "mermaid-js").stdout
    names = dict(re.findall(r"(id\d+)\[(\w+)\]", drawn))
    edges = {(names[a], names[b]) for a, b in re.findall(r"(id\d+) --> (id\d+)", drawn)}
    rules = page("explanations/structure.md").partition("## The rules of the workflow")[2]
    block = rules.partition("```mermaid")[2].partition("```")[0]
    assert set(re.findall(r"(\w+) --> (\w+)", block)) == edges != set()


def test_a_table_without_a_column_is_refused_by_name(project):
    project.configure()
    done = project.snakemake("data_scale", "--dry-run")
    assert done.returncode == 1
    assert "No column of the configuration belongs to the table 'data-scale'" in done.stdout


def test_every_target_has_a_line_of_help(project):
    lines = project.snakemake("--list").stdout.splitlines()
    help_of = {line.split(" (")[0]: line for line in lines if " (" in line}
    assert {"main", "root_ablation", "subtask_ablation", "data_scale", "task_description",
            "closed_source", "dataset_statistics", "aggregates", "figures", "all",
            "so_far", "score_cell", "glm-4-9b/wo-tkr"} <= set(help_of)  # fmt: skip


def test_a_variant_needs_its_own_mixture_alone(project):
    jobs = project.jobs("results/scores/glm-4-9b/wo-task-description/42.csv")
    assert jobs["mix_examples"] == jobs["train_adapter"] == jobs["infer_model"] == 1
    plan = project.snakemake(
        "results/predictions/glm-4-9b/wo-task-description/42.parquet", "--dry-run", "-p"
    ).stdout
    infer, mix = ([line for line in plan.splitlines() if f"itdr {name}" in line]
                  for name in ("infer", "mix"))  # fmt: skip
    assert len(infer) == len(mix) == 1
    assert "--no-description" in infer[0] and "--no-description" in mix[0]


def test_a_stage_waits_for_the_adapter_that_it_starts_from(project):
    tasks = {"tasks": ["RP"], "training": {"epochs": 3}}
    few = {"tasks": ["RP"], "rows": 16, "start_from": "first"}
    project.configure(columns=["tiny/few"], variants={"first": tasks, "few": few})
    assert project.jobs("tiny/few")["train_adapter"] == 2
    plan = project.snakemake("results/adapters/tiny/few/7", "--dry-run", "-p").stdout
    first, second = (line for line in plan.splitlines() if "itdr train " in line)
    assert "--epochs=3" in first and "--start-from" not in first
    assert "--start-from results/adapters/tiny/first/7" in second and "--epochs=1" in second
    assert "--mixture results/mixtures/few/7/train.parquet" in second and "--seed 7" in second


def test_a_training_that_is_validated_waits_for_the_val_parts_of_its_own_cells(project):
    few = {"tasks": ["RP"], "training": {"validation": {"every": 5, "metric": "rmse"}}}
    project.configure(columns=["tiny/few"], variants={"few": few})
    plan = project.snakemake("results/adapters/tiny/few/42", "--dry-run", "-p").stdout
    (line,) = (line for line in plan.splitlines() if "itdr train " in line)
    part = "results/instructions/RP/movielens-32m/parts/val.parquet"
    assert f"--val {part} " in line and line.count("val.parquet") == 1
    assert "--validation-every=5 --validation-metric=rmse" in line
    few["training"]["validation"]["metric"] = "hit@1"
    project.configure(columns=["tiny/few"], variants={"few": few})
    said = project.snakemake("--dry-run").stdout
    assert "'hit@1' goes with the answers to none of the tasks of the variant 'few'" in said


def test_a_variant_that_is_not_trained_has_no_mixture(project):
    done = project.snakemake("results/mixtures/base/42/train.parquet", "--dry-run")
    assert done.returncode == 1 and "No rule to produce" in done.stdout


def test_a_misspelt_key_stops_before_the_plan_with_the_right_name(project):
    project.configure(trainig={"epochs": 1})
    done = project.snakemake("--dry-run")
    assert done.returncode == 1
    assert "mine.yaml: unknown key 'trainig'. Did you mean 'training'?" in done.stdout
    assert "Traceback" not in done.stdout
    assert not (project.folder / "results").exists()


def test_a_cell_without_a_template_is_refused(project):
    project.configure(pairs=["RP/mind"], columns=[])
    done = project.snakemake("--dry-run")
    assert "RP.yaml: no template for dataset 'mind'" in done.stdout


def test_a_model_behind_an_endpoint_is_asked_but_never_trained(project):
    project.configure(columns=["gpt-3.5-turbo/base"])
    jobs = project.jobs("results/scores/gpt-3.5-turbo/base/42.csv")
    assert jobs["ask_endpoint"] == 1 and not {"train_adapter", "infer_model"} & set(jobs)
    project.configure(columns=["gpt-3.5-turbo/itdr"])
    done = project.snakemake("--dry-run")
    assert "a model behind an endpoint cannot be trained" in done.stdout


def test_a_model_that_is_to_be_divided_among_one_process_is_refused(project):
    project.configure(training={"fsdp": True})
    done = project.snakemake("--dry-run")
    assert (
        done.returncode == 1 and "raise 'training_gpus' in config/models/tiny.yaml" in done.stdout
    )


def test_a_plan_is_reckoned_for_a_target(project):
    command = [sys.executable, "-m", "itdr", "plan", "glm-4-9b/wo-tkr", "--snakefile",
               str(ROOT / "Snakefile")]  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, cwd=project.folder, env=environment, capture_output=True,
                          text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = {line.split()[0]: line.split() for line in done.stdout.splitlines() if line.strip()}
    assert lines["train_adapter"][1] == lines["infer_model"][1] == "1"
    assert 1 < float(lines["train_adapter"][2]) < 20  # GPU hours
    assert "1 training of" in done.stdout


def test_the_hours_in_the_docs_are_those_of_the_plan(project):
    """Without checkpointing, as on an H200. To mend it: itdr plan all --gpus 1 4 8 64."""
    plain = project.folder / "plain.yaml"
    plain.write_text("training: {gradient_checkpointing: false}")
    command = [sys.executable, "-m", "itdr", "plan", "all", "--configfile", str(plain), "--gpus",
               "1", "4", "8", "64", "--snakefile", str(ROOT / "Snakefile")]  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "HF_HOME": str(project.folder)}
    done = subprocess.run(command, cwd=project.folder, env=environment, capture_output=True,
                          text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "Snakemake is not heard"
    found = re.findall(r"(?m)^ +(\d+) +([\d.,]+) +(\d+%) ", done.stdout)
    docs = page("how-to/gpus.md")
    assert re.findall(r"(?m)^\| (\d+) \| ([\d.]+) \| (\d+%) \|$", docs) == found
    assert len(found) == 4


def test_the_claims_cost_what_the_plan_says(project, monkeypatch, capsys):
    """GPU hours, download in GB and US dollars of each command of CLAIMS.md, from nothing."""
    monkeypatch.chdir(project.folder)
    monkeypatch.setenv("HF_HOME", str(project.folder))
    claims = (ROOT / "CLAIMS.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"(?m)^\|.*\| `snakemake ?(\w*)` \|.*\| ([\d.]+) \| ([\d.]+) GB \| ([\d.]+) \|$", claims
    )
    told = {target: numbers for target, *numbers in rows}
    assert len(told) == len(rows) == 10
    for target, numbers in told.items():
        assert main(["plan", target or "all", "--snakefile", str(ROOT / "Snakefile")]) == 0
        said = capsys.readouterr().out
        gpu = re.search(r"(?m)^total +\d+ +([\d.]+) +[\d.]+ +[\d.]+ GB", said)
        download, dollars = re.search(r"(?m)^total .* ([\d.]+) GB +([\d.]+)$", said).groups()
        assert [gpu[1] if gpu else "0", download, dollars] == numbers, target


def test_the_plan_waits_as_the_workflow_does(project, monkeypatch):
    monkeypatch.chdir(project.folder)
    jobs = open_jobs(["results/scores/glm-4-9b/base/IR/steam/42.csv"], ROOT / "Snakefile", [])
    waits = {job.rule: {jobs[place].rule for place in job.after} for job in jobs}
    assert waits == {
        "fetch_dataset": set(),
        "fetch_model": set(),
        "normalise_dataset": {"fetch_dataset"},
        "build_examples": {"normalise_dataset"},
        "annotate_examples": {"build_examples", "normalise_dataset"},
        "split_examples": {"annotate_examples", "normalise_dataset"},
        "infer_cell": {"split_examples", "fetch_model"},
        "score_cell": {"infer_cell"},
    }
    assert all(place < here for here, job in enumerate(jobs) for place in job.after)
    with pytest.raises(SettingsError, match="Snakemake cannot plan none: No rule to produce none"):
        open_jobs(["none"], ROOT / "Snakefile", [])
    assert logging.getLogger("itdr").isEnabledFor(logging.ERROR), "it may speak again"
