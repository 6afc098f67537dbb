"""The example of one's own data, from CSV files to a table, wherever its folder lies."""

import shutil

import pandas as pd
import yaml

from tests.conftest import ROOT

TABLE = "results/own-data/report/tables/main.csv"


def test_the_example_makes_a_table_and_only_what_changed_is_made_again(project):
    mine = project.folder / "my folder"
    shutil.copytree(ROOT / "examples" / "own-data", mine)
    told = yaml.safe_load((mine / "config.yaml").read_text())
    # As many examples as the task asks for, or nothing is learnt.
    project.configure(**told | {"config_folders": ["my folder"], "build": {}})
    done = project.snakemake("main")
    assert done.returncode == 0, done.stdout
    table = pd.read_csv(project.folder / TABLE).set_index(["model", "variant", "metric"])
    # Not by rmse, which leaves out what a base model answers and nobody can read.
    tuned, base = (table.value["tiny", name, "rmse-midpoint"] for name in ("tuned", "base"))
    assert tuned < base
    assert set(table.loc["trivial"].index) >= {("user-mean", "rmse"), ("global-mean", "rmse")}
    assert not project.jobs("main")

    with (mine / "data" / "loans.csv").open("a") as file:
        file.write("M0001,B001,5,2024-05-01 10:00\n")
    assert {"fetch_dataset", "normalise_dataset", "train_adapter"} <= project.jobs("main").keys()


def test_a_changed_mapping_reads_the_same_files_again(project):
    mine = project.folder / "mine"
    shutil.copytree(ROOT / "examples" / "own-data", mine)
    told = yaml.safe_load((mine / "config.yaml").read_text())
    project.configure(**told | {"config_folders": ["mine"]})
    quality = "results/own-data/tables/town-library/quality.json"
    assert project.snakemake(quality).returncode == 0
    assert not project.jobs(quality)
    file = mine / "datasets" / "town-library.yaml"
    file.write_text(file.read_text().replace("    age: age\n", ""))
    assert project.jobs(quality).keys() - {"total"} == {"normalise_dataset"}
