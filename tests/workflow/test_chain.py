"""The whole chain, from raw files to the table, with the real stages and the tiny model."""

import pandas as pd
import pyarrow.parquet as pq

from itdr.files.checksums import sha256
from itdr.files.formats import read_json
from itdr.reporting.formats.csv_files import COLUMNS
from tests.workflow.conftest import QUICK

WORLD = {"users": 80, "items": 60, "interactions_per_user": 24}


def run(project, *words):
    done = project.snakemake(*words)
    assert done.returncode == 0, done.stdout[-3000:]
    return done


def test_a_simulated_world_becomes_a_table_and_only_what_changed_is_made_again(project):
    pairs = ["RP/movielens-32m", "UAP/movielens-1m"]
    project.configure(simulated_world=WORLD, pairs=pairs, trivial_answers=["user-mean"])
    run(project)
    results = project.folder / "results"
    table = pd.read_csv(results / "report/tables/main.csv")
    assert tuple(table.columns) == COLUMNS
    assert {(m, v) for m, v in zip(table["model"], table["variant"], strict=True)} == {
        ("tiny", "base"), ("tiny", "itdr"), ("trivial", "user-mean"), ("trivial", "user-item-bias")
    }  # fmt: skip
    assert project.jobs() == {}

    adapter = results / "adapters/tiny/itdr/42"
    adapter.rename(results / "aside")
    jobs = project.jobs("main")
    assert jobs.pop("total") == 6
    assert jobs == dict.fromkeys(
        (
            "train_adapter",
            "infer_model",
            "score_predictions",
            "compare_columns",
            "make_table",
            "main",
        ),
        1,
    )
    (results / "aside").rename(adapter)

    training = QUICK["training"] | {"lora_rank": 4}
    project.configure(
        simulated_world=WORLD, pairs=pairs, trivial_answers=["user-mean"], training=training
    )
    jobs = project.jobs()
    assert jobs.pop("total") == 9
    assert jobs == dict.fromkeys(
        ("train_adapter", "infer_model", "score_predictions", "compare_columns", "make_table",
         "make_aggregates", "draw_figures", "make_page", "all"), 1,
    )  # fmt: skip


def test_the_same_seed_gives_the_same_bytes_up_to_the_mixture(project):
    digests = []
    for threads in (1, 2):
        project.configure(simulated_world=WORLD, results=f"run{threads}")
        run(project, f"run{threads}/mixtures/itdr/42/train.parquet", "--cores", str(threads))
        made = sorted((project.folder / f"run{threads}").rglob("*.parquet"))
        digests.append([(file.name, sha256(file)) for file in made])
    assert len(digests[0]) >= 2 * 4 + 4 * 4 + 1
    assert digests[0] == digests[1]


def test_a_missing_raw_file_is_named_with_where_to_get_it(project):
    (project.folder / "empty").mkdir()
    project.configure(raw_folders={"movielens-1m": "empty"}, pairs=["UAP/movielens-1m"])
    done = project.snakemake("--show-failed-logs")
    assert done.returncode == 1
    assert "users.dat" in done.stdout and "itdr fetch" in done.stdout
    assert not (project.folder / "results/raw/movielens-1m/manifest.json").exists()


def test_real_samples_go_through_the_whole_chain(project, real_samples):
    project.configure(
        raw_folders={
            "movielens-32m": str(real_samples / "ml-latest-small"),
            "movielens-1m": str(real_samples / "ml-1m"),
        }
    )
    run(project)
    results = project.folder / "results"
    table = pd.read_csv(results / "report/tables/main.csv")
    assert set(table["task"]) == {"RP", "TKR", "NIR", "UAP"}
    assert (table["n"] > 0).all()
    quality = read_json(results / "tables/movielens-32m/quality.json")
    assert quality["rows_read"] == quality["rows_kept"] + quality["rows_rejected"]
    users = pq.read_table(results / "tables/movielens-32m/users.parquet")
    assert len(users) == 222
