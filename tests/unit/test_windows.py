"""Like or dislike from windows of a user's life, and cutting examples by position."""

from collections import Counter

import pyarrow as pa
import pytest

from itdr.demo.raw_files import write_raw_files
from itdr.demo.world import simulate
from itdr.files.formats import read_parquet, write_parquet
from itdr.instructions.build import build
from itdr.instructions.record import DRAFT, RECORD
from itdr.instructions.sampling import Draw, sample
from itdr.instructions.sampling.windows import WindowsSampling
from itdr.instructions.split import split
from itdr.instructions.tasks import load_task
from itdr.settings.experiment import BuildSettings, SplitSettings
from tests.conftest import ROOT
from tests.normalised import normalised

FOLDERS = [ROOT / "config", ROOT / "config" / "papers" / "tallrec"]
TASKS = {
    "LIKE-FILM": "movielens-100k", "LIKE-FILM-AS-RELEASED": "movielens-100k",
    "LIKE-BOOK": "bookcrossing", "LIKE-BOOK-AS-RELEASED": "bookcrossing",
}  # fmt: skip


@pytest.fixture
def tables(write_tables):
    """One user with five steps, the third without a rating, and one with two."""
    ratings = (5.0, 2.0, None, 4.0, 3.0)
    steps = [("u", f"i{n}", rating) for n, rating in enumerate(ratings)]
    items = [
        {"item_id": f"i{n}", "title": f"T{n}", "categories": [], "creator": f"C{n}"}
        for n in range(5)
    ]
    return write_tables(
        [*steps, ("v", "i0", 5.0), ("v", "i1", 1.0)], items, [{"user_id": u} for u in "uv"]
    )


def windows(tables, examples=100, **changes):
    sampling = WindowsSampling(kind="windows", history=2, min_history=1).model_copy(update=changes)
    draw = Draw(examples, "uniform", 1, "LIKE/x", liked=4.0)
    return [
        (one["user_id"], one["window"],
         [(item["title"], item["liked"]) for item in one["history"]],
         one["target"]["title"], one["target"]["rating"])
        for one in sample(tables, sampling, draw)
    ]  # fmt: skip


def test_every_item_behind_enough_others_is_asked_for_and_unrated_ones_are_left_out(tables):
    found = {one[:2]: one[2:] for one in windows(tables)}
    assert found == {
        ("u", 2): ([("T0", True)], "T1", 2.0),
        ("u", 3): ([("T0", True), ("T1", False)], "T3", 4.0),
        ("u", 4): ([("T1", False), ("T3", True)], "T4", 3.0),
        ("v", 2): ([("T0", True)], "T1", 1.0),
    }


def test_what_is_not_rated_may_count_as_disliked_with_the_rating_0(tables):
    found = {one[:2]: one[2:] for one in windows(tables, unrated="disliked", min_history=2)}
    assert found == {
        ("u", 3): ([("T0", True), ("T1", False)], "T2", 0.0),
        ("u", 4): ([("T1", False), ("T2", False)], "T3", 4.0),
        ("u", 5): ([("T2", False), ("T3", True)], "T4", 3.0),
    }


def test_one_row_a_user_is_the_last_one(tables):
    found = windows(tables, of_user="last")
    assert {(user, target) for user, _, _, target, _ in found} == {("u", "T4"), ("v", "T1")}


def test_the_last_windows_are_those_of_the_last_users_and_a_draw_is_of_all(tables):
    everything = windows(tables, kept="last")
    for count in (1, 2, 3):
        assert windows(tables, count, kept="last") == everything[-count:]
    drawn = windows(tables, 2)
    assert len(drawn) == 2 and set(map(str, drawn)) < set(map(str, everything))
    assert drawn == windows(tables, 2)


def test_by_position_the_file_is_cut_as_it_stands(tmp_path):
    rows = [
        {"id": f"L/x/{n}", "task": "L", "dataset": "x", "user_id": str(n // 4), "instruction": "i",
         "input": "t", "output": "o", "template_version": 1}
        for n in range(20)
    ]  # fmt: skip
    write_parquet(tmp_path / "e.parquet", pa.Table.from_pylist(rows, schema=RECORD))
    split(tmp_path / "e.parquet", tmp_path / "out", SplitSettings(by="position"), 1)
    numbers = {
        part: sorted(
            int(name.rpartition("/")[2])
            for name in read_parquet(tmp_path / "out" / f"{part}.parquet", RECORD)["id"].to_pylist()
        )
        for part in ("train", "val", "test")
    }
    assert numbers == {
        "train": list(range(16)), "val": [16, 17], "test": [18, 19]
    }  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    root = tmp_path_factory.mktemp("world")
    made = simulate(5, users=60, items=150, interactions_per_user=30)
    for dataset in set(TASKS.values()):
        write_raw_files(made, dataset, root / dataset, 5)
        normalised(root / dataset, dataset)
    return root


@pytest.mark.parametrize("name", TASKS)
def test_the_papers_tasks_make_examples_that_are_whole(world, tmp_path, name):
    dataset, task = TASKS[name], load_task(name, FOLDERS)
    tables = next(path.parent for path in (world / dataset).rglob("interactions.parquet"))
    count = build(task, dataset, tables, tmp_path / "e.parquet", BuildSettings(), seed=3)
    rows = read_parquet(tmp_path / "e.parquet", DRAFT).to_pylist()
    assert len({row["id"] for row in rows}) == len(rows) == count > 30
    assert {row["output"] for row in rows} == {"Yes.", "No."}
    least, liked = task.sampling.min_history, task.of(dataset).liked
    for row in rows:
        lines = row["input"].split("\n")
        assert [line.split(":")[0] for line in lines[:2]] == ["User Preference",
                                                              "User Unpreference"]  # fmt: skip
        assert lines[2].startswith("Whether the user will like the target ") and len(lines) == 3
        likes = [item for item in row["history"] if item["rating"] >= liked]
        assert all(f'"{item["title"]}"' in lines[0] for item in likes)
        assert least <= len(row["history"]) <= 10 and len(row["targets"]) == 1
    zeros = Counter(item["rating"] == 0 for row in rows for item in row["history"])
    assert bool(zeros[True]) == (name == "LIKE-BOOK-AS-RELEASED")
    of_user = Counter(row["user_id"] for row in rows)
    assert (max(of_user.values()) == 1) == (dataset == "bookcrossing")
