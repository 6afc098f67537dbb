"""What has to be added or changed to add one thing: one file each."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.conftest import ROOT
from tests.workflow.conftest import QUICK
from tests.workflow.test_chain import WORLD

TASK = """
task: NEXT-RATING
title: Rating of the next film
version: 1
description: Predict the rating of the film, as a number alone.
sampling: {kind: rating, history: 4, min_history: 2}
answer: number
max_answer_tokens: 8
metrics: [rmse, mae]
trivial_answers: [always-three]
datasets:
  movielens-1m:
    examples: 60
    scale: [1, 5]
    template: "{{ history | map(attribute='title') | join(', ') }}. {{ target.title }}"
"""
METRIC = '''
"""The mean absolute error."""

from itdr.registry import METRICS
from itdr.settings.metric import MetricKind


@METRICS.register("mae", MetricKind, title="MAE", reads=("number",), lower_is_better=True,
                  reference="Willmott and Matsuura, 2005")
def mae(answer, example, metric, scorers):
    return abs(answer.number - example.truth)
'''
TRIVIAL = '''
"""Three stars for all."""

from itdr.evaluation.trivial.core import TrivialAnswer
from itdr.registry import TRIVIAL_ANSWERS


@TRIVIAL_ANSWERS.register("always-three", TrivialAnswer, description="3", answers=("number",))
def always_three(known):
    return lambda record, generator: "3"
'''
MODEL = """
model: my-model
title: My model
source: config/models/tiny
memory_mb: 2000
"""
DATASET = """
title: My shop
licence: Our own.
kind: folder
folder: ../../mine
columns:
  interactions: {file: sales.csv, user_id: customer, item_id: product}
"""
DESCRIBED = """
title: An odd format
licence: Our own.
kind: folder
folder: ../../mine
reader: one-pair
files: [{name: sales.csv}]
"""
ADAPTER = '''
"""One user and one item."""

from itdr.datasets.adapters.adapter import Adapter
from itdr.registry import READERS


def _load(context):
    ids = "'a' AS user_id, 'x' AS item_id"
    context.query(f"CREATE VIEW interactions AS SELECT {ids}, 0::USMALLINT AS file, 1 AS line")


READERS.add("one-pair", Adapter(_load, scale=None))
'''
TABLE = "\n  my-table:\n    title: One table more\n    variants: [base]\n"
ADDED = {
    "dataset of columns": {"config/datasets/my-shop.yaml": DATASET},
    "dataset with an adapter": {
        "config/datasets/odd.yaml": DESCRIBED,
        "src/itdr/datasets/adapters/one_pair.py": ADAPTER,
    },
    "task": {"config/tasks/NEXT-RATING.yaml": TASK},
    "metric": {"src/itdr/evaluation/metrics/mae.py": METRIC},
    "trivial answer": {"src/itdr/evaluation/trivial/three.py": TRIVIAL},
    "base model": {"config/models/my-model.yaml": MODEL},
    "table": {"config/papers/itdr/layout.yaml": TABLE},
}


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
