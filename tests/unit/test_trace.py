"""`itdr trace`: from an example back to the raw lines that it was built from."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pytest
import yaml

from itdr.cli.main import main
from itdr.files.formats import write_parquet
from itdr.instructions.record import RECORD
from tests.conftest import ROOT
from tests.release import MANIFEST, make_release
from tests.unit.test_columns import CUSTOMERS, FILES, PRODUCTS, dataset

FILMS = {
    "ratings.csv": "userId,movieId,rating,timestamp\n7,1,4.0,1112486027\n8,1,1.0,1112486030\n"
    "7,2,5.0,1112486028\n7,1,2.0,1112486029\n",
    "movies.csv": 'movieId,title,genres\n2,"Sun, The (2001)",Drama\n1,Moon (2000),Comedy\n'
    "3,Mars,Drama\n",
}
RANKED = {
    "id": "TKR/movielens-32m/7",
    "user_id": "7",
    "history": [{"item_id": "1", "title": "Moon (2000)", "rating": 4.0}],
    "candidates": [
        {"item_id": "3", "title": "Mars", "rating": None},
        {"item_id": "2", "title": "Sun, The (2001)", "rating": 5.0},
    ],
    "targets": ["2"],
}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function that lays out a run with examples and raw files, and traces in it."""
    monkeypatch.chdir(tmp_path)
    for name in ("config", "src"):
        Path(name).symlink_to(ROOT / name)

    def lay_out(files, *examples, **settings):
        folder = Path("results/mine")
        task, dataset = examples[0]["id"].split("/")[:2]
        raw = folder / "raw" / dataset
        raw.mkdir(parents=True)
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            (raw / name).write_bytes(data)
        empty = dict.fromkeys(RECORD.names) | {
            "task": task, "dataset": dataset, "instruction": "", "input": "", "output": "",
            "template_version": 1}  # fmt: skip
        parts = folder / "instructions" / task / dataset / "parts"
        for part in ("train", "val", "test"):
            rows = [empty | one for one in examples] if part == "test" else []
            write_parquet(parts / f"{part}.parquet", pa.Table.from_pylist(rows, schema=RECORD))
        told = {"results": str(folder), "pairs": [f"{task}/{dataset}"], "columns": []} | settings
        Path("mine.yaml").write_text(yaml.safe_dump(told))

    return lay_out


def traced(capsys, *words):
    """Return what 'itdr trace --json' prints as (role, item, file, line, raw), one a line."""
    assert main(["trace", *words, "--configfile", "mine.yaml", "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    return [(line["role"], line["key"][-1], Path(line["file"]).name, line["line"], line["raw"])
            for line in value["lines"]]  # fmt: skip


def test_every_item_of_an_example_has_its_rating_and_its_own_line(run, capsys):
    run(FILMS, RANKED)
    assert traced(capsys, RANKED["id"]) == [
        # The rating of line 5 repeats the one of line 2, from which the table was made.
        ("history", "1", "ratings.csv", 2, "7,1,4.0,1112486027"),
        ("history", "1", "movies.csv", 3, "1,Moon (2000),Comedy"),
        ("target", "2", "ratings.csv", 4, "7,2,5.0,1112486028"),
        ("target", "2", "movies.csv", 2, '2,"Sun, The (2001)",Drama'),
        ("candidate", "3", "movies.csv", 4, "3,Mars,Drama"),
    ]


def test_the_text_names_file_and_line(run, capsys):
    run(FILMS, RANKED)
    assert main(["trace", RANKED["id"], "--configfile", "mine.yaml"]) == 0
    text = capsys.readouterr().out
    assert "Asked for:\n  Sun, The (2001)\n" in text
    assert "results/mine/raw/movielens-32m/ratings.csv:4  7,2,5.0,1112486028\n" in text
    assert "parts/test.parquet, row 1" in text
    assert not list(Path("results/mine").glob(".trace*"))


def test_a_cell_lists_the_ids_of_the_rows_that_are_asked(run, capsys):
    others = [RANKED | {"id": f"TKR/movielens-32m/{user}"} for user in (8, 9)]
    run(FILMS, RANKED, *others, inference={"rows_per_cell": 2})
    assert main(["trace", "TKR/movielens-32m", "--configfile", "mine.yaml"]) == 0
    assert capsys.readouterr().out.split() == ["TKR/movielens-32m/7", "TKR/movielens-32m/8"]


def test_an_item_has_the_reviews_that_were_shown(run, capsys):
    reviews = [
        {"username": f"u{n}", "product_id": "10", "date": "2017-01-01", "text": text}
        for n, text in enumerate(["Fine.", "Very long and very much cut off. More.", "No."])
    ]
    games = "{u'id': u'10', u'title': u'Chess'}\n"
    files = {
        "steam_games.json.gz": gzip.compress(games.encode()),
        "steam_reviews.json.gz": gzip.compress("".join(f"{row}\n" for row in reviews).encode()),
    }
    shown = "Reviews:\n- Very long and\nvery much cut off.\n- No."
    run(files, {"id": "TUI/steam/10", "item_id": "10", "input": shown})
    found = traced(capsys, "TUI/steam/10")
    assert [line[:4] for line in found] == [
        ("item", "10", "steam_games.json.gz", 1),
        ("review", "10", "steam_reviews.json.gz", 2),
        ("review", "10", "steam_reviews.json.gz", 3),
    ]
    assert found[1][4] == str(reviews[1])


def test_data_of_ones_own_are_traced_over_lines_in_quotes(run, capsys, tmp_path):
    sales = FILES["sales.csv"] + "a,008,1,2024-05-03,,9\n"
    products = FILES["products.csv"] + "008;Saw;Tools;1999;2;blue\n"
    bought = {"file": "sales.csv", "user_id": "customer", "item_id": "product"}
    own = dataset(interactions=bought, items=PRODUCTS | {"separator": ";"}, users=CUSTOMERS)
    for folder, name, value in (
        ("datasets", "shop", own.model_dump(mode="json", exclude={"id"}, exclude_unset=True)),
        ("tasks", "STARS", yaml.safe_load((ROOT / "config/tasks/RP.yaml").read_text())),
    ):
        if name == "STARS":
            value |= {"task": "STARS", "datasets": {"shop": value["datasets"]["movielens-32m"]}}
        (tmp_path / "own" / folder).mkdir(parents=True)
        (tmp_path / "own" / folder / f"{name}.yaml").write_text(yaml.safe_dump(value))
    example = {"id": "STARS/shop/a", "user_id": "a", "targets": ["008"]}
    run(FILES | {"sales.csv": sales, "products.csv": products}, example, config_folders=["own"])
    assert traced(capsys, "STARS/shop/a") == [
        ("user", "a", "customers.csv", 2, "a,31,F,gold"),
        ("target", "008", "sales.csv", 5, "a,008,1,2024-05-03,,9"),
        ("target", "008", "products.csv", 3, "008;Saw;Tools;1999;2;blue"),
    ]


def test_a_released_example_is_traced_to_its_record(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("config").symlink_to(ROOT / "config")
    release = make_release(tmp_path / "theirs", ("RP", "movielens-32m"))
    folder = "results/mine/release/RP/movielens-32m"
    parts = "results/mine/instructions/RP/movielens-32m/parts"
    cell = ["RP", "movielens-32m", "--manifest", str(MANIFEST)]
    assert main(["fetch-release", *cell, "--folder", str(release), "--out", folder]) == 0
    assert main(["import-release", *cell, "--release", folder, "--out", parts]) == 0
    told = {"results": "results/mine", "data": "released", "pairs": ["RP/movielens-32m"],
            "columns": []}  # fmt: skip
    Path("mine.yaml").write_text(yaml.safe_dump(told))
    ((role, _, file, line, raw),) = traced(capsys, "RP/movielens-32m/test-3")
    assert (role, file, line) == ("record", "test.json", 3)
    record = json.loads(Path(folder, file).read_text())[2]
    assert raw == record["input"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "TKR/movielens-32m/70",
            "none of the 1 examples has the id 'TKR/movielens-32m/70'. Did you mean",
        ),
        ("NIR/movielens-32m/7", "Here are TKR/movielens-32m. Is it another run's --configfile?"),
        ("7", "'7' is no id of an example. Needed is TASK/DATASET/USER"),
        ("../x/7", "is no id of an example"),
    ],
)
def test_an_id_that_is_none_ends_in_one_message(run, capsys, name, told):
    run(FILMS, RANKED)
    assert main(["trace", name, "--configfile", "mine.yaml"]) == 1
    said = capsys.readouterr().err
    assert told in said and "Traceback" not in said
