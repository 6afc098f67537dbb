"""MicroLens: what its files look like, and what becomes of them."""

import shutil
from datetime import UTC, datetime

import pytest
from hypothesis import given

from itdr.datasets.adapters import microlens
from itdr.datasets.adapters.microlens import COUNTS, PAIRS, TAGS, TITLES
from itdr.demo.raw_files import write_raw_files
from itdr.demo.world import simulate
from itdr.errors import DataError, MissingFileError
from tests.normalised import any_lines, check_account, normalised, unhurried

ONE_PAIR = "user,item,timestamp\n7,1,1583378629552\n"


def test_times_are_milliseconds(tmp_path):
    row = normalised(tmp_path, "microlens", {PAIRS: ONE_PAIR, TITLES: "1, a\r\n"}).interactions[0]
    assert row["timestamp"] == datetime(2020, 3, 5, 3, 23, 49, 552000, tzinfo=UTC)
    assert (row["user_id"], row["item_id"], row["rating"]) == ("7", "1", None)


def test_a_title_is_all_behind_the_first_comma(tmp_path):
    titles = '1, one, two,three\r\n2, 好 "quoted"\r\n3, \r\n4,no blank\r\n5, last'
    items = normalised(tmp_path, "microlens", {PAIRS: ONE_PAIR, TITLES: titles}).items
    found = [item["title"] for item in items.values()]
    assert found == ["one, two,three", '好 "quoted"', None, "no blank", "last"]


def test_tags_and_counts_are_added_where_they_are(tmp_path):
    files = {
        PAIRS: ONE_PAIR,
        TITLES: "1, a\r\n2, b\r\n",
        TAGS: "1, Comedy\r\n",
        COUNTS: "1\t8\t9\n",
    }
    result = normalised(tmp_path, "microlens", files)
    assert result.items["1"]["categories"] == ["Comedy"]
    assert result.items["1"]["attributes"] == {"likes": "8", "views": "9"}
    assert result.items["2"]["categories"] == []
    assert result.quality["notes"] == [
        "users: the source has no file of users; derived from interactions"
    ]


def test_without_tags_and_counts_a_note_says_so(tmp_path):
    notes = normalised(tmp_path, "microlens", {PAIRS: ONE_PAIR, TITLES: "1, a"}).quality["notes"]
    assert notes[:2] == [
        f"items: without categories, as there is no {TAGS}",
        f"items: without likes and views, as there is no {COUNTS}",
    ]


def test_the_release_of_50k_users_has_quoted_titles(tmp_path):
    files = {
        "MicroLens-50k_pairs.csv": ONE_PAIR,
        "MicroLens-50k_titles.csv": 'item,title\n1,"one, ""two"""\n',
    }
    assert normalised(tmp_path, "microlens", files).items["1"]["title"] == 'one, "two"'


def test_broken_rows_are_rejected_with_their_reason(tmp_path):
    pairs = f"{ONE_PAIR}7,1,1583378629553\n8,1\n8,x,1583378629552\n8,1,1583378629\n"
    result = normalised(tmp_path, "microlens", {PAIRS: pairs, TITLES: "1, a\nno comma\nx, y\n"})
    assert result.reasons() == [
        (PAIRS, 3, "repeats an earlier user_id and item_id"),
        (PAIRS, 4, "2 fields instead of 3"),
        (PAIRS, 5, "item is not a whole number"),
        (PAIRS, 6, "timestamp is outside the years 1990 to 2099"),
        (TITLES, 2, "1 fields instead of 2"),
        (TITLES, 3, "item is not a whole number"),
    ]


def test_a_missing_or_doubled_file_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=rf"no {TITLES}.*itdr fetch microlens"):
        normalised(tmp_path, "microlens", {PAIRS: ONE_PAIR})
    with pytest.raises(DataError, match="2 files could be"):
        normalised(tmp_path, "microlens", {"MicroLens-50k_pairs.csv": ONE_PAIR})


def test_the_real_sample(real_samples, tmp_path):
    shutil.copy(real_samples / "microlens" / TITLES, tmp_path)
    result = normalised(tmp_path, "microlens", {PAIRS: ONE_PAIR})
    assert result.rejected == []
    assert list(result.items) == [str(number) for number in range(1, 19739)]
    titles = [item["title"] for item in result.items.values()]
    assert titles.count(None) == 72
    assert titles[:2] == [
        "Gu long song gaga bad",
        "beautiful dish with 5 pounds of duck intestines",
    ]
    assert not any(title and title != " ".join(title.split()) for title in titles)


def test_simulated_files_come_back_as_the_world(tmp_path):
    world = simulate(seed=3, users=60, items=80, interactions_per_user=10)
    write_raw_files(world, "microlens", tmp_path, seed=3)
    result = normalised(tmp_path, "microlens")
    rows = [(int(row["user_id"]) - 1, int(row["item_id"]) - 1) for row in result.interactions]
    expected = world.interactions[["user", "item"]].itertuples(index=False, name=None)
    assert rows == list(expected)
    assert (len(result.items), len(result.users)) == (80, 60)
    assert result.rejected == []
    titles = set(world.items["title"])
    assert sum(item["title"] in titles for item in result.items.values()) >= 70


@unhurried
@given(lines=any_lines)
def test_every_line_is_kept_or_rejected(lines):
    for form in (microlens._PAIRS, microlens._TITLES, microlens._TAGS, microlens._COUNTS):
        check_account(form, lines)
