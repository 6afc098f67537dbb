"""`itdr report` and `itdr score` on files that are not what they should be: one clear message."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from itdr.cli.main import main
from itdr.evaluation.score import SCORE_COLUMNS
from itdr.files.formats import write_parquet
from itdr.instructions.record import PREDICTION, RECORD
from tests.conftest import ROOT

GOOD = {
    "task": "RP", "dataset": "movielens-32m", "reading": "strict", "metric": "rmse", "value": 1.0,
    "ci_low": 0.9, "ci_high": 1.1, "n": 30, "n_unreadable": 1, "rate_unreadable": 1 / 30,
}  # fmt: skip
ANSWER = {
    "id": "RP/movielens-32m/1", "task": "RP", "dataset": "movielens-32m", "answer": "4",
    "finish_reason": "stop", "reference": "4",
}  # fmt: skip


@pytest.fixture(autouse=True)
def here(monkeypatch):
    monkeypatch.chdir(ROOT)


def reported(folder: Path, content: bytes, capsys) -> tuple[int, str]:
    """Return the status of `itdr report` on scores with this content, and what it says."""
    file = folder / "m" / "v" / "1.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    status = main(["report", "--scores", str(file), "--make", "main", "--out", str(folder / "out"),
                   "--paper", "config/papers/itdr"])  # fmt: skip
    return status, capsys.readouterr().err.strip().removeprefix(f"itdr report: {file}: ")


def as_csv(**changes: object) -> bytes:
    rows = pd.DataFrame([GOOD, GOOD | {"reading": "lenient"} | changes], columns=SCORE_COLUMNS)
    return rows.to_csv(index=False).encode()


def test_a_file_of_scores_is_reported(tmp_path, capsys):
    assert reported(tmp_path, as_csv(), capsys)[0] == 0


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("value", "x", "the column 'value' is 'x'; a number is needed"),
        ("ci_low", "1e999", "the column 'ci_low' is 'inf'; a number is needed"),
        ("n", "", "the column 'n' is 'nan'; a count is needed"),
        ("n", "-1", "the column 'n' is '-1'; a count is needed"),
        ("n_unreadable", "2.5", "the column 'n_unreadable' is '2.5'; a count is needed"),
        ("metric", "", "the column 'metric' is empty"),
        ("metric", "ndcg@x", "unknown metric 'ndcg@x'"),
        ("task", "", "the column 'task' is empty"),
        ("reading", "x", "the reading is 'x'; strict or lenient is needed"),
    ],
)
def test_a_wrong_field_is_named_with_its_line(tmp_path, capsys, column, value, told):
    status, said = reported(tmp_path, as_csv(**{column: value}), capsys)
    assert status == 1 and said.startswith(f"line 3: {told}") and len(said.splitlines()) == 1
    assert said.endswith("Is it a file of 'itdr score'? Name one, or run that again.")


@pytest.mark.parametrize("content", [b"", b"\0" * 50, bytes(range(256)), b"a,b\n1,2\n1,2,3\n",
                                     b"PAR1", as_csv().decode().encode("utf-16")])  # fmt: skip
def test_what_is_no_file_of_scores_ends_in_one_message(tmp_path, capsys, content):
    status, said = reported(tmp_path, content, capsys)
    assert status == 1 and "Is it a file of 'itdr score'?" in said and "Traceback" not in said


def test_nobodys_own_file_is_to_be_deleted(tmp_path, capsys):
    """Neither one cut short, nor one of ours that somebody has changed with pyarrow."""
    ours, theirs = tmp_path / "ours.parquet", tmp_path / "theirs.parquet"
    write_parquet(ours, pa.Table.from_pylist([ANSWER], schema=PREDICTION))
    kept = pq.read_metadata(ours).metadata
    table = pa.Table.from_pylist([ANSWER | {"answer": "2"}], schema=PREDICTION)
    pq.write_table(table.replace_schema_metadata(kept), theirs)
    words = ["score", "--resamples", "9", "--out", str(tmp_path / "s.csv"), "--predictions"]
    assert main([*words, str(theirs)]) == 1
    said = capsys.readouterr().err
    assert "another program has rewritten it" in said and "replace_schema_metadata" in said
    pq.write_table(table, theirs)
    assert main([*words, str(theirs)]) == 0
    capsys.readouterr()
    theirs.write_bytes(theirs.read_bytes()[:-20])
    assert main([*words, str(theirs)]) == 1
    cut = capsys.readouterr().err
    assert "not a whole Parquet file" in cut
    assert "elete" not in said + cut


def examples(folder: Path) -> Path:
    """Write three test rows of rating prediction."""
    rows = [dict.fromkeys(RECORD.names) | {
        "id": f"RP/movielens-32m/{n}", "task": "RP", "dataset": "movielens-32m", "input": "",
        "instruction": "", "output": "4", "template_version": 1} for n in (1, 2, 3)]  # fmt: skip
    write_parquet(folder / "test.parquet", pa.Table.from_pylist(rows, schema=RECORD))
    return folder / "test.parquet"


def joined(folder: Path, name: str, content: str, *words: str) -> tuple[int, Path]:
    """Return the status of scoring a file of answers, and the file of scores."""
    (folder / name).write_text(content)
    out = folder / "scores.csv"
    return main(["score", "--answers", str(folder / name), "--test", str(examples(folder)),
                 "--resamples", "9", "--out", str(out), *words]), out  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", "".join(f'{{"answer": "{a}", "id": "RP/movielens-32m/{n}", "x": 1}}\n'
                            for n, a in ((2, "2"), (1, "4"), (3, "no\\nidea")))),
        ("a.csv", 'answer,more,id\n2,,RP/movielens-32m/2\n4,,RP/movielens-32m/1\n'
                  '"no\nidea",,RP/movielens-32m/3\n'),
    ],
)  # fmt: skip
def test_answers_are_joined_by_id(tmp_path, name, content):
    status, out = joined(tmp_path, name, content)
    assert status == 0
    strict = pd.read_csv(out).query("reading == 'strict' and metric == 'rmse'").iloc[0]
    assert (strict.n, strict.n_unreadable) == (3, 1)
    assert strict.value == pytest.approx(2**0.5)  # errors 0 and 2
    status, out = joined(tmp_path, name, content, "--rows-per-cell", "2")
    assert status == 0 and pd.read_csv(out).n.tolist() == [2] * 4


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        (
            "a.csv",
            "id,answer\nRP/movielens-32m/1,4\n",
            "2 of 3 test rows, 'RP/movielens-32m/2'",
        ),
        ("a.csv", "id,answer\nRP/movielens-32/1,4\n", "are in none of the 3 test rows. Did you me"),
        ("a.csv", "id,text\n1,4\n", "no column 'answer'; the first line must name id and answer"),
        ("a.csv", "id,answer\n1\n", "row 1: 'answer' is None; a text is needed"),
        ("a.csv", 'id,answer\n"a"b,4\n', "cannot be read as CSV in UTF-8"),
        ("a.jsonl", '{"id": "a", "answer": 4}\n', "row 1: 'answer' is 4; a text is needed"),
        ("a.jsonl", '{"id": "a", "answer": ""}\n' * 2, "row 2: the id 'a' stands in row 1 too"),
        ("a.jsonl", "id,answer\n", "row 1: no JSON"),
        ("a.jsonl", "[]\n", "row 1: no object with 'id' and 'answer'"),
    ],
)
def test_answers_that_do_not_fit_are_refused(tmp_path, capsys, name, content, told):
    status, out = joined(tmp_path, name, content)
    said = capsys.readouterr().err
    assert status == 1 and told in said and not out.exists()
    assert said.startswith(f"itdr score: {tmp_path}/{name}: ")


def test_answers_and_their_rows_are_named_together(tmp_path, capsys):
    words = ["score", "--out", str(tmp_path / "s.csv"), "--answers", str(examples(tmp_path))]
    assert main(words) == 1
    assert "--answers and --test need each other" in capsys.readouterr().err
