"""Amazon Books Reviews: what its files look like, and what becomes of them."""

import csv
import io
import shutil
from datetime import UTC, datetime

import pytest
from hypothesis import given

from itdr.datasets.adapters import amazon_books
from itdr.demo.raw_files import write_raw_files
from itdr.demo.world import simulate
from itdr.errors import MissingFileError
from tests.normalised import any_lines, check_account, normalised, unhurried

REVIEWS = "Books_rating.csv"
TITLES = "books_data.csv"

REVIEWS_HEADER = (
    "Id,Title,Price,User_id,profileName,review/helpfulness,review/score,review/time,"
    "review/summary,review/text"
)
TITLES_HEADER = (
    "Title,description,authors,image,previewLink,publisher,publishedDate,infoLink,categories,"
    "ratingsCount"
)


def line(*cells: str) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().removesuffix("\n")


def review(
    book="0826414346", title="Emma", price="", user="A1", score="5.0", time="1095724800", text="Ok"
):
    return line(book, title, price, user, 'Jim "jim"', "10/11", score, time, "Good", text)


def about(title="Emma", text="", authors="", publisher="", date="", categories="", count=""):
    return line(title, text, authors, "i", "p", publisher, date, "l", categories, count)


EMMA, ABOUT_EMMA = review(), about()


@pytest.fixture
def tables(tmp_path):
    """Return a function that normalises lines of the two files."""

    def make(reviews=(EMMA,), titles=(ABOUT_EMMA,)):
        files = {
            REVIEWS: "".join(f"{row}\n" for row in (REVIEWS_HEADER, *reviews)),
            TITLES: "".join(f"{row}\n" for row in (TITLES_HEADER, *titles)),
        }
        return normalised(tmp_path, "amazon-books", files)

    return make


def test_a_review_is_an_interaction_with_its_words(tables):
    row = tables([review(text='It is &quot;so&quot; good.<br />Read it, "now".')]).interactions[0]
    assert (row["user_id"], row["item_id"], row["rating"]) == ("A1", "0826414346", 5.0)
    assert row["timestamp"] == datetime(2004, 9, 21, tzinfo=UTC)
    assert row["review_title"] == "Good"
    assert row["review"] == 'It is "so" good. Read it, "now".'


def test_reviews_without_a_user_are_rejected_but_name_their_book(tables):
    result = tables([EMMA, review("1", user=""), "x"], [about(), about("Sense")])
    assert result.reasons() == [
        (REVIEWS, 3, "User_id is missing"),
        (REVIEWS, 4, "1 fields instead of 10"),
        (TITLES, 3, "no review has this Title, so that its Id is not known"),
    ]
    assert list(result.items) == ["1", "0826414346"]


def test_a_time_of_minus_1_is_no_time(tables):
    rows = tables([review(time="-1"), review("2", time="631152000")]).interactions
    assert [row["timestamp"] is None for row in rows] == [False, True]


def test_a_review_over_several_lines_is_one_row(tables):
    result = tables([review(text="One.\n\nTwo."), review("2", text="x")])
    assert [row["review"] for row in result.interactions] == ["x", "One. Two."]
    assert result.quality["files"][REVIEWS]["rows_read"] == 2


def test_what_is_known_of_a_title_is_joined_to_its_editions(tables):
    facts = about(
        text="A <i>novel</i>.",
        authors="""['Jane Austen', "Pat O'Hara"]""",
        publisher="Oak &amp; Sons",
        date="2005-02",
        categories="['Fiction']",
        count="5.0",
    )
    items = tables([review("1", price="19.40"), review("2")], [facts]).items
    for item in items.values():
        assert item["title"] == "Emma"
        assert item["creator"] == "Jane Austen, Pat O'Hara"
        assert (item["categories"], item["year"]) == (["Fiction"], 2005)
        assert item["description"] == "A novel."
        assert item["attributes"] == {"publisher": "Oak & Sons", "ratings_count": "5"}
    assert [item["price"] for item in items.values()] == [19.4, None]


@pytest.mark.parametrize(("date", "year"), [("1996", 1996), ("2005-01-01", 2005), ("", None)])
def test_dates_of_any_length_give_the_year(tables, date, year):
    assert tables(titles=[about(date=date)]).items["0826414346"]["year"] == year


@pytest.mark.parametrize("cell", ["Julie Strain", "[1]", "['a'", "__import__('os')", r"['\x']"])
def test_a_cell_that_is_no_list_of_texts_rejects_its_row(tables, cell):
    result = tables(titles=[about(authors=cell)])
    assert result.reasons() == [(TITLES, 2, "authors is not a Python list of texts")]
    assert result.items["0826414346"]["title"] == "Emma"
    assert "items: 1 books have no row in books_data.csv" in result.quality["notes"][0]


def test_lists_may_hold_escapes_and_be_empty(tables):
    lists = {r"['O\'Hara\\x']": [r"O'Hara\x"], "[]": [], "['a', ]": ["a"], "[\"b\", '']": ["b"]}
    reviews = [review(str(n), f"T{n}") for n in range(4)]
    titles = [about(f"T{n}", categories=cell) for n, cell in enumerate(lists)]
    items = tables(reviews, titles).items
    assert [item["categories"] for item in items.values()] == list(lists.values())


def test_repeated_reviews_and_titles_are_rejected(tables):
    assert tables([EMMA, review(score="1.0")], [about(), about(text="x")]).reasons() == [
        (REVIEWS, 3, "repeats an earlier user_id and item_id"),
        (TITLES, 3, "repeats an earlier Title"),
    ]


def test_broken_cells_are_rejected_with_their_reason(tables):
    reviews = [EMMA, review(score="6.0"), review(score="x"), review(time="7")]
    assert [reason for _, _, reason in tables(reviews, [about(), about("")]).reasons()] == [
        "review/score is outside 1 to 5",
        "review/score is not a number",
        "review/time is outside the years 1990 to 2099",
        "Title is missing",
    ]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=rf"no {TITLES}.*itdr fetch amazon-books"):
        normalised(tmp_path, "amazon-books", {REVIEWS: f"{REVIEWS_HEADER}\n{EMMA}\n"})


def test_the_real_sample(real_samples, tmp_path):
    for name in (REVIEWS, TITLES):
        shutil.copy(real_samples / "amazon-books-reviews" / name, tmp_path)
    result = normalised(tmp_path, "amazon-books")
    assert result.quality["files"][REVIEWS]["rows_read"] == 502
    assert result.quality["files"][REVIEWS]["by_reason"] == {
        "User_id is missing": 95,
        "repeats an earlier user_id and item_id": 5,
    }
    assert result.quality["files"][TITLES]["rows_read"] == 1398
    assert result.quality["files"][TITLES]["by_reason"]["Title is missing"] == 1
    assert result.quality["tables"] == {"interactions": 402, "items": 88, "users": 397}
    assert not any("&quot;" in row["review"] for row in result.interactions)
    assert result.items["0826414346"]["title"] == "Dr. Seuss: American Icon"


def test_simulated_files_come_back_as_the_world(tmp_path):
    world = simulate(seed=3, users=60, items=80, interactions_per_user=10)
    write_raw_files(world, "amazon-books", tmp_path, seed=3)
    result = normalised(tmp_path, "amazon-books")
    assert len(result.interactions) == len(world.interactions)
    assert len(result.users) == 60
    assert set(result.quality["by_reason"]) == {"Title is missing", "User_id is missing"}
    genres = dict(zip(world.items["title"], world.items["genres"], strict=True))
    known = [item for item in result.items.values() if item["categories"]]
    assert len(known) > 50
    assert all(item["categories"] == genres[item["title"].split(":")[0]] for item in known)
    assert all(row["review"] and row["timestamp"] for row in result.interactions)


@unhurried
@given(lines=any_lines)
def test_every_line_is_kept_or_rejected(lines):
    for form in (amazon_books._REVIEWS, amazon_books._TITLES):
        check_account(form, lines)
