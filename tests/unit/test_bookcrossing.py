"""Book-Crossing: what its files look like, and what becomes of them."""

import shutil

import pytest
from hypothesis import given

from itdr.datasets.adapters import bookcrossing
from itdr.demo.raw_files import write_raw_files
from itdr.demo.world import simulate
from itdr.errors import DataError, MissingFileError
from tests.normalised import any_lines, check_account, normalised, unhurried

RATINGS = "BX-Book-Ratings.csv"
BOOKS = "BX-Books.csv"
USERS = "BX-Users.csv"

RATINGS_HEADER = '"User-ID";"ISBN";"Book-Rating"'
BOOKS_HEADER = (
    '"ISBN";"Book-Title";"Book-Author";"Year-Of-Publication";"Publisher";'
    '"Image-URL-S";"Image-URL-M";"Image-URL-L"'
)
USERS_HEADER = '"User-ID";"Location";"Age"'


def file(header: str, *lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in (header, *lines)).encode("latin-1")


def book(isbn="0001", title="Emma", author="Jane Austen", year="1996", publisher="Oak"):
    return f'"{isbn}";"{title}";"{author}";"{year}";"{publisher}";"s";"m";"l"'


EMMA = book()


@pytest.fixture
def tables(tmp_path):
    """Return a function that normalises lines of the three files."""

    def make(ratings=('"7";"0001";"8"',), books=(EMMA,), users=('"7";"leeds, , uk";"30"',)):
        files = {
            RATINGS: file(RATINGS_HEADER, *ratings),
            BOOKS: file(BOOKS_HEADER, *books),
            USERS: file(USERS_HEADER, *users),
        }
        return normalised(tmp_path, "bookcrossing", files)

    return make


def test_a_rating_of_0_is_an_interaction_without_a_rating(tables):
    rows = tables(['"7";"0001";"0"', '"7";"0002";"10"']).interactions
    assert [(row["item_id"], row["rating"]) for row in rows] == [("0001", None), ("0002", 10.0)]


def test_book_numbers_stay_text_whatever_they_look_like(tables):
    numbers = ["034545104X", "0140.38572X", "09013606/670", "B00005UMK6", "002542730x", "9780446"]
    rows = tables([f'"7";"{number}";"5"' for number in numbers]).interactions
    assert {row["item_id"] for row in rows} == set(numbers)


def test_quotes_behind_backslashes_and_semicolons_belong_to_the_cell(tables):
    titles = {
        r"\"O\" Is for Outlaw": '"O" Is for Outlaw',
        r"Readers (Level 4)\"": 'Readers (Level 4)"',
        "Peace; a Novel": "Peace; a Novel",
        r"\"A\"; \"B\"": '"A"; "B"',
        r"back\\slash": "back\\slash",
    }
    items = tables(books=[book(f"{n}", raw) for n, raw in enumerate(titles)]).items
    assert [item["title"] for item in items.values()] == list(titles.values())


def test_letters_encoded_twice_and_entities_are_restored(tables):
    raw = book(title="Ni Ã±u", author="RenÃ©", publisher="W. &amp; Co")
    item = tables(books=[raw]).items["0001"]
    assert (item["title"], item["creator"]) == ("Ni ñu", "René")
    assert item["attributes"] == {"publisher": "W. & Co"}


def test_a_letter_that_lost_its_first_byte_is_restored(tables):
    title = "Patrick S\xc3?\xc2\xbcskind"
    assert tables(books=[book(title=title)]).items["0001"]["title"] == "Patrick Süskind"


def test_latin_1_is_read_as_it_is(tables):
    users = tables(users=['"7";"münchen, bayern, germany";"1"']).users
    assert users["7"]["location"] == "münchen, bayern, germany"


def test_years_that_cannot_be_are_left_out_and_noted(tables):
    books = [book("1", year="0"), book("2", year="2050"), book("3", year="1999")]
    result = tables(books=books)
    assert [item["year"] for item in result.items.values()] == [None, None, 1999]
    assert "items: 2 years outside 1450 to 2005 are left out" in result.quality["notes"]


def test_ages_are_null_where_missing_or_out_of_range(tables):
    ages = ["NULL", '"0"', '"244"', '"18"', '"100"']
    result = tables(users=[f'"{n}";"x, y, z";{age}' for n, age in enumerate(ages)])
    assert [user["age"] for user in result.users.values()] == [None, None, None, 18, 100]
    assert "users: 2 ages outside 5 to 100 are left out" in result.quality["notes"]


@pytest.mark.parametrize(
    ("raw", "location", "country"),
    [
        ("austin, texas, usa", "austin, texas, usa", "usa"),
        ("fort worth, ,", "fort worth", None),
        ("lyon, n/a, france", "lyon, france", "france"),
        (r"algar, \"n/a\", spain", "algar, spain", "spain"),
        ("&#304;zmir, n/a, turkey", "İzmir, turkey", "turkey"),
        ("auck;and, auckland, new zealand", "auck;and, auckland, new zealand", "new zealand"),
        (", , ", None, None),
    ],
)
def test_places_left_out_are_left_out_of_the_location(tables, raw, location, country):
    user = tables(users=[f'"7";"{raw}";NULL']).users["7"]
    assert (user["location"], user["country"]) == (location, country)


def test_a_stray_quote_does_not_cost_the_row(tables):
    user = tables(users=[r'"7";"algar, \n/a\", spain"";"13"']).users["7"]
    assert (user["location"], user["age"]) == ("algar, spain", 13)


def test_broken_rows_are_rejected_with_their_reason(tables):
    ratings = ['"7";"0001";"8"', '"7";"0001"', '"x";"2";"3"', '"7";"2";"11"', '"7";"";"1"', ""]
    assert tables([*ratings, '"7";"0001";"9"']).reasons() == [
        (RATINGS, 3, "2 fields instead of 3"),
        (RATINGS, 4, "User-ID is not a whole number"),
        (RATINGS, 5, "Book-Rating is outside 0 to 10"),
        (RATINGS, 6, "ISBN is missing"),
        (RATINGS, 7, "empty line"),
        (RATINGS, 8, "repeats an earlier user_id and item_id"),
    ]


def test_rated_books_without_a_row_are_kept_and_noted(tables):
    result = tables(['"7";"0001";"8"', '"7";"0009";"8"'])
    assert len(result.interactions) == 2
    assert result.quality["notes"] == [
        "items: 1 ids of 1 interactions have no row; the interactions are kept"
    ]


def test_a_missing_file_is_named(tmp_path):
    (tmp_path / RATINGS).write_bytes(file(RATINGS_HEADER, '"7";"0001";"8"'))
    with pytest.raises(MissingFileError, match=rf"no {BOOKS}.*itdr fetch bookcrossing"):
        normalised(tmp_path, "bookcrossing")


def test_the_real_sample(real_samples, tmp_path):
    for name in (RATINGS, BOOKS, USERS):
        shutil.copy(real_samples / "bookcrossing" / name, tmp_path)
    result = normalised(tmp_path, "bookcrossing")
    files = {name: (f["rows_read"], f["rows_kept"]) for name, f in result.quality["files"].items()}
    assert files == {RATINGS: (13048, 13048), BOOKS: (7744, 7744), USERS: (536, 536)}
    assert result.rejected == []
    assert result.quality["notes"][-1].startswith("items: 6752 ids of 6871 interactions")
    assert not any("Ã" in item["title"] for item in result.items.values())
    assert result.items["0449003787"]["title"] == '"O" Is for Outlaw'


@pytest.mark.parametrize(
    ("variant", "name", "differs"),
    [
        ("BX-Book-Ratings.semicolon_unquoted_lost_zeros.csv", RATINGS, "lost the leading zeros"),
        ("BX-Users.semicolon_unquoted.csv", USERS, "without quotes"),
        ("BX_Books.comma_utf8.csv", BOOKS, "needed are the columns ISBN, Book-Title"),
        ("BX-Books.semicolon_minimal_quotes_int_header.csv", BOOKS, "the first line is b'0;1;2"),
    ],
)
def test_copies_that_were_saved_again_are_refused(real_samples, tmp_path, variant, name, differs):
    for original in {RATINGS, BOOKS, USERS} - {name}:
        shutil.copy(real_samples / "bookcrossing" / original, tmp_path)
    shutil.copy(real_samples / "bookcrossing" / "as-found-variants" / variant, tmp_path / name)
    with pytest.raises(DataError, match=differs):
        normalised(tmp_path, "bookcrossing")


def test_simulated_files_come_back_as_the_world(tmp_path):
    world = simulate(seed=3, users=60, items=80, interactions_per_user=10)
    write_raw_files(world, "bookcrossing", tmp_path, seed=3)
    result = normalised(tmp_path, "bookcrossing")
    assert (len(result.interactions), len(result.users)) == (len(world.interactions), 60)
    assert result.rejected == []
    assert 70 <= len(result.items) <= 80
    titles = set(world.items["title"])
    assert sum(item["title"] in titles for item in result.items.values()) >= 70
    rated = [row["rating"] for row in result.interactions if row["rating"] is not None]
    assert 0.5 < len(rated) / len(result.interactions) < 0.8
    stars = set(world.interactions["stars"])
    assert {rating / 2 for rating in rated} <= stars


@unhurried
@given(lines=any_lines)
def test_every_line_is_kept_or_rejected(lines):
    for form in (bookcrossing._RATINGS, bookcrossing._BOOKS, bookcrossing._USERS):
        check_account(form, lines)
