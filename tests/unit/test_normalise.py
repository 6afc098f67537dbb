"""Reading, ordering and writing tables: exact accounts, one order, files that appear together."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from itdr.datasets.normalise import FILES, QUALITY, normalise
from itdr.datasets.readers import delimited
from itdr.datasets.readers.delimited import Delimited
from itdr.datasets.readers.fields import (
    Field,
    NeedsTextError,
    Number,
    NumericIdentifier,
    WholeNumber,
)
from itdr.datasets.readers.lines import Block
from itdr.datasets.tables import partition as dividing
from itdr.datasets.tables import writing
from itdr.datasets.tables.ids import ids_of
from itdr.datasets.tables.ordering import order_of
from itdr.datasets.tables.schema import (
    INTERACTIONS,
    Scale,
    check_table,
    with_metadata,
    with_statistics,
)
from itdr.demo.raw_files import write_raw_files
from itdr.demo.world import simulate
from itdr.errors import DataError, MissingFileError, SettingsError
from itdr.settings.dataset import load_dataset
from tests.normalised import unhurried

NUMBERS = Delimited(
    (
        NumericIdentifier("user"),
        WholeNumber("count", required=True, low=-5, high=2000),
        Number("stars", required=True, low=0.5, high=5, step=0.5),
    )
)
TEXTS = Delimited((NumericIdentifier("user"), Field("title", required=True), Number("price")))


def write_movielens(folder: Path, ratings: list[str], name: str = "ratings.csv") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = "\n".join(["userId,movieId,rating,timestamp", *ratings, ""])
    (folder / name).write_text(text)
    (folder / "movies.csv").write_text("movieId,title,genres\n1,Heat (1995),Crime\n")


def simulated_ratings(rows: int, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    pairs = rng.permutation(rows * 3)[:rows]
    times = rng.integers(900_000_000, 900_000_500, rows)
    stars = rng.integers(1, 11, rows) / 2
    return [
        f"{pair // 50 + 1},{pair % 50 + 1},{star},{time}"
        for pair, star, time in zip(pairs, stars, times, strict=True)
    ]


def rows_of(parsed) -> list[tuple]:
    return [tuple(row.values()) for batch in parsed.batches for row in batch.to_pylist()]


def one_by_one(form: Delimited, block: Block):
    return form._parse_each(block)


good_number = st.tuples(
    st.integers(0, 10**17), st.integers(0, 2000), st.sampled_from(["0.5", "1", "4.0", "5."])
).map(lambda row: ",".join(map(str, row)))
cell = st.text(
    st.characters(exclude_characters="\n\r\0", exclude_categories=["Cs"]), min_size=1, max_size=8
)
good_text = st.tuples(st.integers(0, 99), cell, st.sampled_from(["", "1", "2.75", "-3"])).map(
    lambda row: f'{row[0]},"{row[1].replace(chr(34), chr(34) * 2)}",{row[2]}'
)
bad_line = st.sampled_from(["", "x", "1,2", "1,2,9", '1,"2,3', "a,b,c", '"1",2,3', " 1 , 2 ,3 "])


@pytest.mark.parametrize(
    ("form", "good"), [(NUMBERS, good_number), (TEXTS, good_text)], ids=["numbers", "texts"]
)
@unhurried
@given(data=st.data())
def test_both_ways_of_reading_agree_line_by_line(form, good, data, monkeypatch_few):
    lines = data.draw(st.lists(st.one_of(good, good, good, bad_line), min_size=1, max_size=30))
    block = Block("".join(line + "\n" for line in lines).encode(), 2)
    try:
        whole, single = form.parse(block), one_by_one(form, block)
    except NeedsTextError:
        form = form.with_text_ids()
        whole, single = form.parse(block), one_by_one(form, block)
    assert rows_of(whole) == rows_of(single)
    assert whole.rejected == single.rejected
    assert len(rows_of(whole)) + len(whole.rejected) == len(lines)


@pytest.fixture(scope="module")
def monkeypatch_few():
    """Make blocks be cut down to single lines, so that small tests see the cutting, too."""
    before, delimited._FEW_LINES = delimited._FEW_LINES, 1
    yield
    delimited._FEW_LINES = before


@pytest.mark.parametrize("line", ["7,2,3.0", "1,2000,0.5"])
def test_good_lines_take_the_quick_way(line):
    assert NUMBERS._parse_all(Block(f"{line}\n{line}\n".encode(), 1)) is not None


@pytest.mark.parametrize(
    "line", ["07,2,3", "1,2, 3", '1,"2",3', "1,+2,3", "1,2,3e0", "1,2,٣", "1,2"]
)
def test_whatever_two_readers_could_take_differently_does_not(line):
    assert NUMBERS._parse_all(Block(f"1,2,3\n{line}\n".encode(), 1)) is None


def test_a_block_is_cut_without_losing_a_line():
    block = Block(b"".join(b"%d\n" % i for i in range(101)), 5)
    parts = block.split(8)
    assert b"".join(part.data for part in parts) == block.data
    assert [part.first for part in parts] == list(
        np.cumsum([5] + [part.count for part in parts[:-1]])
    )


def test_broken_rows_deep_in_a_large_file_are_found_by_line(tmp_path):
    ratings = simulated_ratings(60_000)
    broken = {7: "1,1,4.0", 31_000: "", 59_999: "1,1,99,946684800"}
    for place, line in broken.items():
        ratings[place] = line
    write_movielens(tmp_path / "raw", ratings)
    normalise(load_dataset("movielens-32m"), tmp_path / "raw", tmp_path / "out")
    rejected = pq.read_table(tmp_path / "out" / "rejected.parquet").to_pylist()
    assert [(row["line"], row["raw"]) for row in rejected] == [
        (place + 2, line) for place, line in broken.items()
    ]
    assert pq.read_metadata(tmp_path / "out" / "interactions.parquet").num_rows == 59_997


def test_rows_are_ordered_by_user_time_and_item(tmp_path):
    ratings = ["10,1,4,946684900", "9,2,4,946684900", "9,11,4,946684800", "9,3,4,946684900"]
    write_movielens(tmp_path / "raw", ratings)
    normalise(load_dataset("movielens-32m"), tmp_path / "raw", tmp_path / "out")
    rows = pq.read_table(tmp_path / "out" / "interactions.parquet").to_pylist()
    assert [(row["user_id"], row["item_id"]) for row in rows] == [
        ("9", "11"),
        ("9", "2"),
        ("9", "3"),
        ("10", "1"),
    ]


def tables_of(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in (*FILES, QUALITY)}


def test_neither_threads_nor_file_order_nor_ranges_change_a_byte(tmp_path, monkeypatch):
    ratings = simulated_ratings(20_000)
    by_user = sorted(ratings, key=lambda line: int(line.split(",")[0]))
    write_movielens(tmp_path / "random", ratings)
    write_movielens(tmp_path / "grouped", by_user)
    normalise(load_dataset("movielens-32m"), tmp_path / "random", tmp_path / "one", threads=1)
    whole = tables_of(tmp_path / "one")
    monkeypatch.setattr(writing, "_ROWS_PER_RANGE", 1_500)
    normalise(load_dataset("movielens-32m"), tmp_path / "random", tmp_path / "two", threads=2)
    normalise(load_dataset("movielens-32m"), tmp_path / "grouped", tmp_path / "three", threads=2)
    assert tables_of(tmp_path / "two") == whole
    assert tables_of(tmp_path / "three") == whole


def test_little_memory_changes_nothing_but_too_little_is_refused(tmp_path):
    write_movielens(tmp_path / "raw", simulated_ratings(5_000))
    normalise(load_dataset("movielens-32m"), tmp_path / "raw", tmp_path / "much")
    normalise(
        load_dataset("movielens-32m"), tmp_path / "raw", tmp_path / "little", memory_limit_mb=256
    )
    assert tables_of(tmp_path / "much") == tables_of(tmp_path / "little")
    with pytest.raises(SettingsError, match="memory limit of 100 MiB: too low; at least 256"):
        normalise(
            load_dataset("movielens-32m"), tmp_path / "raw", tmp_path / "out", memory_limit_mb=100
        )


def test_repeated_pairs_are_rejected_in_every_range_but_for_the_first(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "_ROWS_PER_RANGE", 500)
    ratings = simulated_ratings(3_000)
    write_movielens(tmp_path / "raw", ratings + ratings[10:2_000:100])
    normalise(load_dataset("movielens-32m"), tmp_path / "raw", tmp_path / "out")
    rejected = pq.read_table(tmp_path / "out" / "rejected.parquet")
    assert rejected.column("line").to_pylist() == list(range(3_002, 3_022))
    assert rejected.column("raw").to_pylist() == ratings[10:2_000:100]
    quality = json.loads((tmp_path / "out" / QUALITY).read_text())
    assert quality["by_reason"] == {"repeats an earlier user_id and item_id": 20}
    assert quality["tables"]["interactions"] == 3_000


def by_length(text):
    return len(text.encode()), text.encode()


@unhurried
@given(
    st.lists(
        st.tuples(
            st.text("aäb0", max_size=3),
            st.none() | st.integers(-5, 9),
            st.integers(-(2**63), 2**63 - 1),
        ),
        max_size=40,
    ),
    st.integers(1, 10**6),
)
def test_rows_are_ordered_by_text_times_and_numbers_and_repeated_ones_found(rows, unit):
    rows = [(user, time and time * unit, item) for user, time, item in rows]
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], []]
    types = (pa.string(), pa.timestamp("us"), pa.int64())
    table = pa.table(
        {name: pa.array(column, kind)
         for name, column, kind in zip("uti", columns, types, strict=True)}
        | {"file": pa.array([0] * len(rows), pa.uint16()),
           "line": pa.array(range(len(rows), 0, -1), pa.int64())}
    )  # fmt: skip
    found, repeated = order_of(table, ["u", "t", "i"], ["u", "i"])

    def key(place):
        user, time, item = rows[place]
        return by_length(user), time is None, time or 0, item, -place

    last_first = sorted(range(len(rows)), reverse=True)  # line 1 is the last row
    first = {}
    for place in last_first:
        first.setdefault((rows[place][0], rows[place][2]), place)
    assert sorted(repeated) == sorted(set(range(len(rows))) - set(first.values()))
    assert list(found) == sorted(first.values(), key=key)


@unhurried
@given(st.lists(st.integers(0, 4), max_size=60))
def test_rows_are_divided_by_their_part(parts):
    import tempfile

    table = pa.table({"row": range(len(parts)), dividing.PART: pa.array(parts, pa.uint16())})
    with tempfile.TemporaryDirectory() as folder:
        batches = table.to_batches(max_chunksize=7)
        files = dividing.divide(batches, table.schema, 5, Path(folder) / "parts", threads=2)
        found = [dividing.taken(file).to_pydict() for file in files]
    assert found == [
        {"row": [row for row, part in enumerate(parts) if part == number]} for number in range(5)
    ]


def test_engines_find_the_nulls_of_a_column_with_one_text(tmp_path):
    schema = pa.schema([("text", pa.string()), pa.field("id", pa.string(), nullable=False)])
    path = tmp_path / "table.parquet"
    table = pa.table({"text": ["a", None], "id": ["1", "2"]}, schema=schema)
    pq.write_table(table, path, write_statistics=with_statistics(schema))
    found = duckdb.sql(f"SELECT id FROM '{path}' WHERE text IS NULL").fetchall()
    assert found == [("2",)]


def test_text_ids_are_written_in_ranges_without_changing_a_byte(tmp_path, monkeypatch):
    folder = tmp_path / "raw"
    write_raw_files(simulate(3, 60, 40, 12), "steam", folder, 1)
    normalise(load_dataset("steam"), folder, tmp_path / "one", threads=1)
    whole = tables_of(tmp_path / "one")
    monkeypatch.setattr(writing, "_ROWS_PER_RANGE", 50)
    normalise(load_dataset("steam"), folder, tmp_path / "two", threads=2)
    assert tables_of(tmp_path / "two") == whole


def test_files_are_found_at_any_depth_and_compressed(tmp_path):
    write_movielens(tmp_path / "raw" / "ml-32m" / "inner", ["1,1,4,946684800"])
    plain = tmp_path / "raw" / "ml-32m" / "inner" / "ratings.csv"
    (tmp_path / "raw" / "ratings.csv.gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    normalise(load_dataset("movielens-32m"), tmp_path / "raw", tmp_path / "out")
    quality = json.loads((tmp_path / "out" / QUALITY).read_text())
    assert list(quality["files"]) == ["ratings.csv.gz", "ml-32m/inner/movies.csv"]


def test_two_files_of_the_same_name_are_both_named(tmp_path):
    write_movielens(tmp_path / "raw" / "a", ["1,1,4,946684800"])
    write_movielens(tmp_path / "raw" / "b", ["1,1,4,946684800"])
    with pytest.raises(DataError, match=r"a/ratings\.csv.*b/ratings\.csv"):
        normalise(load_dataset("movielens-32m"), tmp_path / "raw", tmp_path / "out")


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"nowhere: no such folder.*itdr fetch"):
        normalise(load_dataset("movielens-32m"), tmp_path / "nowhere", tmp_path / "out")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "Git LFS pointer"),
        (b"<!DOCTYPE html><html>", "web page"),
    ],
)
def test_what_is_no_data_is_refused_by_name(tmp_path, content, message):
    write_movielens(tmp_path / "raw", [])
    (tmp_path / "raw" / "ratings.csv").write_bytes(content)
    with pytest.raises(DataError, match=rf"ratings\.csv.*{message}"):
        normalise(load_dataset("movielens-32m"), tmp_path / "raw", tmp_path / "out")


def test_a_gzip_file_that_is_cut_off_is_refused(tmp_path):
    write_movielens(tmp_path / "raw", simulated_ratings(5_000))
    plain = tmp_path / "raw" / "ratings.csv"
    plain.with_name("ratings.csv.gz").write_bytes(gzip.compress(plain.read_bytes())[:-900])
    plain.unlink()
    with pytest.raises(DataError, match=r"ratings\.csv\.gz.*cut off"):
        normalise(load_dataset("movielens-32m"), tmp_path / "raw", tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_a_source_without_one_good_row_is_refused_with_the_reasons(tmp_path):
    write_movielens(tmp_path / "raw", ["1,1,9,946684800"])
    with pytest.raises(DataError, match=r"rating is outside 0\.5 to 5': 1"):
        normalise(load_dataset("movielens-32m"), tmp_path / "raw", tmp_path / "out")


def test_other_files_in_the_output_folder_stay(tmp_path):
    write_movielens(tmp_path / "raw", ["1,1,4,946684800"])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    for _ in range(2):
        normalise(load_dataset("movielens-32m"), tmp_path / "raw", tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(
        [*FILES, QUALITY, "notes.txt"]
    )


def test_a_killed_run_leaves_nothing_that_looks_finished_and_the_next_one_clears_up(tmp_path):
    write_movielens(tmp_path / "raw", simulated_ratings(100_000))
    out = tmp_path / "out"
    # The run is held up where all tables are written and nothing has been moved yet.
    program = (
        "import sys, time; from pathlib import Path; from itdr.datasets import normalise as n\n"
        "n.publish = lambda *_: (print('written', flush=True), time.sleep(60))\n"
        "from itdr.settings.dataset import load_dataset\n"
        "n.normalise(load_dataset('movielens-32m'), Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "raw"), str(out)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert run.stdout.readline().strip() == b"written"
    left = sorted(path.name for path in out.iterdir())
    assert all(name.startswith(".") for name in left)
    run.send_signal(signal.SIGKILL)
    run.wait()
    run.stdout.close()
    assert sorted(path.name for path in out.iterdir()) == left
    time.sleep(0.05)
    normalise(load_dataset("movielens-32m"), tmp_path / "raw", out)
    assert sorted(path.name for path in out.iterdir()) == sorted([*FILES, QUALITY])


def test_the_rating_scale_stands_in_the_table(tmp_path):
    write_movielens(tmp_path / "raw", ["1,1,4,946684800"])
    normalise(load_dataset("movielens-32m"), tmp_path / "raw", tmp_path / "out")
    metadata = pq.read_schema(tmp_path / "out" / "interactions.parquet").metadata
    assert metadata[b"dataset"] == b"movielens-32m"
    assert json.loads(metadata[b"rating_scale"]) == {"low": 0.5, "high": 5.0, "step": 0.5}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"rating": 7.0}, "ratings run from 7.0"),
        ({"timestamp": 0}, "times run from 1970"),
    ],
)
def test_a_table_that_breaks_its_definition_is_refused(tmp_path, row, message):
    table = pa.Table.from_pylist(
        [{"user_id": "1", "item_id": "2", **row}],
        with_metadata(INTERACTIONS, "movielens-32m", None),
    )
    pq.write_table(table, tmp_path / "t.parquet")
    with pytest.raises(DataError, match=message):
        check_table(tmp_path / "t.parquet", INTERACTIONS, Scale(0.5, 5, 0.5))


def test_a_table_whose_ids_may_be_empty_is_refused(tmp_path):
    fields = [field.with_nullable(True) for field in INTERACTIONS]
    table = pa.Table.from_pylist([{"user_id": None, "item_id": "2"}], pa.schema(fields))
    pq.write_table(table, tmp_path / "t.parquet")
    with pytest.raises(DataError, match="the column 'user_id' may have empty cells"):
        check_table(tmp_path / "t.parquet", INTERACTIONS, None)


ids = st.integers(-(2**63), 2**63 - 1) | st.integers(0, 30)


@unhurried
@given(st.lists(ids, max_size=40), st.integers(0, 40))
def test_ids_get_the_same_dictionary_whether_held_as_numbers_or_as_texts(numbers, cut):
    texts = list(map(str, numbers))
    parts = [part for part in (texts[:cut], texts[cut:]) if part]
    as_texts = pa.chunked_array(
        [pa.array(part).dictionary_encode() for part in parts],
        pa.dictionary(pa.int32(), pa.string()),
    )
    for found in (ids_of(pa.chunked_array([numbers], pa.int64())), ids_of(as_texts)):
        assert found.to_pylist() == texts
        assert found.dictionary.to_pylist() == list(dict.fromkeys(texts))
