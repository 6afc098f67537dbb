"""Last.FM 1K and 360K: plays per artist, profiles with gaps and jokes."""

import shutil
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings

from itdr.datasets.adapters.lastfm import _PLAYS_1K, _PLAYS_360K, _PROFILE_1K, _PROFILE_360K
from itdr.demo.raw_files import write_raw_files
from itdr.demo.world import simulate
from itdr.errors import DataError, MissingFileError
from tests.normalised import any_lines, check_account, normalised

PLAYS_1K = "userid-timestamp-artid-artname-traid-traname.tsv"
PROFILE_1K = "userid-profile.tsv"
PLAYS_360K = "usersha1-artmbid-artname-plays.tsv"
PROFILE_360K = "usersha1-profile.tsv"
HEADER = "#id\tgender\tage\tcountry\tregistered\n"
DEEP_DISH = "f1b1cf71-bd35-4e99-8624-24a6e15f133a"
USER = "00000c289a1829a808ac09c00daf10bc3c4e223b"


def _plays(*rows: tuple[str, ...]) -> str:
    return "".join("\t".join(row) + "\n" for row in rows)


def _one_k(tmp_path, *rows, profiles="user_000001\tm\t22\tJapan\tAug 13, 2006\n"):
    return normalised(
        tmp_path, "lastfm-1k", {PLAYS_1K: _plays(*rows), PROFILE_1K: HEADER + profiles}
    )


def _360_k(tmp_path, *rows, profiles=f"{USER}\tf\t22\tGermany\tFeb 1, 2007\n"):
    return normalised(tmp_path, "lastfm-360k", {PLAYS_360K: _plays(*rows), PROFILE_360K: profiles})


def test_plays_of_an_artist_are_counted_and_have_the_time_of_the_newest(tmp_path):
    """The file has the newest play first; the order of its rows does not matter."""
    out = _one_k(
        tmp_path,
        ("user_000001", "2009-05-04T23:08:57Z", DEEP_DISH, "Deep Dish", "", "Flashdance"),
        ("user_000001", "2009-05-03T15:48:25Z", "ba2f4f3b", "Underworld", "dc39", "Boy, Boy"),
        ("user_000001", "2009-05-01T00:00:00Z", DEEP_DISH, "Deep Dish", "", "Flashdance"),
        ("user_000001", "2009-05-01T00:00:00Z", DEEP_DISH, "Deep Dish", "", "Flashdance"),
    )
    rows = [(row["item_id"], row["plays"], row["timestamp"]) for row in out.interactions]
    assert rows == [
        ("ba2f4f3b", 1, datetime(2009, 5, 3, 15, 48, 25, tzinfo=UTC)),
        (DEEP_DISH, 3, datetime(2009, 5, 4, 23, 8, 57, tzinfo=UTC)),
    ]
    assert out.quality["rows_rejected"] == 0
    assert out.items[DEEP_DISH]["title"] == "Deep Dish"


def test_an_artist_without_id_goes_by_its_name(tmp_path):
    out = _one_k(tmp_path, ("user_000001", "2009-05-04T23:08:57Z", "", "坂本 & 龍一", "", 'Mc "1"'))
    assert out.interactions[0]["item_id"] == "坂本 & 龍一"
    assert out.items["坂本 & 龍一"]["title"] == "坂本 & 龍一"


def test_an_artist_without_id_takes_the_one_that_its_name_has_elsewhere(tmp_path):
    out = _one_k(
        tmp_path,
        ("user_000001", "2009-05-04T23:08:57Z", "", "Nirvana", "", "a"),
        ("user_000001", "2009-05-04T23:08:50Z", "us-band", "Nirvana", "", "a"),
        ("user_000001", "2009-05-04T23:08:40Z", "us-band", "Nirvana", "", "a"),
        ("user_000001", "2009-05-04T23:08:30Z", "uk-band", "Nirvana", "", "a"),
    )
    assert {row["item_id"]: row["plays"] for row in out.interactions} == {
        "us-band": 3,
        "uk-band": 1,
    }


def test_one_raw_quote_opens_nothing(tmp_path):
    out = _one_k(
        tmp_path,
        ("user_000001", "2009-05-04T23:08:57Z", "a", 'The 12" Mix', "", '"Heroes'),
        ("user_000001", "2009-05-04T23:08:50Z", "b", "Next", "", "b"),
    )
    assert [item["title"] for item in out.items.values()] == ['The 12" Mix', "Next"]


def test_empty_cells_of_profiles_are_null_and_jokes_of_ages_are_noted(tmp_path):
    profiles = (
        "user_000001\tm\t\tJapan\tAug 13, 2006\n"
        "user_000002\t\t103\tKorea, Democratic People's Republic of\t\n"
        "user_000003\tf\t5\t\t\nuser_000004\tf\t100\tPeru\t\nuser_000005\t\t-1337\t\t\n"
    )
    out = _one_k(
        tmp_path, ("user_000001", "2009-05-04T23:08:57Z", "a", "A", "", "b"), profiles=profiles
    )
    found = {k: (u["gender"], u["age"], u["country"]) for k, u in out.users.items()}
    assert found == {
        "user_000001": ("male", None, "Japan"),
        "user_000002": (None, None, "Korea, Democratic People's Republic of"),
        "user_000003": ("female", 5, None),
        "user_000004": ("female", 100, "Peru"),
        "user_000005": (None, None, None),
    }
    assert out.quality["rows_rejected"] == 0
    assert "users: 2 ages outside 5 to 100 are left out" in out.quality["notes"]


def test_broken_plays_are_rejected_with_their_reason(tmp_path):
    out = _one_k(
        tmp_path,
        ("user_000001", "2009-05-04T23:08:57Z", "a", "A", "", "b"),
        ("user_000001", "2009-02-30T23:08:57Z", "a", "A", "", "b"),
        ("user_000001", "1970-01-01T00:00:00Z", "a", "A", "", "b"),
        ("user_000001", "2009-05-04T23:08:57Z", "a", "", "", "b"),
        ("user_000001", "2009-05-04T23:08:57Z", "a", "A", "", "b", "c"),
    )
    assert out.reasons() == [
        (PLAYS_1K, 2, "timestamp is not a time such as 2009-05-04T23:08:57Z"),
        (PLAYS_1K, 3, "timestamp is outside the years 1990 to 2099"),
        (PLAYS_1K, 4, "artname is missing"),
        (PLAYS_1K, 5, "7 fields instead of 6"),
    ]


def test_totals_of_two_spellings_of_one_artist_are_added(tmp_path):
    """The item is called by the spelling that is played most."""
    out = _360_k(
        tmp_path,
        (USER, "3bd73256", "juliette & the licks", "706"),
        (USER, "3bd73256", "juliette and the licks", "4"),
        (USER, "", "die Ärzte", "1099"),
    )
    assert [(row["item_id"], row["plays"]) for row in out.interactions] == [
        ("3bd73256", 710),
        ("die Ärzte", 1099),
    ]
    assert out.items["3bd73256"]["title"] == "juliette & the licks"
    assert out.interactions[0]["timestamp"] is None


def test_a_user_that_is_no_hash_and_no_plays_are_rejected(tmp_path):
    out = _360_k(
        tmp_path,
        (USER, "a", "a", "1"),
        ("sep 20, 2008", "a", "a", "1"),
        (USER, "a", "a", "0"),
        (USER, "a", "a", "many"),
    )
    assert [reason for _, _, reason in out.reasons()] == [
        "usersha1 is not 40 hexadecimal digits",
        "plays is outside 1 to 1000000000",
        "plays is not a whole number",
    ]


def test_the_profile_header_is_needed(tmp_path):
    files = {PLAYS_1K: _plays(("user_000001", "2009-05-04T23:08:57Z", "a", "A", "", "b"))}
    with pytest.raises(DataError, match="needed are the columns #id, gender, age"):
        normalised(tmp_path, "lastfm-1k", {**files, PROFILE_1K: "user_000001\tm\t\tJapan\t\n"})


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"usersha1-profile.tsv.*itdr fetch lastfm-360k"):
        normalised(tmp_path, "lastfm-360k", {PLAYS_360K: _plays((USER, "a", "a", "1"))})


def test_real_sample_of_1k(real_samples, tmp_path):
    for name in (PLAYS_1K, PROFILE_1K):
        shutil.copy(real_samples / "lastfm-1k" / name, tmp_path)
    out = normalised(tmp_path, "lastfm-1k")
    assert out.quality["files"][PLAYS_1K]["rows_kept"] == 4_997
    assert sum(row["plays"] for row in out.interactions) == 4_997
    assert len(out.users) == 992
    users = out.users.values()
    assert sum(user["gender"] is None for user in users) == 108
    assert sum(user["country"] is None for user in users) == 85
    assert sum(user["age"] is None for user in users) == 706 + 3  # of 3, 4 and 103
    assert out.quality["rows_rejected"] == 0


def test_the_header_that_somebody_added_is_one_rejected_row(real_samples, tmp_path):
    found = real_samples / "lastfm-1k" / "as-found-variants"
    shutil.copy(next(found.iterdir()), tmp_path / PLAYS_1K)
    shutil.copy(real_samples / "lastfm-1k" / PROFILE_1K, tmp_path)
    out = normalised(tmp_path, "lastfm-1k")
    assert out.reasons() == [(PLAYS_1K, 1, "timestamp is not a time such as 2009-05-04T23:08:57Z")]
    assert out.interactions


def test_real_sample_of_360k(real_samples, tmp_path):
    sample = real_samples / "lastfm-360k"
    shutil.copy(sample / PROFILE_360K, tmp_path)
    shutil.copy(next(sample.glob("usersha1-artmbid*")), tmp_path / PLAYS_360K)
    out = normalised(tmp_path, "lastfm-360k")
    assert out.quality["rows_rejected"] == 0
    assert {out.items[row["item_id"]]["title"]: row["plays"] for row in out.interactions} == {
        "betty blowtorch": 2137,
        "die Ärzte": 1099,
        "melissa etheridge": 897,
        "elvenking": 717,
        "juliette & the licks": 706,
    }
    assert all(user["age"] is None or 5 <= user["age"] <= 100 for user in out.users.values())


@pytest.mark.parametrize("dataset", ["lastfm-1k", "lastfm-360k"])
def test_the_simulated_world_comes_back(dataset, tmp_path):
    world = simulate(seed=3, users=60, items=80, interactions_per_user=20)
    write_raw_files(world, dataset, tmp_path, seed=5)
    out = normalised(tmp_path, dataset)
    assert out.quality["rows_rejected"] == 0
    assert len(out.interactions) == len(world.interactions)
    assert len(out.items) == world.interactions["item"].nunique()
    names = {item["title"].lower() for item in out.items.values()}
    known = {title.lower() for title in world.items["title"]}
    assert len(names & known) > 0.9 * len(out.items)
    female = sum(user["gender"] == "female" for user in out.users.values())
    assert abs(female - (world.users["gender"] == "F").sum()) <= 6


@pytest.mark.parametrize("form", [_PLAYS_1K, _PLAYS_360K, _PROFILE_1K, _PROFILE_360K])
@given(lines=any_lines)
@settings(max_examples=30, deadline=None)
def test_any_lines_are_accounted_for(form, lines):
    check_account(form, lines)
