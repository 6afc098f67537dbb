"""Anime Dataset 2023: what its files look like, and what becomes of them."""

import csv
import io
import shutil

import pytest
from hypothesis import given

from itdr.datasets.adapters import anime
from itdr.demo.raw_files import write_raw_files
from itdr.demo.raw_files.anime import COLUMNS
from itdr.demo.world import simulate
from itdr.errors import DataError, MissingFileError
from tests.normalised import any_lines, check_account, normalised, unhurried

ANIME = "anime-dataset-2023.csv"
USERS = "users-details-2023.csv"
SCORES = "users-score-2023.csv"

USERS_HEADER = (
    "Mal ID,Username,Gender,Birthday,Location,Joined,Days Watched,Mean Score,Watching,Completed,"
    "On Hold,Dropped,Plan to Watch,Total Entries,Rewatched,Episodes Watched"
)
SCORES_HEADER = "user_id,Username,anime_id,Anime Title,rating"
STATISTICS = "142.3,7.37,1.0,233.0,8.0,93.0,64.0,399.0,60.0,8458.0"


def show(anime_id=1, name="Trigun", **cells) -> str:
    row = dict.fromkeys(COLUMNS, "UNKNOWN") | {"anime_id": anime_id, "Name": name} | cells
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(row.values())
    return line.getvalue().removesuffix("\n")


def person(user=1, gender="Male", birthday="1985-03-04T00:00:00+00:00", location="Oslo") -> str:
    joined = "2004-11-05T00:00:00+00:00"
    return f"{user},Xinil,{gender},{birthday},{location},{joined},{STATISTICS}"


TRIGUN, XINIL = show(), person()


@pytest.fixture
def tables(tmp_path):
    """Return a function that normalises lines of the three files."""

    def make(shows=(TRIGUN,), people=(XINIL,), scores=("1,Xinil,1,Trigun,9",)):
        lines = {
            ANIME: (",".join(COLUMNS), *shows),
            USERS: (USERS_HEADER, *people),
            SCORES: (SCORES_HEADER, *scores),
        }
        files = {name: "".join(f"{line}\n" for line in rows) for name, rows in lines.items()}
        return normalised(tmp_path, "anime-2023", files)

    return make


def test_unknown_is_missing(tables):
    item = tables().items["1"]
    assert item == dict.fromkeys(item) | {
        "item_id": "1",
        "title": "Trigun",
        "categories": [],
        "attributes": {},
    }


def test_all_that_is_known_of_an_anime_is_kept(tables):
    cells = {
        "Genres": "Action, Award Winning, Sci-Fi",
        "Synopsis": "A man.\n\nHis &quot;bounty&quot;.\n\n[Written by MAL Rewrite]",
        "Episodes": "26.0",
        "Aired": "Apr 1, 1998 to Sep 30, 1998",
        "Studios": "Madhouse",
        "Score": "8.22",
    }
    item = tables([show(1, '"Trigun", Part 1', **cells)]).items["1"]
    assert item["title"] == '"Trigun", Part 1'
    assert item["categories"] == ["Action", "Award Winning", "Sci-Fi"]
    assert item["description"] == 'A man. His "bounty".'
    assert (item["year"], item["creator"]) == (1998, "Madhouse")
    assert item["attributes"] == {"episodes": "26", "mean_score": "8.22"}


def test_a_synopsis_over_several_lines_is_one_row(tables):
    result = tables([show(1, Synopsis="One.\nTwo."), "x", show(2, Synopsis="Three.\r\n")])
    assert list(result.items) == ["1", "2"]
    assert result.reasons() == [(ANIME, 4, "1 fields instead of 24")]
    assert result.quality["files"][ANIME]["rows_read"] == 3


def test_two_anime_of_one_name_are_two_items(tables):
    scores = ["1,Xinil,1,Azur Lane,5", "1,Xinil,2,Azur Lane,6"]
    result = tables([show(1, "Azur Lane"), show(2, "Azur Lane")], scores=scores)
    assert [row["item_id"] for row in result.interactions] == ["1", "2"]
    assert result.rejected == []


def test_a_score_without_a_user_name_counts(tables):
    assert tables(scores=["1,,1,Trigun,10"]).interactions[0]["rating"] == 10.0


def test_users_give_gender_year_of_birth_and_location_or_nothing(tables):
    people = [person(), person(3, "Female", "", '"Oslo, Norway"'), person(4, "", "", "")]
    users = tables(people=people).users
    facts = [(user["gender"], user["birth_year"], user["location"]) for user in users.values()]
    assert facts == [("male", 1985, "Oslo"), ("female", None, "Oslo, Norway"), (None, None, None)]


def test_what_cannot_be_or_has_no_place_is_left_out_and_noted(tables):
    people = [person(1, birthday="1900-01-01T00:00:00+00:00"), person(2, "Non-Binary")]
    result = tables(people=people)
    assert result.users["1"]["birth_year"] is None
    assert result.users["2"]["gender"] is None
    assert result.quality["notes"] == [
        "users: 1 years of birth outside 1923 to 2018 are left out",
        "users: 1 genders that are neither female nor male left out",
    ]


def test_broken_rows_are_rejected_with_their_reason(tables):
    scores = ["1,Xinil,1,Trigun,9", "1,Xinil,1,Trigun,0", "1,X,1,9", "x,X,1,T,9", "1,X,1,T,8"]
    assert tables(scores=scores).reasons() == [
        (SCORES, 3, "rating is outside 1 to 10"),
        (SCORES, 4, "4 fields instead of 5"),
        (SCORES, 5, "user_id is not a whole number"),
        (SCORES, 6, "repeats an earlier user_id and item_id"),
    ]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=rf"no {ANIME}.*itdr fetch anime-2023"):
        normalised(tmp_path, "anime-2023")


def test_a_copy_without_needed_columns_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"lacking: Name, Genres; allowed are"):
        normalised(tmp_path, "anime-2023", {ANIME: "anime_id,Score\n1,8.2\n"})


def test_the_real_sample_of_five_columns_is_read(real_samples, tmp_path):
    shutil.copy(real_samples / "myanimelist-2023" / ANIME, tmp_path)
    files = {
        USERS: f"{USERS_HEADER}\n{XINIL}\n",
        SCORES: f"{SCORES_HEADER}\n1,Xinil,21,One Piece,9\n1,Xinil,48,.hack//Sign,7\n",
    }
    result = normalised(tmp_path, "anime-2023", files)
    assert result.quality["files"][ANIME]["rows_kept"] == len(result.items) == 24901
    items = result.items.values()
    assert sum(not item["categories"] for item in items) == 4929
    assert sum("mean_score" not in item["attributes"] for item in items) == 9213
    assert any('"' in item["title"] for item in items)
    assert result.items["1"]["categories"] == ["Action", "Award Winning", "Sci-Fi"]
    assert "lacks the columns English name" in result.quality["notes"][0]


def test_simulated_files_come_back_as_the_world(tmp_path):
    world = simulate(seed=3, users=60, items=80, interactions_per_user=10)
    write_raw_files(world, "anime-2023", tmp_path, seed=3)
    result = normalised(tmp_path, "anime-2023")
    assert len(result.interactions) == len(world.interactions)
    assert (len(result.items), len(result.users)) == (80, 60)
    assert result.rejected == []
    scores = sorted(row["rating"] for row in result.interactions)
    assert scores == sorted(world.interactions["stars"] * 2)
    titles = set(world.items["title"])
    assert sum(item["title"] in titles for item in result.items.values()) >= 70


@unhurried
@given(lines=any_lines)
def test_every_line_is_kept_or_rejected(lines):
    whole = anime.MultilineCsv(tuple(anime._COLUMNS.values()))
    for form in (anime._SCORES, anime._USERS, whole):
        check_account(form, lines)
