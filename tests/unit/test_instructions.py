"""From clean tables to examples, parts and a mixture."""

import hashlib
import re
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from itdr.errors import DataError, MissingFileError, SettingsError
from itdr.files.formats import read_parquet, write_parquet
from itdr.instructions.asked import first_rows
from itdr.instructions.build import build
from itdr.instructions.mixture import mix
from itdr.instructions.record import DRAFT, RECORD, reference_columns
from itdr.instructions.sampling import Draw, sample
from itdr.instructions.sampling.liked_items import LikedItemsSampling
from itdr.instructions.sampling.next_items import NextItemsSampling
from itdr.instructions.sampling.opinions import OpinionsSampling
from itdr.instructions.split import split
from itdr.instructions.tasks import TaskSettings, load_task
from itdr.settings.experiment import BuildSettings, SplitSettings
from itdr.settings.variant import MixtureOptions, load_variants
from tests.conftest import ROOT

ITEMS = [
    (str(n), f"Film {n} (1990)", ["Drama"] if n % 2 else ["Comedy", "Crime"]) for n in range(40)
]


@pytest.fixture
def tables(write_tables):
    """Twenty users; user u rated the items u to u+11 in that order, with ratings of 1 to 5."""
    interactions = [
        (f"u{user}", str(user + step), float(1 + (user + step) % 5))
        for user in range(20)
        for step in range(12)
    ]
    users = [
        {"user_id": f"u{user}", "gender": "female" if user % 2 else "male",
         "age_group": "25-34", "occupation": "writer" if user else None}
        for user in range(20)
    ]  # fmt: skip
    return write_tables(interactions, ITEMS, users)


def built(task, dataset, tables, tmp_path, **settings):
    out = tmp_path / f"{task}.parquet"
    seed, division = settings.pop("seed", 1), settings.pop("division", None)
    build(load_task(task), dataset, tables, out, BuildSettings(**settings),
          division=division, seed=seed)  # fmt: skip
    return read_parquet(out, DRAFT).to_pylist()


def by_user(records):
    return {record["user_id"]: record for record in records}


def test_rp_asks_for_the_last_rating_and_shows_up_to_ten_before_it(tables, tmp_path):
    record = by_user(built("RP", "movielens-32m", tables, tmp_path))["u3"]
    assert record["input"] == (
        "Films the user has rated, from 0.5 to 5:\n"
        "Film 4 (1990) (5.0)\nFilm 5 (1990) (1.0)\nFilm 6 (1990) (2.0)\nFilm 7 (1990) (3.0)\n"
        "Film 8 (1990) (4.0)\nFilm 9 (1990) (5.0)\nFilm 10 (1990) (1.0)\nFilm 11 (1990) (2.0)\n"
        "Film 12 (1990) (3.0)\nFilm 13 (1990) (4.0)\n"
        "Target film: Film 14 (1990)"
    )
    assert record["output"] == "5.0"
    assert record["targets"] == ["14"]
    assert record["id"] == "RP/movielens-32m/u3"


def test_tkr_shows_five_then_asks_for_the_next_five_among_ten(tables, tmp_path):
    record = by_user(built("TKR", "movielens-32m", tables, tmp_path))["u0"]
    assert [item["item_id"] for item in record["history"]] == ["2", "3", "4", "5", "6"]
    assert record["targets"] == ["7", "8", "9", "10", "11"]
    shown = [item["item_id"] for item in record["candidates"]]
    assert len(set(shown)) == 10 and set(record["targets"]) < set(shown)
    assert not set(shown) - set(record["targets"]) & {str(n) for n in range(12)}
    lines = record["output"].splitlines()
    first = [i["title"] for i in record["candidates"] if i["item_id"] in record["targets"]]
    assert lines[:5] == [f"{n}. {title}" for n, title in enumerate(first, 1)]
    rest = [
        item["title"] for item in record["candidates"] if item["item_id"] not in record["targets"]
    ]
    assert lines[5:] == [f"{n}. {title}" for n, title in enumerate(rest, 6)]
    assert record["input"].splitlines()[1] == "1. Film 2 (1990)"
    assert record["input"].splitlines()[7] == f"1. {record['candidates'][0]['title']}"


def test_nir_shows_titles_with_categories_and_asks_for_the_next_title(tables, tmp_path):
    record = by_user(built("NIR", "movielens-32m", tables, tmp_path))["u0"]
    assert record["input"].splitlines()[1:6] == [
        "Film 6 (1990):Comedy, Crime",
        "Film 7 (1990):Drama",
        "Film 8 (1990):Comedy, Crime",
        "Film 9 (1990):Drama",
        "Film 10 (1990):Comedy, Crime",
    ]
    assert record["output"] == "Film 11 (1990)"
    assert len(record["candidates"]) == 5


def test_uap_shows_liked_items_and_leaves_out_users_with_unknown_attributes(tables, tmp_path):
    records = by_user(built("UAP", "movielens-1m", tables, tmp_path))
    assert "u0" not in records
    assert records["u1"]["output"] == "age_group:25-34, gender:female, occupation:writer"
    assert all(item["rating"] >= 4 for item in records["u1"]["history"])


def test_true_candidates_do_not_always_stand_at_the_same_place(tables, tmp_path):
    records = built("NIR", "movielens-32m", tables, tmp_path)
    places = {
        [item["item_id"] for item in record["candidates"]].index(record["targets"][0])
        for record in records
    }
    assert places == {0, 1, 2, 3, 4}


def test_negatives_by_popularity_follow_how_often_items_were_chosen(write_tables):
    interactions = [(f"u{user}", item, 4.0) for user in range(300) for item in ("a", "b")]
    interactions += [(f"v{n}", "popular", 4.0) for n in range(90)]
    interactions += [(f"w{n}", "rare", 4.0) for n in range(10)]
    items = [(name, name, []) for name in ("a", "b", "popular", "rare")]
    tables = write_tables(interactions, items, [{"user_id": f"u{n}"} for n in range(300)])
    sampling = NextItemsSampling(kind="next_items", history=1, positives=1, negatives=1)

    def share(negatives):
        rows = sample(tables, sampling, Draw(300, negatives, 1, "x"))
        drawn = [i["item_id"] for row in rows for i in row["candidates"] if i["item_id"] != "b"]
        assert len(drawn) == 300
        return drawn.count("popular") / 300

    assert 0.42 < share("uniform") < 0.58
    assert 0.85 < share("popularity") < 0.95


def test_available_negatives_had_been_chosen_by_somebody_before_the_last_positive(write_tables):
    """Item n appears on day n; user u takes the ten items from 3u on, one a day."""
    start = datetime(2020, 1, 1, tzinfo=UTC)
    interactions = [
        {"user_id": f"u{user}", "item_id": str(3 * user + step), "rating": 3.0,
         "timestamp": start + timedelta(days=3 * user + step)}
        for user in range(10)
        for step in range(10)
    ]  # fmt: skip
    users = [{"user_id": f"u{user}"} for user in range(10)]
    folder = write_tables(interactions, ITEMS, users)
    sampling = NextItemsSampling(kind="next_items", history=5, positives=5, negatives=5)
    late = {}
    for negatives in ("uniform", "available"):
        examples = sample(folder, sampling, Draw(20, negatives, seed=1, salt="TKR"), threads=1)
        late[negatives] = [
            int(item["item_id"])
            for example in examples
            for item in example["candidates"]
            if int(item["item_id"]) > max(int(item["item_id"]) for item in example["positives"])
        ]
        drawn = {item["item_id"] for e in examples for item in e["candidates"]}
        assert len(examples) > 5 and len(drawn) > 15
    assert late["uniform"] and not late["available"]


def test_reviews_of_users_outside_the_training_part_are_not_shown(write_tables, tmp_path):
    interactions = [
        {"user_id": f"u{user}", "item_id": str(item), "rating": 3.0, "position": item,
         "review": f"Words of u{user} about {item}."}
        for user in range(20)
        for item in range(10)
    ]  # fmt: skip
    items = [{"item_id": str(n), "title": f"Place {n}", "categories": ["Cafe"],
              "attributes": {"city": "Tampa"}} for n in range(10)]  # fmt: skip
    folder = write_tables(interactions, items, [{"user_id": f"u{n}"} for n in range(20)])
    division = SplitSettings(shares=(0.5, 0.2, 0.3))
    text = " ".join(r["input"] for r in built("TUI", "yelp", folder, tmp_path, division=division))
    shown = set(re.findall(r"Words of (u\d+)", text))
    examples = built("RP", "yelp", folder, tmp_path)
    assert len(examples) == 20
    table = pa.Table.from_pylist(examples, RECORD)
    write_parquet(tmp_path / "RP.parquet", table)
    split(tmp_path / "RP.parquet", tmp_path / "parts", division, 1)
    train = read_parquet(tmp_path / "parts" / "train.parquet", RECORD)["user_id"].to_pylist()
    assert shown and shown <= set(train) and len(train) < 20
    by_example = SplitSettings(by="example")
    text = " ".join(r["input"] for r in built("TUI", "yelp", folder, tmp_path, division=by_example))
    assert not set(re.findall(r"Words of (u\d+)", text)) <= set(train)


def test_an_item_that_shares_a_title_with_a_touched_one_is_no_negative(write_tables):
    interactions = [("u", item, 4.0) for item in ("a", "b")] + [("v", "twin", 4.0), ("v", "c", 4.0)]
    items = [("a", "Same", []), ("b", "Other", []), ("twin", "Same", []), ("c", "Third", [])]
    tables = write_tables(interactions, items, [{"user_id": "u"}])
    sampling = NextItemsSampling(kind="next_items", history=1, positives=1, negatives=1)
    rows = sample(tables, sampling, Draw(9, "uniform", 1, "x"))
    assert {item["item_id"] for item in rows[0]["candidates"]} == {"b", "c"}


def test_of_two_editions_of_a_title_the_first_stands_for_both(write_tables):
    interactions = [("u", item, 4.0) for item in ("a", "b", "c", "a2", "d")]
    items = [("a", "Twice Told", []), ("a2", "TWICE  told", []), ("x", "X", [])]
    items += [(name, name.upper(), []) for name in "bcd"]
    tables = write_tables([*interactions, ("v", "x", 4.0)], items, [("u",), ("v",)])
    sampling = NextItemsSampling(kind="next_items", history=2, positives=2, negatives=1)
    (row,) = sample(tables, sampling, Draw(9, "uniform", 1, "x"))
    assert [item["item_id"] for item in row["history"]] == ["a", "b"]
    assert [item["item_id"] for item in row["positives"]] == ["c", "d"]


def test_of_items_of_one_title_one_is_described(write_tables):
    items = [(f"b{n}", "The Same" if n < 5 else f"Book {n}", []) for n in range(9)]
    tables = write_tables([("u", "b0", 4.0)], items, [("u",)])
    sampling = load_task("TUI").sampling
    for seed in (1, 2):
        rows = sample(tables, sampling, Draw(9, "uniform", seed, "x"))
        titles = [row["item"]["title"] for row in rows]
        assert sorted(titles) == ["Book 5", "Book 6", "Book 7", "Book 8", "The Same"]


def test_without_times_the_order_is_drawn_and_the_same_in_every_task(write_tables):
    interactions = [{"user_id": f"u{user}", "item_id": item, "rating": 4.0}
                    for user in range(40) for item in "abcdefgh"]  # fmt: skip
    items = [(name, name.upper(), []) for name in "abcdefgh"]
    users = [(f"u{user}",) for user in range(40)]
    rating = load_task("RP").sampling
    orders = []
    for folder, given in (("there", interactions), ("back", interactions[::-1])):
        tables = write_tables(given, items, users, folder)
        for salt in ("one", "other"):
            rows = sample(tables, rating, Draw(40, "uniform", 1, salt))
            orders.append({row["user_id"]: [item["item_id"] for item in row["history"]]
                           + [row["target"]["item_id"]] for row in rows})  # fmt: skip
    assert all(order == orders[0] for order in orders)
    assert len({order[-1] for order in orders[0].values()}) > 4
    assert all(sorted(order) == list("abcdefgh") for order in orders[0].values())


def test_users_who_turn_out_unfit_are_replaced(write_tables):
    # Half of the users have read one title in ten editions.
    interactions = [
        (f"u{user}", f"{'same' if user % 2 else 'book'}{step}", 4.0)
        for user in range(40)
        for step in range(10)
    ] + [("v", f"new{step}", 4.0) for step in range(10)]
    items = [(f"same{n}", "Same", []) for n in range(10)]
    items += [(f"{name}{n}", f"{name} {n}", []) for name in ("book", "new") for n in range(10)]
    tables = write_tables(interactions, items, [(f"u{n}",) for n in range(40)])
    rows = sample(tables, load_task("TKR").sampling, Draw(15, "uniform", 1, "x"))
    assert len(rows) == 15
    assert all(int(row["user_id"][1:]) % 2 == 0 for row in rows)


def test_ratings_between_the_bounds_tell_no_opinion(write_tables):
    interactions = [
        ("u", item, float(rating))
        for item, rating in zip("abcdef", (5, 3, 1, 4, 3, 2), strict=True)
    ]
    items = [(name, name.upper(), []) for name in "abcdef"]
    tables = write_tables(interactions, items, [("u",)])
    sampling = OpinionsSampling(kind="opinions", history=1, min_history=2)
    draw = Draw(9, "uniform", 1, "x", liked=4, disliked=2)
    (row,) = sample(tables, sampling, draw)
    assert [(item["item_id"], item["liked"]) for item in row["history"]] == [
        ("d", True), ("f", False)
    ]  # fmt: skip


def test_an_unrated_review_is_shown_as_an_opinion(write_tables):
    reviewed = [("a", None, "Fun."), ("b", 1.0, "Good."), ("c", None, None), ("d", 0.0, "Bad.")]
    interactions = [
        {"user_id": "u", "item_id": item, "position": n, "rating": rating, "review": review}
        for n, (item, rating, review) in enumerate(reviewed)
    ]
    tables = write_tables(interactions, [(n, n.upper(), []) for n in "abcd"], [("u",)])
    sampling = OpinionsSampling(kind="opinions", history=5, min_history=2)
    (row,) = sample(tables, sampling, Draw(9, "uniform", 1, "x", liked=1, disliked=0, reviews=1))
    assert [(item["liked"], item["review"]) for item in row["history"]] == [
        (None, "Fun."), (True, "Good."), (False, "Bad.")
    ]  # fmt: skip


def test_items_without_a_title_are_not_shown(write_tables):
    interactions = [("u", item, 3.0) for item in ("a", "gone", "blank", "b", "c", "d")]
    items = [(name, name.upper(), []) for name in "abcd"] + [("blank", " ", [])]
    tables = write_tables(interactions, items, [{"user_id": "u"}])
    rows = sample(tables, load_task("RP").sampling, Draw(9, "uniform", 1, "x"))
    assert [item["title"] for item in rows[0]["history"]] == ["A", "B", "C"]


def test_domains_take_turns_and_are_never_mixed(write_tables, tmp_path):
    interactions, items = [], []
    for domain, users in (("Software", 30), ("Beauty", 3)):
        names = [f"{domain}-{n}" for n in range(20)]
        items += [{"item_id": n, "domain": domain, "title": n, "categories": []} for n in names]
        interactions += [
            {"user_id": f"u{user}", "item_id": name, "domain": domain, "rating": 5.0}
            for user in range(users)
            for name in names[user % 3 * 5 :][:10]
        ]
    tables = write_tables(interactions, items, [(f"u{n}",) for n in range(30)])
    rows = sample(tables, load_task("TKR").sampling, Draw(8, "uniform", 1, "x"))
    assert sorted(row["domain"] for row in rows) == ["Beauty"] * 3 + ["Software"] * 5
    for row in rows:
        shown = [*row["history"], *row["candidates"]]
        assert all(item["item_id"].startswith(row["domain"]) for item in shown)


def test_the_most_played_items_are_shown_where_nothing_is_rated(write_tables):
    plays = {"a": 3, "b": 9, "c": 1, "d": 9}
    interactions = [{"user_id": "u", "item_id": item, "plays": n} for item, n in plays.items()]
    interactions += [{"user_id": "v", "item_id": item} for item in "aabcaab"]
    items = [(name, name.upper(), []) for name in "abcd"]
    tables = write_tables(interactions, items, [("u",), ("v",)])
    sampling = LikedItemsSampling(kind="liked_items", history=3, min_history=2)
    totals, single = sample(tables, sampling, Draw(9, "uniform", 1, "x"))
    assert [(i["title"], i["plays"]) for i in totals["history"]] == [("B", 9), ("D", 9), ("A", 3)]
    assert [(i["title"], i["plays"]) for i in single["history"]] == [("A", 4), ("B", 2), ("C", 1)]


def test_the_choice_depends_on_the_seed_but_not_on_threads_or_row_order(tables, tmp_path):
    sampling = load_task("TKR").sampling
    first = sample(tables, sampling, Draw(10, "uniform", 1, "x"))
    assert sample(tables, sampling, Draw(10, "uniform", 1, "x")) == first
    assert sample(tables, sampling, Draw(10, "uniform", 2, "x")) != first
    users = pq.read_table(tables / "users.parquet")
    pq.write_table(users.take(pa.array(range(len(users) - 1, -1, -1))), tables / "users.parquet")
    items = pq.read_table(tables / "items.parquet")
    pq.write_table(items.take(pa.array(range(len(items) - 1, -1, -1))), tables / "items.parquet")
    for threads in (1, 2, 5):
        assert sample(tables, sampling, Draw(10, "uniform", 1, "x"), threads) == first


def test_no_user_with_enough_history_is_an_error_that_says_what_is_asked(write_tables, tmp_path):
    tables = write_tables([("u", "1", 3.0)], ITEMS, [{"user_id": "u"}])
    with pytest.raises(DataError, match="nothing is fit for TKR"):
        built("TKR", "movielens-32m", tables, tmp_path)


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"interactions\.parquet: no such table"):
        built("RP", "movielens-32m", tmp_path, tmp_path)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ target.tilte }}", "no attribute 'tilte'"),
        ("{{ tarket.title }}", "'tarket' is undefined"),
        ("{% for x in %}", "template of movielens-32m"),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "unsafe"),
        ("{{ candidates }}", r"undefined. Here a template can use history \(item_id, title"),
        ("{{ 1 / 0 }}", "division by zero"),
    ],
)
def test_a_wrong_template_is_refused_before_anything_is_built(template, message, tmp_path):
    task = load_task("RP").model_dump(mode="json")
    task["datasets"]["movielens-32m"]["template"] = template
    wrong = TaskSettings.model_validate_json(__import__("json").dumps(task))
    with pytest.raises(SettingsError, match=message):
        build(wrong, "movielens-32m", tmp_path / "none", tmp_path / "o", BuildSettings(), seed=1)


def test_no_user_is_in_two_parts_and_a_user_has_the_same_part_in_every_task(tables, tmp_path):
    where = {}
    for task in ("RP", "TKR"):
        built(task, "movielens-32m", tables, tmp_path)
        counts = split(tmp_path / f"{task}.parquet", tmp_path / task, SplitSettings(), 5)
        assert sum(counts.values()) == 20
        for part in ("train", "val", "test"):
            for row in read_parquet(tmp_path / task / f"{part}.parquet", RECORD).to_pylist():
                assert where.setdefault(row["user_id"], part) == part


def test_by_example_a_user_may_be_in_several_parts(tables, tmp_path):
    parts = {}
    for task in ("RP", "TKR"):
        built(task, "movielens-32m", tables, tmp_path)
        split(tmp_path / f"{task}.parquet", tmp_path / task, SplitSettings(by="example"), 5)
        for part in ("train", "val", "test"):
            for row in read_parquet(tmp_path / task / f"{part}.parquet", RECORD).to_pylist():
                parts.setdefault(row["user_id"], []).append(part)
    assert {len(found) for found in parts.values()} == {2}
    assert any(len(set(found)) == 2 for found in parts.values())


def records(count, dataset="movielens-32m"):
    return pa.Table.from_pylist(
        [
            {"id": f"RP/{dataset}/{n}", "task": "RP", "dataset": dataset, "user_id": str(n),
             "instruction": "i", "input": "x", "output": "1", "template_version": 1}
            for n in range(count)
        ],
        schema=RECORD,
    )  # fmt: skip


def test_parts_have_about_the_shares_that_were_asked_for(tmp_path):
    write_parquet(tmp_path / "a.parquet", records(5000))
    counts = split(tmp_path / "a.parquet", tmp_path / "o", SplitSettings(shares=(0.6, 0.1, 0.3)), 1)
    assert abs(counts["train"] - 3000) < 120
    assert abs(counts["val"] - 500) < 80
    assert abs(counts["test"] - 1500) < 110


def test_examples_that_wait_for_a_teacher_are_not_split(tmp_path):
    rows = [row | {"output": None, "teacher_prompt": "?"} for row in records(3).to_pylist()]
    write_parquet(tmp_path / "a.parquet", pa.Table.from_pylist(rows, schema=DRAFT))
    with pytest.raises(DataError, match="3 of 3 examples have no output yet"):
        split(tmp_path / "a.parquet", tmp_path / "o", SplitSettings(), 1)


def test_the_first_test_rows_of_each_cell_are_taken(tmp_path):
    for name in ("a", "b"):
        write_parquet(tmp_path / f"{name}.parquet", records(30))
        split(tmp_path / f"{name}.parquet", tmp_path / name, SplitSettings(shares=(0, 0, 1)), 1)
    parts = [tmp_path / name / "test.parquet" for name in ("a", "b")]
    rows = first_rows(parts, 4)
    assert len(rows) == 8
    assert [row["id"] for row in rows[:4]] == read_parquet(parts[0], RECORD)["id"].to_pylist()[:4]


ALL = MixtureOptions()


def mixed(tmp_path, variant=ALL, names="ab", seed=1):
    out = tmp_path / "m.parquet"
    count = mix([tmp_path / f"{name}.parquet" for name in names], out, variant, seed)
    rows = read_parquet(out, RECORD).to_pylist()
    assert len(rows) == count
    return rows


def test_a_mixture_holds_every_row_once_in_an_order_that_the_seed_gives(tmp_path):
    write_parquet(tmp_path / "a.parquet", records(20))
    write_parquet(tmp_path / "b.parquet", records(10, "yelp"))
    digests = set()
    for seed, order in ((1, "ab"), (1, "ba"), (2, "ab")):
        assert len({row["id"] for row in mixed(tmp_path, names=order, seed=seed)}) == 30
        digests.add(hashlib.sha256((tmp_path / "m.parquet").read_bytes()).hexdigest())
    assert len(digests) == 2


def test_a_mixture_refuses_an_id_that_stands_twice(tmp_path):
    write_parquet(tmp_path / "a.parquet", records(3))
    with pytest.raises(DataError, match="'RP/movielens-32m/0' stands twice"):
        mixed(tmp_path, names="aa")


def test_a_smaller_share_lies_inside_every_larger_one_and_is_exact_in_each_cell(tmp_path):
    write_parquet(tmp_path / "a.parquet", records(40))
    write_parquet(tmp_path / "b.parquet", records(10, "yelp"))
    seen: set[str] = set()
    for share, in_a, in_b in ((0.25, 10, 3), (0.5, 20, 5), (0.75, 30, 8), (1.0, 40, 10)):
        rows = mixed(tmp_path, ALL.model_copy(update={"share": share}))
        ids = {row["id"] for row in rows}
        assert seen < ids
        assert [sum(f"/{name}/" in i for i in ids) for name in ("movielens-32m", "yelp")] == [
            in_a, in_b
        ]  # fmt: skip
        seen = ids


def test_few_rows_of_each_cell_are_drawn_by_the_seed_and_lie_inside_more(tmp_path):
    write_parquet(tmp_path / "a.parquet", records(40))
    write_parquet(tmp_path / "b.parquet", records(10, "yelp"))
    seen: set[str] = set()
    for rows in (1, 4, 10):
        ids = {row["id"] for row in mixed(tmp_path, ALL.model_copy(update={"rows": rows}))}
        assert sum("yelp" in name for name in ids) == rows and len(ids) == 2 * rows and seen < ids
        seen = ids
    of_yelp = ALL.model_copy(update={"rows": 4, "datasets": ("yelp",)})
    drawn = [{row["id"] for row in mixed(tmp_path, of_yelp, seed=seed)} for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] < seen and drawn[0] != drawn[2]
    with pytest.raises(DataError, match=r"RP/yelp: 16 rows are to be taken .* which has 10. Ask"):
        mixed(tmp_path, ALL.model_copy(update={"rows": 16}))


def test_a_variant_without_a_task_or_without_descriptions(tmp_path):
    write_parquet(tmp_path / "a.parquet", records(4))
    rows = [row | {"id": f"TKR/{row['id']}", "task": "TKR"} for row in records(4).to_pylist()]
    write_parquet(tmp_path / "b.parquet", pa.Table.from_pylist(rows, schema=RECORD))
    variants = load_variants(ROOT / "config" / "papers" / "itdr" / "variants.csv")
    assert {row["task"] for row in mixed(tmp_path, variants["wo-rp"])} == {"TKR"}
    bare = mixed(tmp_path, variants["wo-task-description"])
    assert {row["instruction"] for row in bare} == {""} and len(bare) == 8
    assert [row | {"instruction": "i"} for row in bare] == mixed(tmp_path, variants["itdr"])
    with pytest.raises(DataError, match="no example of the tasks UAP, IR, TUI"):
        mixed(tmp_path, variants["wo-uii"])


def test_a_prediction_keeps_what_scoring_needs(tables, tmp_path):
    record = by_user(built("NIR", "movielens-32m", tables, tmp_path))["u0"]
    kept = reference_columns(record)
    assert kept["targets"] == [record["output"]] == [kept["reference"]]
    assert len(kept["candidates"]) == 5
    rating = reference_columns(built("RP", "movielens-32m", tables, tmp_path)[0])
    assert rating["candidates"] is None and rating["targets"] is None
