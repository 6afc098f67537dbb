"""Amazon Reviews 2023: twelve domains, products and their variants, milliseconds, markup."""

import json
import shutil
from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import given, settings

from itdr.datasets.adapters.amazon_2023 import _PRODUCTS, _REVIEWS, DOMAINS
from itdr.demo.raw_files import write_raw_files
from itdr.demo.raw_files.amazon_2023 import domains_of
from itdr.demo.world import simulate
from itdr.errors import DataError, MissingFileError
from tests.normalised import any_lines, check_account, normalised

REVIEW = {
    "rating": 5.0, "title": "Five Stars", "text": "LOVE these boots", "images": [],
    "asin": "B00MC8F0V2", "parent_asin": "B06ZYKXFY9", "user_id": "AE227W3O3ZQJ33H6OPAIFX6PNZLQ",
    "timestamp": 1528051241317, "helpful_vote": 1, "verified_purchase": True,
}  # fmt: skip
PRODUCT = {
    "main_category": "AMAZON FASHION", "title": "Rain Boots", "average_rating": 4.5,
    "rating_number": 12, "features": ["Rubber", "Warm"],
    "description": ["Good &amp; dry.", "<b>Try</b>"], "price": 12.5,
    "images": [{"thumb": "t", "large": "l", "variant": "MAIN", "hi_res": None}],
    "videos": [], "store": "Boot House", "categories": ["Clothing", "Shoes"],
    "details": {"Department": "womens", "Best Sellers Rank": {"Shoes": 1}},
    "parent_asin": "B06ZYKXFY9", "bought_together": None,
}  # fmt: skip


def _lines(base, *changes):
    return "".join(json.dumps({**base, **change}) + "\n" for change in changes)


def _read(tmp_path, reviews=({},), products=({},)):
    files = {"Amazon_Fashion.jsonl": _lines(REVIEW, *reviews)}
    files["meta_Amazon_Fashion.jsonl"] = _lines(PRODUCT, *products)
    return normalised(tmp_path, "amazon-2023", files)


def test_a_review_is_of_the_product_and_its_time_is_in_milliseconds(tmp_path):
    (row,) = _read(tmp_path).interactions
    assert row["item_id"] == "B06ZYKXFY9"
    assert row["user_id"] == "AE227W3O3ZQJ33H6OPAIFX6PNZLQ"
    assert row["domain"] == "Amazon_Fashion"
    assert row["timestamp"] == datetime(2018, 6, 3, 18, 40, 41, 317000, tzinfo=UTC)
    assert (row["rating"], row["review_title"]) == (5.0, "Five Stars")


def test_a_product_has_its_metadata_as_plain_text(tmp_path):
    item = _read(tmp_path).items["B06ZYKXFY9"]
    assert (item["title"], item["creator"], item["price"]) == ("Rain Boots", "Boot House", 12.5)
    assert item["categories"] == ["Clothing", "Shoes"]
    assert item["description"] == "Good & dry. Try"
    assert item["attributes"] == {
        "main_category": "AMAZON FASHION",
        "average_rating": "4.5",
        "rating_number": "12",
        "features": "Rubber; Warm",
    }


def test_without_categories_the_department_is_the_category(tmp_path):
    products = (
        {"categories": []},
        {"parent_asin": "B2", "categories": [], "main_category": None, "details": {}},
        {"parent_asin": "B3", "price": None, "store": None, "description": [], "features": []},
        {"parent_asin": "B4", "price": "None", "details": {"Release date": "November 1, 2010"}},
    )
    items = _read(tmp_path, products=products).items
    assert [items[i]["categories"] for i in ("B06ZYKXFY9", "B2")] == [["AMAZON FASHION"], []]
    assert (items["B3"]["price"], items["B3"]["creator"], items["B3"]["description"]) == (None,) * 3
    assert (items["B4"]["price"], items["B4"]["year"]) == (None, 2010)


def test_markup_escapes_and_empty_texts_of_reviews(tmp_path):
    reviews = (
        {"text": "Nice.<br /><br />Isn&#39;t it \U0001f644", "title": ""},
        {"parent_asin": "B2", "text": ""},
    )
    rows = {row["item_id"]: row for row in _read(tmp_path, reviews).interactions}
    assert rows["B06ZYKXFY9"]["review"] == "Nice. Isn't it \U0001f644"
    assert rows["B06ZYKXFY9"]["review_title"] is None
    assert rows["B2"]["review"] is None


def test_reviews_that_stand_twice_and_those_of_another_variant_are_repeats(tmp_path):
    reviews = ({}, {}, {"asin": "B0OTHER", "timestamp": 1528051241318, "rating": 1.0})
    out = _read(tmp_path, reviews)
    assert [row["rating"] for row in out.interactions] == [5.0]
    reason = "repeats an earlier user_id and item_id"
    assert out.reasons() == [("Amazon_Fashion.jsonl", line, reason) for line in (2, 3)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"user_id": ""}, "user_id is missing"),
        ({"parent_asin": None}, "parent_asin is missing"),
        ({"rating": None}, "rating is missing or not a number"),
        ({"rating": 0.0}, "rating is outside 1 to 5"),
        ({"rating": 4.5}, "rating is not in steps of 1"),
        ({"timestamp": 1528051241}, "timestamp in milliseconds is outside the years 1990 to 2099"),
        ({"timestamp": 1.52309e12}, "timestamp is missing or not a whole number"),
    ],
)
def test_wrong_values_are_rejected_with_the_reason(tmp_path, change, reason):
    out = _read(tmp_path, ({}, change))
    assert out.reasons() == [("Amazon_Fashion.jsonl", 2, reason)]
    assert len(out.interactions) == 1


def test_a_file_in_seconds_is_refused_and_the_message_says_why(tmp_path):
    with pytest.raises(DataError, match="timestamp in milliseconds is outside the years"):
        _read(tmp_path, ({"timestamp": 1528051241},))


def test_absent_domains_and_absent_products_are_noted(tmp_path):
    files = {
        "Video_Games.jsonl": _lines(REVIEW, {"parent_asin": "B1"}),
        "Software.jsonl": _lines(REVIEW, {"parent_asin": "B2"}, {"parent_asin": "B3"}),
        "meta_Software.jsonl": _lines(PRODUCT, {"parent_asin": "B2"}),
    }
    out = normalised(tmp_path, "amazon-2023", files)
    assert {i: (item["domain"], item["title"]) for i, item in out.items.items()} == {
        "B1": ("Video_Games", None),
        "B2": ("Software", "Rain Boots"),
    }
    assert len(out.interactions) == 3  # of one user, across two domains
    notes = " / ".join(out.quality["notes"])
    assert "no meta_Video_Games.jsonl in the raw folder" in notes
    assert "left out: All_Beauty, Amazon_Fashion, Appliances" in notes
    assert "items: 1 ids of 1 interactions have no row" in notes


def test_without_any_reviews_the_message_names_the_files(tmp_path):
    (tmp_path / "meta_Software.jsonl").write_text(_lines(PRODUCT, {}))
    with pytest.raises(MissingFileError, match=r"Software\.jsonl.*itdr fetch amazon-2023"):
        normalised(tmp_path, "amazon-2023")


def test_the_real_sample(tmp_path, real_samples):
    shutil.copy(real_samples / "amazon-reviews-2023" / "Amazon_Fashion.jsonl", tmp_path)
    out = normalised(tmp_path, "amazon-2023")
    # Half of the 5,000 reviews that the notes on the sample count.
    assert (out.quality["rows_read"], len(out.users)) == (2510, 932)
    assert out.quality["by_reason"] == {"repeats an earlier user_id and item_id": 130}
    texts = [row["review"] or "" for row in out.interactions]
    assert not [text for text in texts if "<br" in text or "&#34;" in text]
    assert sum(row["timestamp"].microsecond == 0 for row in out.interactions) > 800


def test_the_real_metadata(tmp_path, real_samples):
    folder = real_samples / "amazon-reviews-2023"
    shutil.copy(folder / "Subscription_Boxes_2_reviews.jsonl", tmp_path / "Software.jsonl")
    shutil.copy(folder / "meta_5_mixed_categories.jsonl", tmp_path / "meta_Software.jsonl")
    out = normalised(tmp_path, "amazon-2023")
    item = out.items["B07NTK7T5P"]
    assert item["title"] == "Daisy Keychain Wristlet Gray Fabric Key fob Lanyard"
    assert item["categories"][:2] == ["Handmade Products", "Clothing, Shoes & Accessories"]
    assert (len(out.items), len(out.interactions), out.rejected) == (5, 2, [])


def test_the_simulated_files_give_the_world(tmp_path):
    world = simulate(1, 60, 120, 20)
    write_raw_files(world, "amazon-2023", tmp_path, 5)
    out = normalised(tmp_path, "amazon-2023")
    domain = pd.Series(domains_of(world.interactions))
    products = world.interactions["item"].groupby(domain).nunique().sum()
    assert len(out.interactions) == len(world.interactions)
    assert len(out.users) == world.interactions["user"].nunique()
    assert {row["domain"] for row in out.interactions} == set(DOMAINS)
    assert 0.9 * products <= len(out.items) - 12 <= products
    mean = sum(row["rating"] for row in out.interactions) / len(out.interactions)
    stars = (world.interactions["stars"] + 0.5).astype(int).clip(1, 5)
    assert mean == pytest.approx(stars.mean())
    assert set(out.quality["by_reason"]) == {"repeats an earlier user_id and item_id"}


@settings(max_examples=10, deadline=None)
@given(any_lines)
def test_any_line_is_kept_or_rejected(lines):
    check_account(_REVIEWS, lines)
    check_account(_PRODUCTS, lines)
