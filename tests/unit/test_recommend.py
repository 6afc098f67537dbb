"""What recommenders may see, and the answers that they write: nothing after an example's cut."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from itdr.cli import main
from itdr.errors import DataError, SettingsError
from itdr.evaluation.score import score
from itdr.files.formats import read_parquet, write_parquet
from itdr.instructions.protocol import Protocol
from itdr.instructions.record import PREDICTION, RECORD
from itdr.recommenders.methods import METHODS
from itdr.recommenders.recommend import Sources, recommend
from itdr.recommenders.visible import visible_interactions
from itdr.settings.folders import FOLDERS
from itdr.settings.scoring import ScoringSettings

DATASET = "movielens-32m"
START = datetime(2020, 1, 1, tzinfo=UTC)
ITEMS = [f"i{number:02}" for number in range(30)]
CUT = 8


def seen_as(visible):
    """Return (user's number, item's number) back as ids of the test users and named items."""
    users = {number: name for name, number in visible.users.items()}
    items = {number: name for name, number in visible.items.items()}
    data = visible.interactions
    pairs = zip(data.users.tolist(), data.items.tolist(), strict=True)
    return {(users[user], items.get(item)) for user, item in pairs if user in users}


def step(user, item, day, rating=3.0):
    time = None if day is None else START + timedelta(days=day)
    return {"user_id": user, "item_id": item, "rating": rating, "timestamp": time}


def example(user, history, targets, candidates=(), task="TKR"):
    def shown(items):
        return [{"item_id": item, "title": f"Title {item}", "rating": None} for item in items]

    return {
        "id": f"{task}/{DATASET}/{user}",
        "task": task,
        "dataset": DATASET,
        "user_id": user,
        "instruction": "Do.",
        "input": "Given.",
        "output": "3.0" if task == "RP" else "As asked.",
        "history": shown(history),
        "candidates": shown(candidates) or None,
        "targets": list(targets),
        "template_version": 1,
    }


def items_table(editions=()):
    rows = [{"item_id": item, "title": f"Title {item}", "categories": []} for item in ITEMS]
    return rows + [{"item_id": item, "title": title, "categories": []} for item, title in editions]


def test_a_users_own_later_life_is_hidden(write_tables):
    life = [
        step("u", "i01", 1), step("u", "i02", 2), step("u", "i03", 2), step("u", "i04", 2),
        step("u", "i05", 5),
    ]  # fmt: skip
    others = [step("v", "i05", 9), step("v", "i04", 9)]
    tables = write_tables(life + others, items_table(), [("u",), ("v",)])
    # i02 is shown, i03 of the same second is not, i04 is asked for.
    asked = example("u", ["i01", "i02"], ["i04"], ITEMS[:6])
    assert seen_as(visible_interactions(tables, [asked])) == {("u", "i01"), ("u", "i02")}
    visible = visible_interactions(tables, [asked])
    assert len(visible.interactions) == 4, "all of v's, who is in no test part"
    visible = visible_interactions(tables, [asked | {"history": []}])
    assert seen_as(visible) == {("u", "i01")}
    visible = visible_interactions(
        tables, [asked | {"history": asked["history"][1:]}], shown_alone=True
    )
    assert seen_as(visible) == {("u", "i02")}


def test_editions_of_what_is_asked_for_are_hidden_too(write_tables):
    interactions = [{"user_id": "u", "item_id": item} for item in ("i01", "i02", "new")]
    tables = write_tables(interactions, items_table([("new", " title  I02")]), [("u",)])
    asked = example("u", ["i01"], ["i02"], ["i02", "new", "i03"])
    assert seen_as(visible_interactions(tables, [asked])) == {("u", "i01")}


def test_without_an_order_in_time_what_is_asked_for_is_hidden_alone(write_tables):
    interactions = [{"user_id": "u", "item_id": item} for item in ITEMS[:5]]
    tables = write_tables(interactions, items_table(), [("u",)])
    visible = visible_interactions(tables, [example("u", ["i00"], ["i02"], ITEMS[:5])])
    assert seen_as(visible) == {("u", item) for item in ("i00", "i01", "i03", "i04")}


def test_of_two_examples_of_a_user_the_earlier_cut_counts(write_tables):
    life = [step("u", item, day) for day, item in enumerate(ITEMS[:6])]
    tables = write_tables(life, items_table(), [("u",)])
    first = example("u", ["i00"], ["i02"], ITEMS[:6])
    second = example("u", ["i03"], ["i05"], ITEMS[:6]) | {"id": "other"}
    assert seen_as(visible_interactions(tables, [first, second])) == {("u", "i00"), ("u", "i01")}


def test_with_a_split_by_time_nothing_later_is_seen_of_anybody(write_tables):
    life = [step("u", item, day) for day, item in enumerate(ITEMS[:6])]
    others = [step("v", item, day) for day, item in enumerate(ITEMS[:6])]
    tables = write_tables(life + others, items_table(), [("u",), ("v",)])
    asked = example("u", ["i03", "i04"], ["i05"], ["i05", "i06"])
    visible = visible_interactions(tables, [asked], before=START + timedelta(days=3))
    assert len(visible.interactions) == 6
    assert visible.interactions.counts()[visible.items["i03"]] == 0


def test_tables_of_something_else_are_refused(write_tables):
    tables = write_tables([step("v", "i01", 1)], items_table(), [("v",)])
    with pytest.raises(DataError, match=r"TKR/movielens-32m/u asks for item 'i02'.*has not"):
        visible_interactions(tables, [example("u", [], ["i02"])])


@pytest.fixture
def world(write_tables, tmp_path):
    """Return a function that writes tables and test parts; users w.. have an example each.

    After their cut these users do what a second world's seed says, and rate it so.
    """

    def write(before=1, after=1):
        order, later = np.random.default_rng(before), np.random.default_rng([after, 9])
        interactions, examples = [], {"TKR": [], "NIR": [], "RP": []}
        for number in range(30):
            items = [ITEMS[place] for place in order.permutation(30)[:14]]
            ratings = [float(rating) for rating in order.integers(1, 6, 14)]
            user = f"{'w' if number < 10 else 'v'}{number:02}"
            if user[0] == "w":
                targets, history = items[CUT : CUT + 5], items[CUT - 5 : CUT]
                candidates = [item for item in ITEMS if item not in items][:5] + targets
                for task, count in (("TKR", 5), ("NIR", 1), ("RP", 1)):
                    asked = example(user, history, targets[:count], candidates, task)
                    examples[task].append(asked | ({"candidates": None} if task == "RP" else {}))
                unseen = [item for item in ITEMS if item not in items]
                items[CUT + 5 :] = later.permutation(unseen)[: 14 - CUT - 5].tolist()
                items[CUT + 1 : CUT + 5] = later.permutation(items[CUT + 1 : CUT + 5]).tolist()
                ratings[CUT:] = later.integers(1, 6, 14 - CUT).astype(float).tolist()
            interactions += [
                step(user, item, day, rating)
                for day, (item, rating) in enumerate(zip(items, ratings, strict=True))
            ]
        name = f"world-{before}-{after}"
        users = sorted({(row["user_id"],) for row in interactions})
        folder = tmp_path / name
        folder.mkdir()
        write_tables(interactions, items_table(), users, folder=f"{name}/{DATASET}")
        parts = []
        for task, rows in examples.items():
            part = folder / f"{task}.parquet"
            schema = Protocol("uniform", "user").attached(RECORD)
            write_parquet(part, pa.Table.from_pylist(rows, schema))
            parts.append(part)
        return folder, parts

    return write


LEARNERS = [name for name, method in METHODS.items() if method.make]


def answers(name, folder, parts):
    if METHODS[name].missing:
        pytest.skip(f"{METHODS[name].missing} not installed")
    return recommend(name, parts, Sources(folder, ()), folders=FOLDERS, rows_per_cell=9, seed=3)


@pytest.mark.parametrize("name", [name for name in LEARNERS if name != "sasrec"])
def test_what_test_users_do_after_the_cut_changes_no_answer(name, world):
    folder, parts = world()
    found = answers(name, folder, parts)
    other_future, _ = world(after=2)
    assert answers(name, other_future, parts)["answer"].equals(found["answer"])


def test_sasrec_does_not_see_it_either(world):
    """Hold what it would be given, since training it takes seconds."""
    folder, parts = world()
    other_future, _ = world(after=2)
    for part in parts:
        rows = read_parquet(part, RECORD).to_pylist()
        found, other = (visible_interactions(f / DATASET, rows) for f in (folder, other_future))
        for column in ("users", "items", "ratings", "asked"):
            np.testing.assert_array_equal(
                getattr(found.interactions, column), getattr(other.interactions, column)
            )


def test_a_planted_leak_would_be_seen(world, monkeypatch):
    """Hold the test above: with nothing hidden, the other future does change answers."""
    monkeypatch.setattr(
        "itdr.recommenders.visible._hide",
        lambda connection, *_: connection.execute("CREATE TABLE hidden (row BIGINT)"),
    )
    folder, parts = world()
    other_future, _ = world(after=2)
    for name in ("most-popular", "item-knn", "ease", "last-item", "item-mean", "user-item-bias"):
        found = answers(name, folder, parts)["answer"]
        assert not answers(name, other_future, parts)["answer"].equals(found), name


def test_answers_are_scored_like_a_models_and_say_their_protocol(world, tmp_path):
    folder, parts = world()
    found = answers("item-knn", folder, parts)
    assert found.schema == PREDICTION and len(found) == 18, "9 of 10 rows of TKR and of NIR"
    (protocol,) = set(found["protocol"].to_pylist())
    assert protocol == (
        "split: user; negatives: uniform; sees: others' interactions, the user's own before the "
        "target"
    )
    write_parquet(tmp_path / "p.parquet", found)
    scores = score(tmp_path / "p.parquet", FOLDERS, ScoringSettings(resamples=10))
    assert set(scores["task"]) == {"TKR", "NIR"}
    assert set(scores["protocol"]) == {protocol}
    assert not scores["n_unreadable"].any() and not scores["rate_missing"].fillna(0).any()


def test_the_command(world, tmp_path):
    folder, parts = world()
    out = tmp_path / "out.parquet"
    words = ["recommend", "user-item-bias", "--tables", str(folder), "--test", *map(str, parts),
             "--out", str(out)]  # fmt: skip
    assert main.main(words) == 0
    table = read_parquet(out, PREDICTION)
    assert set(table["task"].to_pylist()) == {"RP"}
    assert all(0.5 <= float(answer) <= 5 for answer in table["answer"].to_pylist())


def test_a_recommender_that_answers_none_of_the_tasks_is_refused(world):
    folder, parts = world()
    with pytest.raises(SettingsError, match="none of the test parts asks for that"):
        recommend("ease", parts[2:], Sources(folder, ()), folders=FOLDERS, rows_per_cell=9, seed=3)
