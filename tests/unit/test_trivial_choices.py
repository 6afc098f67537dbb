"""Choices without a model: by hand, and TALLRec's own files with the share of likes as the rule."""

import csv
import json
import re
from math import exp, inf

import pyarrow as pa
import pytest
import yaml

from itdr.errors import SettingsError
from itdr.evaluation.kinds.choice import rated_choice
from itdr.evaluation.score import score
from itdr.evaluation.trivial.core import answer_trivially
from itdr.files.formats import write_parquet
from itdr.instructions.record import RECORD
from itdr.instructions.tasks import load_task
from itdr.settings.scoring import ScoringSettings

NAMES = ("history-share", "item-share", "majority-choice")
TASK = {
    "task": "LIKE", "title": "Like", "version": 1, "description": "Will it be liked?",
    "sampling": {"kind": "rating", "history": 10, "min_history": 3}, "answer": "choice",
    "choices": ["Yes.", "No."], "metrics": ["auc", "auc-user", "gauc", "accuracy"],
    "trivial_answers": list(NAMES),
    "datasets": {"films": {"examples": 9, "template": "{{ target.title }}", "liked": 1}},
}  # fmt: skip


@pytest.fixture
def folders(tmp_path):
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "LIKE.yaml").write_text(yaml.safe_dump(TASK), encoding="utf-8")
    return [tmp_path]


def record(number, liked, output, target="t", user=None):
    """Return an example; liked: of the items shown, None for one without a rating."""
    return {"id": f"LIKE/films/{number:05}", "task": "LIKE", "dataset": "films", "user_id": user,
            "instruction": "Will it be liked?", "input": f"item {number}", "output": output,
            "history": [{"item_id": str(i), "title": "A", "rating": rating}
                        for i, rating in enumerate(liked)],
            "targets": [target], "template_version": 1}  # fmt: skip


def table(rows):
    return pa.Table.from_pylist(rows, schema=RECORD)


TRAIN = [record(n, [], "Yes." if n in (0, 1, 4) else "No.", f"t{n % 2}") for n in range(8)]
TEST = [record(10, [1.0, 0.0, 1.0, None], "Yes.", "t0"), record(11, [None], "No.", "new"),
        record(12, [0.0, 0.0], "No.", "t1")]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("majority-choice", [3 / 8, 3 / 8, 3 / 8]),
        ("history-share", [2 / 3, 3 / 8, 0.0]),
        ("item-share", [2 / 4, 3 / 8, 1 / 4]),
    ],
)
def test_probabilities_are_shares(folders, name, expected):
    found = answer_trivially(name, table(TRAIN), table(TEST), folders=folders, seed=1).to_pylist()
    yes = [row["choices"][0] for row in found]
    assert [(one["text"], one["tokens"]) for one in yes] == [("Yes.", 1)] * 3
    assert [exp(one["logprob"]) for one in yes] == pytest.approx(expected)
    assert [exp(row["choices"][1]["logprob"]) for row in found] == pytest.approx(
        [1 - share for share in expected]
    )
    assert found[2]["answer"] == "No."
    assert name != "history-share" or yes[2]["logprob"] == -inf


def test_candidates_have_the_share_of_how_often_they_occur(tmp_path):
    (tmp_path / "tasks").mkdir()
    task = TASK | {"choices": "candidates", "metrics": ["hit@1"],
                   "trivial_answers": ["random", "popularity"]}  # fmt: skip
    (tmp_path / "tasks" / "LIKE.yaml").write_text(yaml.safe_dump(task), encoding="utf-8")
    candidates = [{"item_id": name, "title": f"Title {name}"} for name in ("t0", "t1", "new")]
    test = table([record(9, [], "Title t0") | {"candidates": candidates, "targets": ["t0"]}])
    for name, expected in (("random", [1 / 3] * 3), ("popularity", [3 / 5, 1 / 5, 1 / 5])):
        train = table([record(n, [], "x", "t0") for n in range(2)])
        (found,) = answer_trivially(name, train, test, folders=[tmp_path], seed=1).to_pylist()
        assert [exp(one["logprob"]) for one in found["choices"]] == pytest.approx(expected)


def test_a_rating_says_which_of_two_choices_is_right(folders):
    task = load_task("LIKE", folders)
    assert [rated_choice(rating, task, "films") for rating in (1.0, 0.5)] == ["Yes.", "No."]
    bare = TASK | {"datasets": {"films": {"examples": 9, "template": "x"}}}
    (folders[0] / "tasks" / "LIKE.yaml").write_text(yaml.safe_dump(bare), encoding="utf-8")
    with pytest.raises(SettingsError, match=r"'datasets\.films\.liked', the lowest rating"):
        rated_choice(1.0, load_task("LIKE", folders), "films")


# TALLRec's released files


def released(path, users=None):
    """Return the examples of a JSON file; users: whose each row is, where another file says so."""
    rows = json.loads(path.read_text(encoding="utf-8"))
    book = path.parent.name == "book"
    records = []
    for number, row in enumerate(rows):
        lists = re.fullmatch(
            r"User Preference: ?(.*)\nUser Unpreference: ?(.*)\nWhether .*", row["input"], re.S
        ).groups()
        likes, dislikes = (
            text.count('" written by ') if book else text.count('", "') + bool(text)
            for text in lists
        )
        liked = [1.0] * likes + [0.0] * dislikes
        user = users[number] if users else None
        records.append(record(number, liked, row["output"], user=user))
    return records


def users_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return [row["user_id"] for row in csv.DictReader(file)]


def scores_of(tmp_path, folders, name, test):
    found = answer_trivially(name, table(TRAIN), table(test), folders=folders, seed=1)
    write_parquet(tmp_path / "p.parquet", found)
    scores = score(tmp_path / "p.parquet", folders, ScoringSettings(resamples=1000))
    return scores[scores["reading"] == "strict"].set_index("metric")


@pytest.mark.parametrize(
    ("file", "rows", "expected"),
    [("movie/test", 1000, 0.7260), ("movie/valid", 1000, 0.6890), ("book/valid", 2427, 0.6872)],
)
def test_the_share_of_likes_on_tallrecs_files(
    real_samples, tmp_path, folders, file, rows, expected
):
    path = real_samples / "tallrec" / f"{file}.json"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    test = released(path)
    assert len(test) == rows
    lengths = {len(one["history"]) for one in test}
    assert lengths == (set(range(3, 11)) if file.startswith("book") else {10})
    found = scores_of(tmp_path, folders, "history-share", test)
    assert round(found.value["auc"], 4) == expected
    assert found.n["auc"] == rows and found.n_unreadable["auc"] == 0


def test_users_make_the_interval_of_tallrecs_films_twice_as_wide(real_samples, tmp_path, folders):
    path = real_samples / "tallrec" / "movie" / "test.json"
    if not path.with_suffix(".csv").is_file():
        pytest.skip(f"{path} and its .csv are not there")
    test = released(path, users_of(path.with_suffix(".csv")))
    assert len({one["user_id"] for one in test}) == 16
    found = scores_of(tmp_path, folders, "history-share", test)
    assert found.ci_low["auc"] == pytest.approx(0.646, abs=0.02)
    assert found.ci_high["auc"] == pytest.approx(0.797, abs=0.02)
    rows = scores_of(tmp_path, folders, "history-share", released(path))
    assert (rows.ci_low["auc"], rows.ci_high["auc"]) == pytest.approx((0.696, 0.762), abs=0.01)
    assert found.value["gauc"] == pytest.approx(0.601, abs=0.0005)
    majority = scores_of(tmp_path, folders, "majority-choice", test)
    assert majority.value["auc"] == 0.5, "one probability for all"
