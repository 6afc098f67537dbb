"""What has to be added or changed to add one thing: one file each, as the how-to pages show."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.conftest import ROOT
from tests.pages import files_of, yaml_of
from tests.workflow.conftest import QUICK
from tests.workflow.test_chain import WORLD


def with_line(text, line):
    """Return a file of settings in which one key has the value that another page gives it."""
    key = line.partition(":")[0]
    changed, count = re.subn(rf"(?m)^{key}: .*\n", line, text)
    assert count == 1
    return changed


DATASET = """
title: My shop
licence: Our own.
kind: folder
folder: ../../mine
columns:
  interactions: {file: sales.csv, user_id: customer, item_id: product}
"""

# What the how-to pages show is what is added. The task's page can name no metric or baseline of
# another page, so their own lines are put in.
_METRIC, _BASELINE = "how-to/add-a-metric.md", "how-to/add-a-baseline.md"
_TASK = files_of("how-to/add-a-task.md")
_MODEL = "config/models/my-model.yaml"
_ADAPTED = ("config/datasets/odd.yaml", "src/itdr/datasets/adapters/one_pair.py")
TABLE = "\n" + yaml_of("how-to/add-a-table.md", "my-table:")
ADDED = {
    "dataset of columns": {"config/datasets/my-shop.yaml": DATASET},
    "dataset with an adapter": {
        name: files_of("how-to/add-a-dataset.md")[name] for name in _ADAPTED
    },
    "task": {
        name: with_line(
            with_line(text, yaml_of(_METRIC, "mae")), yaml_of(_BASELINE, "always-three")
        )
        for name, text in _TASK.items()
    },
    "metric": files_of(_METRIC),
    "trivial answer": files_of(_BASELINE),
    "base model": {_MODEL: files_of("how-to/add-a-model.md")[_MODEL]},
    "table": {"config/papers/itdr/layout.yaml": TABLE},
}
VARIANT = files_of("how-to/add-a-variant.md")["mine.yaml"]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A copy of the project to which one of each kind has been added."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("Snakefile", "rules", "src", "config", "workflow", "envs"):
        copy = shutil.copy2 if (ROOT / name).is_file() else shutil.copytree
        copy(ROOT / name, folder / name)
    for files in ADDED.values():
        for name, text in files.items():
            path = folder / name
            if name.endswith("layout.yaml"):
                whole = path.read_text().replace("\ntables:", f"\ntables:{TABLE.rstrip()}", 1)
                path.write_text(whole)
            else:
                assert not path.exists()
                path.write_text(text)
    return folder


def test_each_kind_of_thing_is_one_file(checkout):
    changed = [
        path.relative_to(checkout).as_posix()
        for path in checkout.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
        and (not (old := ROOT / path.relative_to(checkout)).is_file()
             or old.read_bytes() != path.read_bytes())
    ]  # fmt: skip
    two = {"dataset with an adapter": 2}
    assert {kind: len(files) for kind, files in ADDED.items()} == dict.fromkeys(ADDED, 1) | two
    assert sorted(changed) == sorted(name for files in ADDED.values() for name in files)


@pytest.mark.parametrize("dataset", ["my-shop", "odd"])
def test_a_dataset_that_was_added_becomes_tables(checkout, tmp_path, dataset):
    (checkout / "mine").mkdir(exist_ok=True)
    (checkout / "mine" / "sales.csv").write_text("customer,product\na,x\n")
    raw, out = str(tmp_path / "raw"), str(tmp_path / "tables")
    for words in (["fetch", dataset, "--out", raw],
                  ["normalise", dataset, "--raw", raw, "--out", out]):  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "itdr", *words], cwd=checkout, text=True, capture_output=True,
            env=os.environ | {"PYTHONPATH": str(checkout / "src")},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
    assert pd.read_parquet(f"{out}/items.parquet")["item_id"].tolist() == ["x"]


def test_a_pair_outside_any_paper_goes_from_raw_files_to_its_table_plan_and_page(checkout):
    changes = {
        "pairs": ["NEXT-RATING/movielens-1m"],
        "columns": ["my-model/base"],
        "trivial_answers": ["always-three"],
        "recommenders": [],
        "simulated_world": WORLD,
    }
    (checkout / "mine.yaml").write_text(yaml.safe_dump(QUICK | changes))
    environment = os.environ | {"PYTHONPATH": str(checkout / "src"), "HF_HUB_OFFLINE": "1"}

    def run(*words):
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=checkout, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3000:]
        return done.stdout

    said = run("itdr", "plan", "--configfile", "mine.yaml")
    assert "No length is published for NEXT-RATING/movielens-1m" in said
    assert "NEXT-RATING" not in run("itdr", "doctor", "--configfile", "mine.yaml")
    run("snakemake", "--cores", "2", "--configfile", "mine.yaml")
    report = checkout / "results" / "report"
    for name in ("main", "my-table"):
        table = pd.read_csv(report / "tables" / f"{name}.csv").set_index(["model", "metric"])
        assert {"rmse", "mae"} <= set(table.loc["my-model"].index)
        three = table.loc["trivial"]
        assert 0 < three.value["mae"] <= three.value["rmse"]
        assert three.paper_value.isna().all()
    page = (report / "index.html").read_text()
    assert "MAE" in page and "One table more" in page and "always-three" in page


def test_a_variant_of_the_configuration_is_planned_as_one_training(checkout):
    (checkout / "variant.yaml").write_text(VARIANT)
    done = subprocess.run(
        [sys.executable, "-m", "itdr", "plan", "glm-4-9b/two-tasks",
         "--configfile", "variant.yaml"],
        cwd=checkout, text=True, capture_output=True,
        env=os.environ | {"PYTHONPATH": str(checkout / "src")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    jobs = dict(re.findall(r"(?m)^(\w+) +(\d+) ", done.stdout))
    assert jobs["train_adapter"] == jobs["mix_examples"] == jobs["infer_model"] == "1"
