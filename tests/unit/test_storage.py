"""A file is the old one or the whole new one, whatever happens."""

import os
import signal
import subprocess
import sys
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from itdr.errors import DataError, MissingFileError
from itdr.files.atomic import atomic_file, atomic_folder
from itdr.files.checksums import fingerprint, sha256
from itdr.files.formats import read_json, read_parquet, write_json, write_text

SCHEMA = pa.schema([("a", pa.int64()), ("b", pa.string())])


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(RuntimeError), atomic_file(path) as part:
        part.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_failed_folder_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), atomic_folder(tmp_path / "out", "split") as part:
        (part / "x").write_text("half")
        raise RuntimeError
    assert names(tmp_path) == []


def test_a_folder_replaces_the_one_that_was_there(tmp_path):
    for text in ("old", "new"):
        with atomic_folder(tmp_path / "out", "split") as part:
            (part / text).write_text(text)
    assert names(tmp_path / "out") == [".contents.json", "new"]


@pytest.fixture
def made(tmp_path):
    """A folder that a command has made."""
    with atomic_folder(tmp_path / "out", "split") as part:
        (part / "train").write_text("old")
    return tmp_path / "out"


def _make_again(folder, command="split"):
    with atomic_folder(folder, command) as part:
        (part / "train").write_text("new")


def test_a_folder_of_something_else_is_never_replaced(tmp_path):
    home = tmp_path / "home"
    (home / "thesis").mkdir(parents=True)
    (home / "thesis" / "chapter.tex").write_text("years of work")
    with pytest.raises(DataError, match=r"home: holds 'thesis/chapter.tex', which 'itdr split'"):
        _make_again(home)
    assert (home / "thesis" / "chapter.tex").read_text() == "years of work"
    assert names(tmp_path) == ["home"]


def test_a_folder_that_somebody_added_to_is_not_replaced(made):
    (made / "sub").mkdir()
    (made / "sub" / "notes").symlink_to("/")
    with pytest.raises(DataError, match=r"holds 'sub/notes'"):
        _make_again(made)
    assert (made / "train").read_text() == "old"


def test_a_file_added_while_the_new_folder_is_made_saves_the_old_one(made):
    with pytest.raises(DataError, match="notes"), atomic_folder(made, "split") as part:
        (part / "train").write_text("new")
        (made / "notes").write_text("mine")
    assert names(made) == [".contents.json", "notes", "train"]
    assert names(made.parent) == ["out"]


def test_the_output_of_another_command_is_not_replaced(made):
    with pytest.raises(DataError, match=r"is the output of 'itdr split', .*'itdr train' did not"):
        _make_again(made, "train")


def test_what_snakemake_adds_or_deletes_does_not_hold_a_folder(made):
    (made / ".snakemake_timestamp").touch()
    (made / "train").unlink()
    _make_again(made)
    assert (made / "train").read_text() == "new"


@pytest.mark.parametrize("damage", ["", "[1]", '{"made_by": "split"}', "\xff"])
def test_a_folder_whose_list_of_contents_is_damaged_is_not_replaced(made, damage):
    (made / ".contents.json").write_text(damage)
    with pytest.raises(DataError, match="holds 'train'"):
        _make_again(made)


@pytest.mark.parametrize("kind", ["file", "link to a folder", "dead link", "pipe"])
def test_only_a_folder_gives_way_to_a_folder(tmp_path, made, kind):
    place = tmp_path / "place"
    if kind == "file":
        place.write_text("mine")
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.symlink_to(made if "folder" in kind else tmp_path / "nowhere")
    before = place.lstat()
    with pytest.raises(DataError, match="a folder is to be written there"):
        _make_again(place)
    assert place.lstat() == before
    assert names(tmp_path) == ["out", "place"]


@pytest.mark.parametrize("kind", ["folder", "link", "pipe"])
def test_only_a_file_gives_way_to_a_file(tmp_path, kind):
    place = tmp_path / "place"
    if kind == "folder":
        place.mkdir()
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.symlink_to("/dev/null")
    before = place.lstat()
    with pytest.raises(DataError, match="a file is to be written there"):
        write_text(place, "text")
    assert place.lstat() == before
    assert names(tmp_path) == ["place"]


def test_a_killed_write_leaves_no_file_of_the_final_name(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from itdr.files.formats import atomic_file\n"
        "with atomic_file(Path(sys.argv[1])) as part:\n"
        "    part.write_text('half'); print('writing', flush=True); time.sleep(60)"
    )
    path = tmp_path / "a.txt"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "writing\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not path.exists()


def test_files_can_be_read_by_others_as_the_umask_says(tmp_path):
    write_text(tmp_path / "a.txt", "x")
    mask = os.umask(0)
    os.umask(mask)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o666 & ~mask


def test_json_has_the_same_bytes_for_the_same_value(tmp_path):
    write_json(tmp_path / "a.json", {"é": [1, 2.5, None]})
    first = (tmp_path / "a.json").read_bytes()
    time.sleep(0.01)
    write_json(tmp_path / "a.json", {"é": [1, 2.5, None]})
    assert (tmp_path / "a.json").read_bytes() == first
    assert read_json(tmp_path / "a.json") == {"é": [1, 2.5, None]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no Parquet file"),
        (b"PAR1 and then nothing", "not a whole Parquet file"),
        ({"a": [1]}, "no column 'b'; found a; needed a, b"),
        ({"a": ["x"], "b": ["y"]}, "Failed to parse string"),
    ],
)
def test_a_file_that_is_not_as_it_should_be_is_named(tmp_path, content, message):
    path = tmp_path / "t.parquet"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        pq.write_table(pa.table(content), path)
    with pytest.raises(DataError, match=message) as error:
        read_parquet(path, SCHEMA)
    assert str(path) in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"t\.parquet: no such file"):
        read_parquet(tmp_path / "t.parquet", SCHEMA)


def test_checksums_are_those_of_the_content(tmp_path):
    write_text(tmp_path / "a", "abc")
    assert sha256(tmp_path / "a").startswith("ba7816bf8f01cfea")  # pragma: allowlist secret
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})
