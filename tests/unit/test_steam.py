"""Steam: lines of Python dictionaries, prices in words, reviews of both versions."""

import shutil
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings

from itdr.datasets.adapters.steam import _GAMES, _REVIEWS, _USERS
from itdr.demo.raw_files import write_raw_files
from itdr.demo.raw_files.steam import python_2_literal
from itdr.demo.world import simulate
from itdr.errors import DataError, MissingFileError
from tests.normalised import any_lines, check_account, normalised

GAME = {
    "publisher": "Valve", "genres": ["Action"], "app_name": "Half-Life", "title": "Half-Life",
    "url": "http://store.steampowered.com/app/70/", "release_date": "1998-11-08",
    "tags": ["FPS", "Classic"], "price": 9.99, "early_access": False, "id": "70",
    "developer": "Valve",
}  # fmt: skip
REVIEW = {
    "username": "007", "hours": 0.1, "product_id": "70", "page_order": 0, "date": "2017-12-17",
    "text": "It's \"good\"\n\xe9 \U0001f600", "early_access": False, "page": 1,
}  # fmt: skip
OPINION = {
    "funny": "", "posted": "Posted November 5, 2011.", "last_edited": "", "item_id": "70",
    "helpful": "No ratings yet", "recommend": True, "review": "Simple yet <b>great</b>",
}  # fmt: skip
GAMES, REVIEWS, PEOPLE = "steam_games.json", "steam_reviews.json", "australian_user_reviews.json"


def _lines(base, *changes):
    return "".join(python_2_literal({**base, **change}) + "\n" for change in changes)


def _read(tmp_path, games=({},), reviews=({},)):
    files = {GAMES: _lines(GAME, *games), REVIEWS: _lines(REVIEW, *reviews)}
    return normalised(tmp_path, "steam", files)


def _people(tmp_path, *people):
    lines = "".join(repr({"user_url": "x", **person}) + "\n" for person in people)
    return normalised(tmp_path, "steam", {GAMES: _lines(GAME, {}), PEOPLE: lines})


def test_a_game_has_its_properties(tmp_path):
    item = _read(tmp_path).items["70"]
    assert (item["title"], item["creator"], item["year"]) == ("Half-Life", "Valve", 1998)
    assert (item["categories"], item["price"]) == (["Action"], 9.99)
    assert item["attributes"]["tags"] == "FPS, Classic"


def test_a_review_has_the_users_name_and_text_but_no_rating(tmp_path):
    (row,) = _read(tmp_path).interactions
    assert (row["user_id"], row["item_id"], row["rating"]) == ("007", "70", None)
    assert row["timestamp"] == datetime(2017, 12, 17, tzinfo=UTC)
    assert row["review"] == 'It\'s "good" \xe9 \U0001f600'


@pytest.mark.parametrize(
    ("price", "dollars"),
    [
        (4.99, 4.99),
        (0, 0.0),
        ("Free", 0.0),
        ("Free to Play", 0.0),
        ("Free To Play", 0.0),
        ("Free Mod", 0.0),
        ("Third-party", None),
        ("Starting at $449.00", None),
        (None, None),
    ],
)
def test_a_price_is_a_number_or_words(tmp_path, price, dollars):
    assert _read(tmp_path, ({"price": price},)).items["70"]["price"] == dollars


@pytest.mark.parametrize(
    ("date", "year"),
    [("2018-01-04", 2018), ("2017", 2017), ("Jun 2009", 2009), ("Soon..", None), (None, None)],
)
def test_the_year_of_odd_dates(tmp_path, date, year):
    assert _read(tmp_path, ({"release_date": date},)).items["70"]["year"] == year


def test_keys_that_a_line_lacks(tmp_path):
    files = {
        GAMES: "{u'app_name': u'Batman', u'url': u'http://store.steampowered.com/app/200260', "
        "u'tags': [u'Stealth']}\n{u'url': u'http://store.steampowered.com/', u'price': 19.99}\n"
        + _lines(GAME, {"metascore": 96}, {"title": "Again"}),
        REVIEWS: _lines(REVIEW, {}),
    }
    out = normalised(tmp_path, "steam", files)
    # The id of the first is taken from its address; the second has none there either.
    assert out.items["200260"]["title"] == "Batman"
    assert out.items["200260"]["categories"] == ["Stealth"]
    assert out.items["70"]["attributes"]["metascore"] == "96"
    assert out.reasons() == [(GAMES, 2, "id is missing"), (GAMES, 4, "repeats an earlier item_id")]


def test_broken_and_repeated_reviews_are_rejected(tmp_path):
    lines = _lines(REVIEW, {}, {"text": "again"}, {"username": ""}, {"date": "someday"})
    files = {GAMES: _lines(GAME, {}), REVIEWS: lines + "{u'username': open('x')}\n"}
    out = normalised(tmp_path, "steam", files)
    assert [reason for _, _, reason in out.reasons()] == [
        "repeats an earlier user_id and item_id",
        "username is missing",
        "date is missing or not a date",
        "not a Python literal",
    ]


def test_version_1_has_verdicts_and_one_user_a_line(tmp_path):
    opinions = [
        OPINION,
        OPINION | {"item_id": "80", "recommend": False, "posted": "Posted July 3."},
        OPINION | {"item_id": "80"},
    ]
    person = {"user_id": "76561197970982479", "reviews": opinions}
    out = _people(tmp_path, person, {"user_id": "js41637", "reviews": []}, person)
    rows = [(row["item_id"], row["rating"], row["timestamp"]) for row in out.interactions]
    assert rows == [("70", 1.0, datetime(2011, 11, 5, tzinfo=UTC)), ("80", 0.0, None)]
    assert out.interactions[0]["review"] == "Simple yet great"
    assert out.reasons() == [(PEOPLE, 3, "repeats an earlier user_id")]
    assert any("1 reviews inside the lines of users left out" in n for n in out.quality["notes"])


def test_one_of_the_two_versions_is_needed(tmp_path):
    (tmp_path / GAMES).write_text(_lines(GAME, {}))
    with pytest.raises(MissingFileError, match=f"neither {REVIEWS} nor {PEOPLE}.*itdr fetch steam"):
        normalised(tmp_path, "steam")
    (tmp_path / REVIEWS).write_text(_lines(REVIEW, {}))
    (tmp_path / PEOPLE).write_text("{'user_id': 'a', 'reviews': []}\n")
    with pytest.raises(DataError, match="keep one of them"):
        normalised(tmp_path, "steam")


def test_the_real_games(tmp_path, real_samples):
    shutil.copy(real_samples / "steam" / "steam_games.json.gz", tmp_path)
    out = normalised(tmp_path, "steam", {REVIEWS: _lines(REVIEW, {})})
    assert out.quality["files"]["steam_games.json.gz"]["rows_read"] == 2492
    # Two have no id, one of them in its address either; one id stands twice.
    assert out.quality["by_reason"] == {"id is missing": 1, "repeats an earlier item_id": 1}
    assert out.items["612880"]["title"] == "Wolfenstein II: The New Colossus"
    assert out.items["200260"]["title"].startswith("Batman: Arkham City")
    titles = " ".join(item["title"] or "" for item in out.items.values())
    assert "u'" not in titles
    assert "\\x" not in titles
    assert any(ord(char) > 0x2000 for char in titles)


def test_the_simulated_files_give_the_world(tmp_path):
    world = simulate(1, 60, 120, 20)
    write_raw_files(world, "steam", tmp_path, 5)
    out = normalised(tmp_path, "steam")
    assert len(out.interactions) == len(world.interactions)
    assert (len(out.items), len(out.users)) == (120, 60)
    assert set(out.quality["by_reason"]) == {
        "id is missing",
        "repeats an earlier item_id",
        "repeats an earlier user_id and item_id",
    }
    assert not [row for row in out.interactions if "\\" in row["review"]]


@settings(max_examples=10, deadline=None)
@given(any_lines)
def test_any_line_is_kept_or_rejected(lines):
    for form in (_GAMES, _REVIEWS, _USERS):
        check_account(form, lines)
