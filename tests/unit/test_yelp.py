"""The Yelp Open Dataset: JSON lines, comma-joined categories, attributes spelled as Python."""

import json
import shutil
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings

from itdr.datasets.adapters.yelp import _BUSINESSES, _REVIEWS
from itdr.demo.raw_files import write_raw_files
from itdr.demo.world import simulate
from itdr.errors import MissingFileError
from tests.normalised import any_lines, check_account, normalised

REVIEW = {
    "review_id": "r1", "user_id": "-u1", "business_id": "_b1", "stars": 5.0, "useful": 1,
    "funny": 0, "cool": 1, "text": "Top notch", "date": "2018-07-07 22:09:11",
}  # fmt: skip
BUSINESS = {
    "business_id": "_b1", "name": "Abby's", "address": "1616 Chapala St", "city": "Tampa",
    "state": "FL", "postal_code": "01101", "latitude": 34.4, "longitude": -119.7, "stars": 5.0,
    "review_count": 7, "is_open": 0, "attributes": {"HasTV": "True"},
    "categories": "Food, Coffee & Tea", "hours": None,
}  # fmt: skip
REVIEWS = "yelp_academic_dataset_review.json"
BUSINESSES = "yelp_academic_dataset_business.json"


def _lines(base, *changes):
    text = "\n".join(json.dumps({**base, **c}, separators=(",", ":")) for c in changes)
    return text.replace("/", "\\/")  # as in the original, whose last line has no end either


def _read(tmp_path, reviews=({},), businesses=({},), **files):
    files = {REVIEWS: _lines(REVIEW, *reviews), BUSINESSES: _lines(BUSINESS, *businesses), **files}
    return normalised(tmp_path, "yelp", files)


def test_a_review_has_stars_time_and_text(tmp_path):
    text = "Check in/provide\n\nencouragement &amp; déjà vu"
    (row,) = _read(tmp_path, ({"text": text},)).interactions
    assert (row["user_id"], row["item_id"], row["rating"]) == ("-u1", "_b1", 5.0)
    assert row["timestamp"] == datetime(2018, 7, 7, 22, 9, 11, tzinfo=UTC)
    assert row["review"] == "Check in/provide encouragement & déjà vu"


def test_a_business_has_a_name_categories_and_a_place(tmp_path):
    item = _read(tmp_path).items["_b1"]
    assert (item["title"], item["categories"]) == ("Abby's", ["Food", "Coffee & Tea"])
    assert item["attributes"] == {"city": "Tampa", "state": "FL", "HasTV": "True"}


@pytest.mark.parametrize(
    ("spelled", "value"),
    [
        ("u'free'", "free"),
        ("'free'", "free"),
        ("free", "free"),  # as in the release of 2018
        ('u"it\'s"', "it's"),
        ("True", "True"),
        ("2", "2"),
        ("None", None),
        ("{'garage': False, 'street': True, u'lot': True}", "street, lot"),
        ("{'garage': False}", None),
        ("{}", None),
    ],
)
def test_attributes_lose_their_python_spelling(tmp_path, spelled, value):
    attributes = _read(tmp_path, businesses=({"attributes": {"A": spelled}},)).items["_b1"]
    assert attributes["attributes"].get("A") == value


def test_a_business_may_have_no_attributes_categories_or_name(tmp_path):
    bare = {"attributes": None, "categories": None, "name": "", "city": "", "state": None}
    item = _read(tmp_path, businesses=(bare,)).items["_b1"]
    assert (item["title"], item["categories"], item["attributes"]) == (None, [], {})


def test_an_attribute_named_city_does_not_hide_the_place(tmp_path):
    item = _read(tmp_path, businesses=({"attributes": {"A": "1", "city": "Rome"}},)).items["_b1"]
    assert item["attributes"] == {"city": "Tampa", "state": "FL", "A": "1"}


def test_an_older_release_has_a_neighbourhood_and_dates_without_time(tmp_path):
    out = _read(tmp_path, ({"date": "2011-06-25"},), ({"neighborhood": "Old Town"},))
    assert out.items["_b1"]["attributes"]["neighborhood"] == "Old Town"
    assert out.interactions[0]["timestamp"] == datetime(2011, 6, 25, tzinfo=UTC)


def test_a_second_review_of_a_business_is_a_repeat(tmp_path):
    out = _read(tmp_path, ({}, {"stars": 1.0, "date": "2019-07-07 22:09:11"}))
    assert out.reasons() == [(REVIEWS, 2, "repeats an earlier user_id and item_id")]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"stars": 6.0}, "stars is outside 1 to 5"),
        ({"date": "yesterday"}, "date is missing or not a date"),
        ({"date": "1018-07-07 22:09:11"}, "date is outside the years 1990 to 2099"),
        ({"user_id": " "}, "user_id is missing"),
    ],
)
def test_wrong_values_are_rejected_with_the_reason(tmp_path, change, reason):
    assert _read(tmp_path, ({}, change)).reasons() == [(REVIEWS, 2, reason)]


def test_the_users_file_may_be_absent(tmp_path):
    out = _read(tmp_path)
    assert list(out.users) == ["-u1"]
    assert "users: no yelp_academic_dataset_user.json" in out.quality["notes"][0]


def test_the_users_file_says_who_there_is(tmp_path):
    people = '{"user_id":"-u1","name":"Ann","friends":"None"}\n{"user_id":"u2","name":"Bo"}\n'
    out = _read(tmp_path, **{"yelp_academic_dataset_user.json": people})
    assert sorted(out.users) == ["-u1", "u2"]
    assert out.quality["notes"] == []


def test_the_businesses_are_needed(tmp_path):
    (tmp_path / REVIEWS).write_text(_lines(REVIEW, {}))
    with pytest.raises(MissingFileError, match=f"{BUSINESSES}.*itdr fetch yelp"):
        normalised(tmp_path, "yelp")


def test_the_real_sample(tmp_path, real_samples):
    for name in (REVIEWS, BUSINESSES):
        shutil.copy(real_samples / "yelp" / name, tmp_path)
    out = normalised(tmp_path, "yelp")
    assert (len(out.items), len(out.interactions), out.rejected) == (1000, 489, [])
    values = [v for item in out.items.values() for v in item["attributes"].values()]
    assert not [v for v in values if v.startswith(("u'", "'", "{"))]
    bare = [i for i in out.items.values() if set(i["attributes"]) <= {"city", "state"}]
    assert len(bare) >= 90  # attributes are null in 90
    assert not [i for i in out.items.values() if not i["categories"] or not i["title"]]


def test_the_real_older_release(tmp_path, real_samples):
    variant = "yelp_academic_dataset_business.older_2018_schema.json"
    shutil.copy(real_samples / "yelp" / "as-found-variants" / variant, tmp_path / BUSINESSES)
    (tmp_path / REVIEWS).write_text(_lines(REVIEW, {}))
    out = normalised(tmp_path, "yelp")
    assert out.rejected == []
    item = out.items["Apn5Q_b6Nz61Tq4XzPdf9A"]
    assert item["title"] == "Minhas Micro Brewery"
    assert item["attributes"]["NoiseLevel"] == "average"
    assert item["attributes"]["BusinessParking"] == "street"


def test_the_simulated_files_give_the_world(tmp_path):
    world = simulate(1, 60, 80, 20)
    write_raw_files(world, "yelp", tmp_path, 5)
    out = normalised(tmp_path, "yelp")
    assert len(out.interactions) == len(world.interactions)
    assert (len(out.items), len(out.users)) == (81, 60)
    assert set(out.quality["by_reason"]) == {"repeats an earlier user_id and item_id"}
    genres = [item["categories"] for item in out.items.values()]
    assert sorted(g for g in genres if g) == sorted(world.items["genres"])


@settings(max_examples=10, deadline=None)
@given(any_lines)
def test_any_line_is_kept_or_rejected(lines):
    check_account(_REVIEWS, lines)
    check_account(_BUSINESSES, lines)
