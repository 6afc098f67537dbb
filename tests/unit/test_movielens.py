"""MovieLens: titles, genres, codes and encodings come out right; broken rows are told apart."""

from datetime import UTC, datetime

import pytest
from hypothesis import given

from itdr.datasets.adapters.movielens import (
    _MOVIES_CSV,
    _MOVIES_DAT,
    _RATINGS_CSV,
    _RATINGS_DAT,
    _USERS_DAT,
)
from itdr.datasets.normalise import normalise
from itdr.errors import DataError, MissingFileError, SettingsError
from itdr.settings.dataset import load_dataset
from tests.normalised import any_lines, check_account, normalised, unhurried

RATINGS = "userId,movieId,rating,timestamp\n"
MOVIES = "movieId,title,genres\n"


def _ml_32m(tmp_path, ratings="1,2,4.5,946684800\n", movies="2,Heat (1995),Crime|Drama\n"):
    files = {"ratings.csv": RATINGS + ratings, "movies.csv": MOVIES + movies}
    return normalised(tmp_path, "movielens-32m", files)


def _ml_1m(
    tmp_path,
    ratings="1::2::4::946684800\n",
    movies="2::Heat (1995)::Crime|Drama\n",
    users="1::F::1::10::02460\n",
):
    files = {"ratings.dat": ratings, "movies.dat": movies, "users.dat": users}
    return normalised(tmp_path, "movielens-1m", files)


def test_a_rating_has_user_item_stars_and_time(tmp_path):
    out = _ml_32m(tmp_path)
    assert out.interactions == [
        {
            "user_id": "1",
            "item_id": "2",
            "domain": None,
            "rating": 4.5,
            "timestamp": datetime(2000, 1, 1, tzinfo=UTC),
            "position": None,
            "plays": None,
            "review_title": None,
            "review": None,
        }
    ]
    assert out.quality["rating_scale"] == {"low": 0.5, "high": 5.0, "step": 0.5}


@pytest.mark.parametrize(
    ("line", "title", "year", "categories"),
    [
        ("1,Heat (1995),Crime|Drama", "Heat (1995)", 1995, ["Crime", "Drama"]),
        ('1,"Net, The (1995)",Drama', "Net, The (1995)", 1995, ["Drama"]),
        ('1,"""Great"" One, The (1969)",Drama', '"Great" One, The (1969)', 1969, ["Drama"]),
        ("1,June 9 (2008) ,Horror", "June 9 (2008)", 2008, ["Horror"]),
        ("1,Babies (Bébé(s)) (2010),Drama", "Babies (Bébé(s)) (2010)", 2010, ["Drama"]),
        ("1,Space (1966)),Drama", "Space (1966))", 1966, ["Drama"]),
        ("1,Big Bang (2007-),Comedy", "Big Bang (2007-)", None, ["Comedy"]),
        ("1,Unnamed,Comedy", "Unnamed", None, ["Comedy"]),
        ("1,(1999) and after,Comedy", "(1999) and after", None, ["Comedy"]),
        ("1,Heat (1995),(no genres listed)", "Heat (1995)", 1995, []),
        ("1,,Drama", None, None, ["Drama"]),
        ('1,Ed "Too" Tall (1990),Drama', 'Ed "Too" Tall (1990)', 1990, ["Drama"]),
    ],
)
def test_titles_years_and_genres(tmp_path, line, title, year, categories):
    item = _ml_32m(tmp_path, movies=line + "\n").items["1"]
    assert (item["title"], item["year"], item["categories"]) == (title, year, categories)


def test_users_are_derived_where_the_source_has_none(tmp_path):
    out = _ml_32m(tmp_path, ratings="10,2,4,946684800\n9,2,4,946684800\n")
    assert list(out.users) == ["9", "10"]
    assert any("users" in note and "derived" in note for note in out.quality["notes"])


def test_the_most_frequent_tags_of_a_film_are_kept(tmp_path):
    given = ["1,2,Heist", "2,2,heist ", '2,2,"Al, Bob"', "1,9,gone"]
    given += [f"3,2,z{number:02}" for number in range(30)]
    lines = ["userId,movieId,tag,timestamp", *(f"{row},946684800" for row in given), ""]
    (tmp_path / "tags.csv").write_text("\n".join(lines))
    out = _ml_32m(tmp_path)
    told = out.items["2"]["attributes"]["tags"]
    assert told.startswith("heist, al, bob, z00, z01") and told.endswith("z17")
    assert not any("tags" in note for note in out.quality["notes"])


def test_without_tags_a_note_says_so(tmp_path):
    out = _ml_32m(tmp_path)
    assert out.items["2"]["attributes"] == {}
    assert "items: without tags, as there is no tags.csv" in out.quality["notes"]


def test_rated_films_without_metadata_are_kept_and_noted(tmp_path):
    out = _ml_32m(tmp_path, ratings="1,2,4,946684800\n1,7,4,946684800\n2,7,3,946684800\n")
    assert len(out.interactions) == 3
    assert (
        "items: 1 ids of 2 interactions have no row; the interactions are kept"
        in (out.quality["notes"])
    )


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,3,4.5", "3 fields instead of 4"),
        ("1,3,4.5,946684800,x", "5 fields instead of 4"),
        ("", "empty line"),
        (",3,4.5,946684800", "userId is missing"),
        ("1,,4.5,946684800", "movieId is missing"),
        ("1,3,,946684800", "rating is missing"),
        ("x,3,4.5,946684800", "userId is not a whole number"),
        ("-1,3,4.5,946684800", "userId is not a whole number"),
        ("1,3.0,4.5,946684800", "movieId is not a whole number"),
        ("1,3,good,946684800", "rating is not a number"),
        ("1,3,nan,946684800", "rating is not a number"),
        ("1,3,0.0,946684800", "rating is outside 0.5 to 5"),
        ("1,3,10.0,946684800", "rating is outside 0.5 to 5"),
        ("1,3,-1.0,946684800", "rating is outside 0.5 to 5"),
        ("1,3,3.7,946684800", "rating is not in steps of 0.5"),
        ("1,3,4.5,-1", "timestamp is outside the years 1990 to 2099"),
        ("1,3,4.5,9999999999", "timestamp is outside the years 1990 to 2099"),
        ("1,3,4.5,99999999999999999999", "timestamp is outside the years 1990 to 2099"),
        ("1,3,4.5,2000-01-01", "timestamp is not a whole number"),
        ("1,2,3.0,946684801", "repeats an earlier user_id and item_id"),
        ('1,"3,4.5,946684800', "quotes do not match"),
    ],
)
def test_broken_ratings_are_kept_apart_with_line_text_and_reason(tmp_path, row, reason):
    out = _ml_32m(tmp_path, ratings=f"1,2,4.5,946684800\n{row}\n2,3,1,946684800\n")
    assert out.rejected == [{"file": "ratings.csv", "line": 3, "raw": row, "reason": reason}]
    assert [(r["user_id"], r["item_id"]) for r in out.interactions] == [("1", "2"), ("2", "3")]
    assert out.quality["files"]["ratings.csv"] == {
        "rows_read": 3,
        "rows_kept": 2,
        "rows_rejected": 1,
        "by_reason": {reason: 1},
    }


def test_invalid_utf8_is_shown_by_its_bytes(tmp_path):
    movies = MOVIES.encode() + b"2,Heat (1995),Drama\n3,Caf\xe9 (1990),Drama\n"
    files = {"ratings.csv": RATINGS + "1,2,4,946684800\n", "movies.csv": movies}
    out = normalised(tmp_path, "movielens-32m", files)
    assert out.rejected == [
        {
            "file": "movies.csv",
            "line": 3,
            "raw": r"3,Caf\xe9 (1990),Drama",
            "reason": "not UTF-8 text",
        }
    ]


def test_a_film_that_stands_twice_is_rejected_the_second_time(tmp_path):
    out = _ml_32m(tmp_path, movies="2,Heat (1995),Crime\n2,Heat again (1996),Crime\n")
    assert out.items["2"]["title"] == "Heat (1995)"
    assert out.reasons() == [("movies.csv", 3, "repeats an earlier item_id")]


def test_ids_keep_their_leading_zeros(tmp_path):
    out = _ml_32m(tmp_path, ratings="007,2,4,946684800\n7,2,4,946684800\n12,02,4,946684800\n")
    assert [(r["user_id"], r["item_id"]) for r in out.interactions] == [
        ("7", "2"),
        ("12", "02"),
        ("007", "2"),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_the_last_one_and_a_byte_order_mark_do_not_matter(tmp_path, end, last, mark):
    lines = [RATINGS.strip(), "1,2,4.5,946684800", "1,3,bad,946684800", "2,2,5.0,946684800"]
    text = mark + end.join(lines) + (end if last else "")
    files = {"ratings.csv": text, "movies.csv": MOVIES + "2,Heat (1995),Drama\n"}
    out = normalised(tmp_path, "movielens-32m", files)
    assert [r["rating"] for r in out.interactions] == [4.5, 5.0]
    assert [(r["line"], r["raw"]) for r in out.rejected] == [(3, "1,3,bad,946684800")]


def test_another_header_is_refused(tmp_path):
    (tmp_path / "ratings.csv").write_text("user,item,rating,time\n1,2,3,946684800\n")
    (tmp_path / "movies.csv").write_text(MOVIES)
    with pytest.raises(DataError, match="needed are the columns userId, movieId"):
        normalise(load_dataset("movielens-32m"), tmp_path, tmp_path / "out")


def test_a_missing_file_is_named_with_where_to_get_it(tmp_path):
    (tmp_path / "ratings.csv").write_text(RATINGS)
    with pytest.raises(MissingFileError, match=r"no movies\.csv .*itdr fetch movielens-32m"):
        normalise(load_dataset("movielens-32m"), tmp_path, tmp_path / "out")


def test_an_unknown_dataset_gets_the_nearest_name(tmp_path):
    with pytest.raises(SettingsError, match="Did you mean 'movielens-32m'"):
        normalise(load_dataset("movielens32m"), tmp_path, tmp_path / "out")


def test_codes_of_1m_become_names(tmp_path):
    users = "1::F::1::10::02460\n2::M::56::16::98107-2117\n3::M::18::0::\n"
    assert list(_ml_1m(tmp_path, users=users).users.values()) == [
        _user("1", "female", "Under 18", "K-12 student", "02460"),
        _user("2", "male", "56+", "self-employed", "98107-2117"),
        _user("3", "male", "18-24", "other", None),
    ]


def _user(user_id, gender, age_group, occupation, location):
    return {
        "user_id": user_id,
        "gender": gender,
        "age": None,
        "age_group": age_group,
        "birth_year": None,
        "occupation": occupation,
        "country": None,
        "location": location,
    }


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1::X::1::10::1", "gender is an unknown code"),
        ("1::F::19::10::1", "age is an unknown code"),
        ("1::F::1::21::1", "occupation is an unknown code"),
        ("1::F::::10::1", "age is missing"),
        ("1:F:1:10:1", "1 fields instead of 5"),
    ],
)
def test_unknown_codes_are_rejected(tmp_path, row, reason):
    out = _ml_1m(tmp_path, users=f"2::M::56::16::1\n{row}\n")
    assert out.rejected == [{"file": "users.dat", "line": 2, "raw": row, "reason": reason}]
    assert (
        "users: 1 ids of 1 interactions have no row; the interactions are kept"
        in (out.quality["notes"])
    )


def test_titles_of_1m_are_latin_1_and_hold_colons_and_quotes(tmp_path):
    movies = '73::Mis\xe9rables, Les: "I" (1995)::Drama|Musical\n'.encode("latin-1")
    item = _ml_1m(tmp_path, movies=movies).items["73"]
    assert item["title"] == 'Misérables, Les: "I" (1995)'
    assert item["categories"] == ["Drama", "Musical"]


@unhurried
@given(any_lines)
def test_any_line_is_kept_or_rejected(lines):
    for form in (_RATINGS_CSV, _MOVIES_CSV, _RATINGS_DAT, _MOVIES_DAT, _USERS_DAT):
        check_account(form, lines)


def test_real_sample_of_latest_small(real_samples, tmp_path):
    out = _real(real_samples / "ml-latest-small", tmp_path, "movielens-32m")
    assert out["tables"] == {"interactions": 22_393, "items": 5_710, "users": 222}
    assert out["rows_rejected"] == 0


def test_real_sample_of_1m(real_samples, tmp_path):
    out = _real(real_samples / "ml-1m", tmp_path, "movielens-1m")
    assert out["tables"] == {"interactions": 33_574, "items": 3_883, "users": 250}
    assert out["rows_rejected"] == 0


def test_real_films_of_32m(real_samples, tmp_path):
    ratings = RATINGS + "1,1,4,946684800\n"
    movies = (real_samples / "ml-32m" / "movies.csv").read_bytes()
    out = normalised(tmp_path, "movielens-32m", {"ratings.csv": ratings, "movies.csv": movies})
    assert len(out.items) == 7_883
    assert not out.rejected
    assert out.items["26137"]["title"] == "Heroes of Telemark, The (1965)"
    assert all(item["title"] for item in out.items.values())


def _real(folder, tmp_path, dataset):
    from itdr.files.formats import read_json

    normalise(load_dataset(dataset), folder, tmp_path)
    return read_json(tmp_path / "quality.json")
