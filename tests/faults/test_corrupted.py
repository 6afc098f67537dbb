"""A damaged file of ours is found by the next stage and named; nothing is made of it."""

import shutil
import signal

import pyarrow as pa
import pytest

from itdr.cli.main import main
from itdr.errors import DataError
from itdr.files.checksums import check_sidecar
from itdr.files.formats import (
    read_json,
    read_parquet,
    write_checked_json,
    write_checksum,
    write_parquet,
    write_text,
)
from itdr.instructions.record import PREDICTION
from tests.faults.apart import Apart
from tests.faults.stages import STAGES, comparable, contents, restored

RAW, TABLES = "raw/movielens-32m", "tables/movielens-32m"
ADAPTER = "adapters/tiny/itdr/1"
READ_BY = [
    (f"{RAW}/manifest.json", "normalise"),
    (f"{RAW}/ratings.csv", "normalise"),
    (f"{TABLES}/interactions.parquet", "build"),
    (f"{TABLES}/items.parquet", "build"),
    (f"{TABLES}/users.parquet", "build"),
    (f"{TABLES}/items.parquet", "annotate"),
    ("drafts.parquet", "annotate"),
    ("examples.parquet", "split"),
    (f"{TABLES}/interactions.parquet", "audit"),
    ("parts/test.parquet", "audit"),
    ("parts/train.parquet", "mix"),
    ("audit/audit.json", "mix"),
    ("mixture.parquet", "train"),
    ("parts/test.parquet", "infer"),
    (f"{ADAPTER}/adapter_model.safetensors", "infer"),
    (f"{ADAPTER}/adapter_config.json", "infer"),
    (f"{ADAPTER}/run.json", "infer"),
    ("predictions/tiny/itdr/1.parquet", "score"),
    ("scores/tiny/itdr/1.csv", "report"),
    ("audit/audit.json", "report"),
    (f"{RAW}/manifest.json", "report"),
    (f"{ADAPTER}/run.json", "report"),
    (f"{ADAPTER}/losses.csv", "report"),
]


def damaged(data):
    """Return what may become of a file: nothing, a part, or one bit of it turned over."""
    yield "empty", b""
    yield "truncated", data[: len(data) // 2]
    yield "without its last bytes", data[:-2]
    for part in range(6):
        place = (2 * part + 1) * len(data) // 12
        bit = 1 << part
        yield f"bit at {place}", data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :]


@pytest.mark.parametrize(("file", "stage"), READ_BY, ids=lambda value: value.replace("/", "-"))
def test_a_damaged_file_is_named_by_the_stage_that_reads_it(run, tmp_path, capsys, file, stage):
    with restored((run / file).resolve()) as path:
        for how, data in damaged(path.read_bytes()):
            path.write_bytes(data)
            capsys.readouterr()
            status, message = STAGES[stage].start(run, tmp_path), capsys.readouterr().err
            assert (status, path.name in message) == (1, True), (how, message)
            assert not any(file.is_file() for file in tmp_path.rglob("*")), how


@pytest.fixture(scope="module")
def stopped(run, tmp_path_factory):
    """Return the checkpoints of a training that was killed, and the adapter of one that was not."""
    folder = tmp_path_factory.mktemp("stopped")
    words = [*STAGES["train"].words(run, folder), "--epochs", "4"]
    training = Apart(words, folder / "said")
    checkpoints = folder / f"{ADAPTER}.checkpoints"
    training.wait_until(lambda: len(list(checkpoints.glob("checkpoint-*/sha256.json"))) == 2)
    training.send(signal.SIGKILL)
    training.end()
    shutil.copytree(checkpoints, folder / "kept")
    assert main(words) == 0
    return folder / "kept", contents(folder / ADAPTER)


@pytest.mark.parametrize("file", ["adapter_model.safetensors", "optimizer.pt", "sha256.json"])
def test_a_damaged_checkpoint_is_named_and_training_goes_on_from_the_one_before(
    run, stopped, tmp_path, caplog, file
):
    kept, undisturbed = stopped
    shutil.copytree(kept, tmp_path / f"{ADAPTER}.checkpoints")
    older, newest = sorted((tmp_path / f"{ADAPTER}.checkpoints").glob("checkpoint-*"), key=steps)
    data = (newest / file).read_bytes()
    (newest / file).write_bytes(data[: len(data) // 2])
    caplog.set_level("INFO", "itdr")
    assert main([*STAGES["train"].words(run, tmp_path), "--epochs", "4"]) == 0
    assert f"{newest} is not used" in caplog.text and file in caplog.text
    assert f"going on after step {steps(older)}" in caplog.text
    assert comparable(contents(tmp_path / ADAPTER)) == comparable(undisturbed)


def steps(checkpoint):
    return int(checkpoint.name.rpartition("-")[2])


def flipped(data):
    for place in range(0, len(data), 3):
        yield data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :]


def test_no_turned_bit_and_no_cut_makes_another_table(tmp_path):
    kind = pa.struct([("item_id", pa.string()), ("rating", pa.float64())])
    schema = pa.schema([("id", pa.string()), ("n", pa.int64()), ("history", pa.list_(kind))])
    rows = [{"id": "é" * n, "n": n, "history": [{"item_id": "1", "rating": n}]} for n in range(5)]
    path = tmp_path / "t.parquet"
    table = pa.Table.from_pylist(rows, schema=schema)
    write_parquet(path, table)
    data = path.read_bytes()
    assert read_parquet(path, schema) == table
    unnoticed = 0
    for bad in flipped(data):
        path.write_bytes(bad)
        try:
            assert read_parquet(path, schema) == table
            unnoticed += 1
        except DataError as error:
            assert str(path) in str(error)
    assert unnoticed < 20  # such as one in the word that announces the checksum
    for size in range(0, len(data), 16):
        path.write_bytes(data[:size])
        with pytest.raises(DataError, match=r"not a whole Parquet file|is no Parquet file"):
            read_parquet(path, schema)


def test_no_turned_bit_and_no_cut_makes_another_json_value(tmp_path):
    path = tmp_path / "v.json"
    value = {"clean": True, "counts": {"a": 1.5, "b": [1, None, "é"]}, 1: "one"}
    write_checked_json(path, value)
    kept = {"clean": True, "counts": {"a": 1.5, "b": [1, None, "é"]}, "1": "one"}
    data = path.read_bytes()
    assert read_json(path) == kept
    for bad in [*flipped(data), *(data[:size] for size in range(len(data) - 2))]:
        path.write_bytes(bad)
        try:
            found = read_json(path)
            assert {name: found[name] for name in kept} == kept
        except DataError as error:
            assert str(path) in str(error)


def test_a_text_file_is_held_against_the_checksum_beside_it(tmp_path):
    path = tmp_path / "1.csv"
    write_text(path, "a,b\n1,2\n")
    check_sidecar(path)
    write_checksum(path)
    check_sidecar(path)
    path.write_text("a,b\n1,3\n")
    with pytest.raises(DataError, match=r"1\.csv: damaged: .* delete 1\.csv\.sha256"):
        check_sidecar(path)


def test_a_file_without_a_checksum_is_taken_as_it_is(run, tmp_path):
    shutil.copytree(run / ADAPTER, tmp_path / ADAPTER)
    (tmp_path / ADAPTER / "run.json").unlink()
    shutil.copytree(run / "parts", tmp_path / "parts")
    assert STAGES["infer"].start(tmp_path) == 0
    made = "predictions/tiny/itdr/1.parquet"
    found, whole = (read_parquet(folder / made, PREDICTION) for folder in (tmp_path, run))
    assert found["seed"].null_count == len(found)  # which run.json alone tells
    assert found.drop_columns("seed") == whole.drop_columns("seed")
