"""Trivial answers: what they say, and that they pass through the same reading as a model's."""

from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from itdr.cli import main
from itdr.errors import DataError, SettingsError
from itdr.evaluation.answers import Form, Reading
from itdr.evaluation.kinds.core import read
from itdr.evaluation.score import score
from itdr.evaluation.trivial.core import ItemFacts, answer_trivially
from itdr.instructions.record import PREDICTION, RECORD
from itdr.instructions.tasks import load_tasks
from itdr.registry import TRIVIAL_ANSWERS
from itdr.settings.folders import FOLDERS
from itdr.settings.scoring import ScoringSettings

DATASET = "movielens-32m"


def item(name, rating=None):
    return {"item_id": name, "title": f"Title {name}", "rating": rating}


def record(task, number, **columns):
    base = {
        "id": f"{task}/movielens-32m/{number}",
        "task": task,
        "dataset": "movielens-32m",
        "instruction": "Do.",
        "input": "Given.",
        "output": "",
        "template_version": 1,
    }
    return base | columns


def table(*rows):
    return pa.Table.from_pylist(list(rows), schema=RECORD)


def ranking(number, history, candidates, targets, task="TKR"):
    return record(
        task, number,
        history=[item(name) for name in history],
        candidates=[item(name) for name in candidates],
        targets=list(targets),
    )  # fmt: skip


def rating(number, output, ratings=()):
    shown = [item(str(place), value) for place, value in enumerate(ratings)]
    return record("RP", number, output=output, history=shown, targets=["t"])


def answers(name, train, test, seed=1, **options):
    found = answer_trivially(name, train, test, folders=FOLDERS, seed=seed, **options)
    assert found.schema == PREDICTION
    assert set(found["finish_reason"].to_pylist()) == {"stop"}
    assert found["answer_tokens"].null_count == len(found)
    return found["answer"].to_pylist()


TRAIN_RATINGS = table(rating(1, "4.0", [1, 1]), rating(2, "3.0", [5]), rating(3, "3.5"))


def test_global_mean_is_that_of_the_training_outputs():
    assert answers("global-mean", TRAIN_RATINGS, table(rating(9, "1.0"))) == ["3.5000"]


def test_user_mean_is_that_of_the_ratings_shown():
    test = table(rating(8, "5.0", [2, 3]), rating(9, "5.0"))
    assert answers("user-mean", TRAIN_RATINGS, test) == ["2.5000", "3.5000"]


def test_popularity_counts_training_histories_and_targets():
    train = table(ranking(1, "ab", "xyz", "b"), ranking(2, "b", "xyz", "c"))
    test = table(ranking(9, "q", "acb", "a"))
    first, *rest = answers("popularity", train, test)[0].split("\n")
    assert first == "1. Title b"
    assert {line[3:] for line in rest} == {"Title a", "Title c"}


def test_random_answers_depend_on_seed_and_id_alone():
    rows = [ranking(number, "a", "bcdefg", "b", task="NIR") for number in range(60)]
    train = table()
    found = answers("random", train, table(*rows))
    assert answers("random", train, table(*reversed(rows)))[::-1] == found
    assert answers("random", train, table(*rows), seed=2) != found
    assert len(Counter(found)) == 6


def test_ties_are_broken_at_random_not_in_the_order_shown():
    rows = [ranking(number, "a", "bcde", "b", task="NIR") for number in range(40)]
    found = answers("popularity", table(ranking("t", "q", "rs", "r", task="NIR")), table(*rows))
    assert len(set(found)) == 4


def test_same_category_puts_shared_categories_first():
    categories = {"h": ["Drama"], "i": ["Drama", "War"], "a": ["Comedy"], "b": ["Drama"]}
    items = {name: ItemFacts(names) for name, names in categories.items()}
    test = table(ranking(9, "hi", "abz", "b"))
    found = answers("same-category", table(), test, items={DATASET: items})
    assert found[0].startswith("1. Title b\n")
    with pytest.raises(DataError, match="needs the items of movielens-32m"):
        answer_trivially("same-category", table(), test, folders=FOLDERS, seed=1)


def test_not_newer_puts_what_came_out_long_after_what_is_shown_last():
    """The newest item shown is of 1995: 1996 fits, 1997 does not, and nothing is said of x."""
    years = {"h": 1990, "i": 1995, "a": 1997, "b": 1996, "c": 2020, "d": 1960}
    items = {name: ItemFacts((), year) for name, year in years.items()}
    tests = table(*(ranking(number, "hi", "abcdx", "b") for number in range(30)))
    found = answers("not-newer", table(), tests, items={DATASET: items})
    orders = [[line[-1] for line in text.splitlines()] for text in found]
    assert all(set(order[:3]) == {"b", "d", "x"} for order in orders)
    assert len({order[0] for order in orders}) == 3


def test_majority_takes_each_attribute_by_itself():
    outputs = ["age:20, gender:F, location:Rome, Italy", "age:30, gender:M, location:Oslo",
               "age:60, gender:M, location:Rome, Italy"]  # fmt: skip
    users = {"dataset": "lastfm-1k"}
    train = table(
        *(record("UAP", place, output=text, **users) for place, text in enumerate(outputs))
    )
    found = answers("majority", train, table(record("UAP", 9, output="age:1", **users)))
    assert found == ["age:30, gender:M, location:Rome, Italy"]


def test_equally_frequent_values_are_taken_by_alphabet():
    train = [
        record("UAP", n, output=f"gender:{v}", dataset="lastfm-1k") for n, v in enumerate("MF")
    ]
    test = table(record("UAP", 9, dataset="lastfm-1k"))
    assert answers("majority", table(*train), test) == ["gender:F"]


def test_frequent_text_and_filled_template():
    train = table(*(record("TUI", place, output=text) for place, text in enumerate("bab")))
    test = table(record("TUI", 9, input="Title: Heat\nGenre: Crime"))
    assert answers("frequent-text", train, test) == ["b"]
    (filled,) = answers("template-fill", table(), test)
    assert filled == "This item suits users who are interested in Title: Heat Genre: Crime."
    test = table(record("IR", 9, history=[item("a", 5), item("b", 1)]))
    (filled,) = answers("template-fill", table(), test)
    assert filled == "The user likes Title a. The user does not like Title b."


@pytest.mark.parametrize("name", ["random", "popularity", "same-category", "not-newer"])
@pytest.mark.parametrize("task", ["TKR", "CDR", "NIR"])
def test_every_ranking_is_in_the_asked_for_form(name, task):
    train = table(ranking(1, "ab", "cde", "c", task=task))
    test = table(ranking(9, "ab", "cde", "c", task=task))
    (text,) = answers(name, train, test, items={DATASET: {"a": ItemFacts(["x"], 1990)}})
    kind = "title" if task == "NIR" else "ranked_list"
    form = Form(kind, candidates=["Title c", "Title d", "Title e"])
    assert read(text, form, Reading.STRICT).readable


def test_trivial_answers_are_scored_like_any_other(tmp_path):
    rows = [ranking(number, "a", "bcdefghijk", "bcdef") for number in range(400)]
    path = tmp_path / "random.parquet"
    pq.write_table(answer_trivially("random", table(), table(*rows), folders=FOLDERS, seed=1), path)
    found = score(path, FOLDERS, ScoringSettings(resamples=200)).set_index(["reading", "metric"])
    for reading in Reading:
        assert found.value[reading, "hit@1"] == pytest.approx(0.5, abs=0.08)
        assert found.value[reading, "precision@5"] == pytest.approx(0.5, abs=0.03)
        assert found.rate_unreadable[reading, "hit@1"] == 0
        assert found.ci_low[reading, "hit@1"] < 0.5 < found.ci_high[reading, "hit@1"]


def test_references_and_candidates_come_from_the_test_record():
    test = table(ranking(9, "a", "cd", "d", task="NIR"))
    row = answer_trivially("random", table(), test, folders=FOLDERS, seed=1).to_pylist()[0]
    assert (row["candidates"], row["targets"]) == (["Title c", "Title d"], ["Title d"])


def test_what_cannot_be_answered_is_refused():
    test = table(rating(9, "3.0"))
    with pytest.raises(SettingsError, match="Did you mean 'user-mean'"):
        answer_trivially("user-means", TRAIN_RATINGS, test, folders=FOLDERS, seed=1)
    with pytest.raises(
        SettingsError,
        match=r"task RP asks for answers of the kind .number.*gives ranked_list, title",
    ):
        answer_trivially("popularity", TRAIN_RATINGS, test, folders=FOLDERS, seed=1)
    with pytest.raises(DataError, match="no training example of RP on movielens-32m"):
        answer_trivially("global-mean", table(), test, folders=FOLDERS, seed=1)


def test_every_task_has_a_trivial_answer_and_every_one_of_them_a_task():
    named = [task.trivial_answers for task in load_tasks().values()]
    assert all(named)
    of_choices = {name for name, one in TRIVIAL_ANSWERS.items() if one.answers == ("choice",)}
    assert {name for names in named for name in names} == set(TRIVIAL_ANSWERS) - of_choices


def test_the_command_takes_items_from_the_tables(tmp_path):
    items = tmp_path / "tables" / DATASET / "items.parquet"
    items.parent.mkdir(parents=True)
    names = {"h": ["Drama"], "a": None, "b": ["Drama"], "z": ["War"]}
    columns = {"item_id": list(names), "categories": list(names.values()),
               "year": pa.array([None, 1990, 1991, 1992], pa.int32())}  # fmt: skip
    pq.write_table(pa.table(columns), items)
    pq.write_table(table(ranking(9, "h", "azb", "b"), rating(1, "3.0")), tmp_path / "test.parquet")
    pq.write_table(table(), tmp_path / "train.parquet")
    words = ["trivial", "same-category", "--train", tmp_path / "train.parquet",
             "--test", tmp_path / "test.parquet", "--out", tmp_path / "p.parquet"]  # fmt: skip
    assert main.main([*map(str, words), "--items", str(items)]) == 0
    (answer,) = pq.read_table(tmp_path / "p.parquet")["answer"].to_pylist()
    assert answer.startswith("1. Title b\n")
    assert main.main(list(map(str, words))) == 1
