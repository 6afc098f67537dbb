"""MovieLens 100K: flags of genres, years, latin-1; broken rows are told apart."""

from datetime import UTC, datetime

import pytest
from hypothesis import given

from itdr.datasets.adapters.movielens_100k import _DATA, _ITEM, _USER, GENRES
from tests.normalised import any_lines, check_account, normalised, unhurried


def film(number, title, released="01-Jan-1995", genres=()):
    flags = "|".join("01"[genre in genres] for genre in GENRES)
    return f"{number}|{title}|{released}||http://x/{number}|{flags}\n"


GOOD = "1\t2\t4\t881250949\n"


def tables(tmp_path, *, data=GOOD, item=None, user="1|24|M|technician|85711\n"):
    item = item or film(2, "Heat (1995)", genres=("Crime", "Children's"))
    return normalised(
        tmp_path, "movielens-100k", {"u.data": data, "u.item": item.encode("latin-1"),
                                     "u.user": user}
    )  # fmt: skip


def test_a_rating_a_film_and_a_user_come_out_right(tmp_path):
    out = tables(tmp_path)
    (row,) = out.interactions
    assert (row["user_id"], row["item_id"], row["rating"]) == ("1", "2", 4.0)
    assert row["timestamp"] == datetime(1997, 12, 4, 15, 55, 49, tzinfo=UTC)
    heat = out.items["2"]
    assert heat["categories"] == ["Children's", "Crime"] and heat["year"] == 1995
    user = out.users["1"]
    assert [user[name] for name in ("gender", "age", "occupation", "location")] == [
        "male", 24, "technician", "85711",
    ]  # fmt: skip
    assert out.quality["rating_scale"] == {"low": 1.0, "high": 5.0, "step": 1.0}


@pytest.mark.parametrize(
    ("line", "title", "year"),
    [
        (film(2, "Misérables, Les (1995)"), "Misérables, Les (1995)", 1995),
        (film(2, "Land Before Time (1995) (V)"), "Land Before Time (1995) (V)", 1995),
        (film(2, "Toy (1982)", "01-Jan-1996"), "Toy (1982)", 1982),
        (film(2, "No Year", "14-Feb-1997"), "No Year", 1997),
        (film(2, "unknown", "", ("unknown",)), "unknown", None),
    ],
)  # fmt: skip
def test_titles_are_latin_1_and_have_a_year_where_one_is_told(tmp_path, line, title, year):
    found = tables(tmp_path, item=line).items["2"]
    assert (found["title"], found["year"], found["categories"]) == (title, year, [])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"data": GOOD + "3\t2\t6\t881250949\n"}, "rating is outside 1 to 5"),
        ({"data": GOOD + "3\t2\t3.5\t881250949\n"}, "rating is not in steps of 1"),
        ({"data": GOOD + "3 2 3 881250949\n"}, "1 fields instead of 4"),
        ({"item": film(2, "A")[:-2] + "7\n"}, "Western is outside 0 to 1"),
        ({"item": "2|A|01-Jan-1995||http://x|0\n"}, "6 fields instead of 24"),
        ({"user": "1|24|X|technician|85711\n"}, "gender is an unknown code"),
        ({"user": "1|200|M|technician|85711\n"}, "age is outside 0 to 120"),
    ],
)
def test_a_broken_row_is_rejected_with_its_reason(tmp_path, changes, reason):
    out = tables(tmp_path, **changes)
    assert reason in [row["reason"] for row in out.rejected]
    assert out.quality["rows_read"] == out.quality["rows_kept"] + out.quality["rows_rejected"]


@unhurried
@given(any_lines)
def test_any_line_is_kept_or_rejected(lines):
    for form in (_DATA, _ITEM, _USER):
        check_account(form, lines)
