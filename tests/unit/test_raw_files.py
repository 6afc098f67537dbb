"""The simulated raw files look like the real ones and normalise to the world that they tell of."""

import re

import pytest

from itdr.datasets.normalise import normalise
from itdr.demo.raw_files import write_raw_files
from itdr.demo.world import simulate
from itdr.errors import SettingsError
from itdr.settings.dataset import load_dataset
from tests.normalised import normalised


@pytest.fixture(scope="module")
def world():
    return simulate(3, users=120, items=1_500, interactions_per_user=20)


@pytest.fixture(scope="module")
def folders(world, tmp_path_factory):
    root = tmp_path_factory.mktemp("raw")
    for dataset in ("movielens-32m", "movielens-1m", "movielens-100k"):
        write_raw_files(world, dataset, root / dataset, 3)
    return root


def test_the_same_seed_gives_the_same_bytes(world, folders, tmp_path):
    for dataset in ("movielens-32m", "movielens-1m", "movielens-100k"):
        write_raw_files(world, dataset, tmp_path, 3)
        for file in (folders / dataset).glob("*.*"):
            assert (tmp_path / file.name).read_bytes() == file.read_bytes()


def test_most_titles_are_plain_and_none_stands_twice(world, folders, tmp_path):
    items = normalised(folders / "movielens-32m", "movielens-32m").items
    titles = [item["title"] for item in items.values()]
    assert len(set(titles)) == len(titles)
    plain = [title for title in titles if re.fullmatch(r"[A-Z][A-Za-z0-9 ]+ \(\d{4}\)", title)]
    assert 0.94 < len(plain) / len(titles) < 0.99


def test_quirks_of_32m_are_there(folders):
    movies = (folders / "movielens-32m" / "movies.csv").read_text()
    assert movies.startswith("movieId,title,genres\n1,")
    for quirk in (", The (", '"""', "(no genres listed)", "áéíöü", " Uncut,", ' "', "(a.k.a. "):
        found = any(letter in movies for letter in quirk) if quirk == "áéíöü" else quirk in movies
        assert found, quirk
    ratings = (folders / "movielens-32m" / "ratings.csv").read_text().splitlines()
    assert ratings[0] == "userId,movieId,rating,timestamp"
    assert all(re.fullmatch(r"\d+,\d+,[0-5]\.[05],\d+", line) for line in ratings[1:])
    links = (folders / "movielens-32m" / "links.csv").read_text().splitlines()
    assert all(re.fullmatch(r"\d+,\d{7},\d*", line) for line in links[1:])
    tags = (folders / "movielens-32m" / "tags.csv").read_text()
    assert tags.startswith("userId,movieId,tag,timestamp\n")


def test_1m_is_latin_1_without_header_or_quotes(folders):
    folder = folders / "movielens-1m"
    movies = (folder / "movies.dat").read_bytes()
    with pytest.raises(UnicodeDecodeError):
        movies.decode("utf-8")
    assert all(line.count("::") == 2 for line in movies.decode("latin-1").splitlines())
    users = (folder / "users.dat").read_text().splitlines()
    assert all(re.fullmatch(r"\d+::[FM]::\d+::\d+::\d{5}(-\d{4})?", line) for line in users)
    assert "Children's" in movies.decode("latin-1")


def test_ids_have_gaps_and_some_films_are_rated_by_nobody(world, folders):
    out = normalised(folders / "movielens-32m", "movielens-32m")
    ids = sorted(map(int, out.items))
    assert ids[0] == 1
    assert ids[-1] > len(ids) > len(world.items)
    assert set(out.items) - {row["item_id"] for row in out.interactions}


@pytest.mark.parametrize("dataset", ["movielens-32m", "movielens-1m", "movielens-100k"])
def test_the_world_comes_back(world, folders, dataset):
    out = normalised(folders / dataset, dataset)
    assert not out.rejected
    assert len(out.interactions) == len(world.interactions)
    assert {int(user) for user in out.users} == set(world.users["user"] + 1)
    first = world.interactions[world.interactions["user"] == 4].sort_values("time").iloc[0]
    row = next(row for row in out.interactions if row["user_id"] == "5")
    assert row["timestamp"].timestamp() == first["time"]
    if dataset == "movielens-32m":
        assert row["rating"] == first["stars"]
    else:
        assert row["rating"] == max(1, int(first["stars"] + 0.5))
        genders = {"F": "female", "M": "male"}
        assert [user["gender"] for user in out.users.values()] == [
            genders[gender] for gender in world.users["gender"]
        ]


def test_a_dataset_that_is_not_known_is_refused(world, tmp_path):
    with pytest.raises(SettingsError, match="Did you mean 'movielens-1m'"):
        write_raw_files(world, "movielens-1mm", tmp_path, 0)


def test_simulated_files_take_the_command(folders, tmp_path):
    normalise(load_dataset("movielens-1m"), folders / "movielens-1m", tmp_path / "out", threads=1)
    assert (tmp_path / "out" / "quality.json").is_file()
