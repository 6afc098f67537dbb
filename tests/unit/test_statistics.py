"""Examples and mean tokens by task and dataset, several sources beside the published values."""

import csv

import pyarrow as pa
import pytest

from itdr.cli.main import main
from itdr.errors import DataError
from itdr.files.formats import write_parquet
from itdr.instructions.record import DRAFT
from itdr.instructions.statistics import PAPER, cell_statistics, published, write
from tests.conftest import ROOT

PUBLISHED = ROOT / "config" / "papers" / "itdr" / "statistics.csv"


def words(texts):
    return [len(text.split()) for text in texts]


@pytest.fixture
def files(tmp_path):
    def record(task, dataset, number, asked, answer):
        return {
            "id": f"{task}/{dataset}/{number}", "task": task, "dataset": dataset,
            "instruction": "i", "input": asked, "output": answer, "template_version": 1,
        }  # fmt: skip

    cells = {
        "rp": [record("RP", "yelp", 1, "a b c", "4"), record("RP", "yelp", 2, "a", "5")],
        "rp2": [record("RP", "yelp", 3, "a b c d e", "3")],
        "tui": [record("TUI", "mind", 1, "a b", None)],
    }
    for name, rows in cells.items():
        write_parquet(tmp_path / f"{name}.parquet", pa.Table.from_pylist(rows, schema=DRAFT))
    return {name: tmp_path / f"{name}.parquet" for name in cells}


def test_the_parts_of_a_cell_are_counted_together_and_missing_answers_left_out(files):
    rating, audience = cell_statistics({"ours": list(files.values())}, words, "words")
    assert (rating.task, rating.examples) == ("RP", 3)
    assert (rating.mean_input_tokens, rating.mean_output_tokens) == (3.0, 1.0)
    assert (audience.examples, audience.mean_output_tokens) == (1, None)


def test_sources_stand_beside_the_published_values(files, tmp_path):
    cells = cell_statistics({"mine": [files["rp"]], "theirs": [files["rp2"]]}, words, "words")
    write([*cells, *published(PUBLISHED)], tmp_path / "out")
    with (tmp_path / "out" / "statistics.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 33 + 2
    of_yelp = [row for row in rows if (row["task"], row["dataset"]) == ("RP", "yelp")]
    assert [(row["source"], row["tokenizer"], row["mean_input_tokens"]) for row in of_yelp] == [
        ("mine", "words", "2.00"), ("theirs", "words", "5.00"), (PAPER, "DeepSeek-V3", "323.98")
    ]  # fmt: skip
    page = (tmp_path / "out" / "statistics.md").read_text()
    assert "| RP | yelp | 2 | 1 | 5,707 | 2.0 | 5.0 | 324.0 | 1.0 | 1.0 | 1.0 |" in page
    assert "Tokenizers: mine: words; theirs: words; paper: DeepSeek-V3." in page


def test_the_command_counts_with_a_tokenizer_of_a_model(files, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    options = ["--tokenizer", "config/models/tiny", "--out", str(tmp_path / "out")]
    assert main(["statistics", "--examples", "a", str(files["rp"]), *options]) == 0
    assert "RP,yelp,a,config/models/tiny,2," in (tmp_path / "out" / "statistics.csv").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--examples", "paper", "FILE"], "--examples paper: a name of its own is needed"),
        (["--examples", "a", "FILE", "--examples", "a", "FILE"], "--examples a: a name of its own"),
        (["--examples", "a"], "and files"),
        (["--examples", "a", "FILE", "--tokenizer", "no/such"], "no/such: the tokenizer cannot be"),
    ],
)
def test_what_cannot_be_counted_is_refused(options, message, files, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    words_given = [str(files["rp"]) if word == "FILE" else word for word in options]
    assert main(["statistics", *words_given, "--out", str(tmp_path / "out")]) == 1
    assert message in capsys.readouterr().err


def test_a_wrong_table_of_published_values_is_refused(tmp_path):
    (tmp_path / "p.csv").write_text("task,dataset\nRP,yelp\n")
    with pytest.raises(DataError, match=r"p\.csv: not a table of published statistics"):
        published(tmp_path / "p.csv")
