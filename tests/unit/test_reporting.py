"""The main table and its figure: ours with intervals, theirs beside it, nothing hidden."""

import pandas as pd
import pytest

from itdr.errors import DataError, MissingFileError
from itdr.reporting.figures import main_figure, save
from itdr.reporting.tables import COLUMNS, main_table, write_csv, write_markdown
from tests.conftest import ROOT

PAPER = ROOT / "config" / "paper" / "results.csv"
HEAD = "task,dataset,reading,metric,value,ci_low,ci_high,n,n_unreadable\n"


@pytest.fixture
def scores(tmp_path):
    def write(model, variant, rows):
        path = tmp_path / "scores" / model / variant / "42.csv"
        path.parent.mkdir(parents=True)
        path.write_text(HEAD + rows)
        return path

    return [
        write("glm-4-9b", "base", "NIR,movielens-32m,strict,hit@1,0.25,0.2,0.3,250,12\n"
              "RP,movielens-32m,strict,rmse,,,,250,250\n"
              "RP,movielens-32m,lenient,rmse,0.9,0.8,1.0,250,0\n"),
        write("glm-4-9b", "itdr", "RP,movielens-32m,strict,rmse,0.9,0.8,1.0,250,0\n"
              "NIR,movielens-32m,strict,hit@1,0.65,0.6,0.7,250,0\n"),
        write("trivial", "random", "NIR,movielens-32m,strict,hit@1,0.2,0.15,0.25,250,0\n"),
    ]  # fmt: skip


def test_the_table_has_the_documented_columns_in_the_papers_order(scores):
    table = main_table(scores, PAPER)
    assert tuple(table.columns) == COLUMNS
    assert list(zip(table["task"], table["model"], table["variant"], strict=True)) == [
        ("RP", "glm-4-9b", "base"),
        ("RP", "glm-4-9b", "itdr"),
        ("NIR", "glm-4-9b", "base"),
        ("NIR", "glm-4-9b", "itdr"),
        ("NIR", "trivial", "random"),
    ]


def test_the_published_value_stands_beside_ours_where_there_is_one(scores):
    table = main_table(scores, PAPER).set_index(["task", "model", "variant"])
    assert table.loc[("RP", "glm-4-9b", "itdr"), "paper_value"] == 1.0339
    assert table.loc[("NIR", "glm-4-9b", "base"), "paper_value"] == 0.3560
    assert pd.isna(table.loc[("NIR", "trivial", "random"), "paper_value"])


def test_the_csv_reads_back_and_an_empty_value_stays_empty(scores, tmp_path):
    write_csv(main_table(scores, PAPER), tmp_path / "main.csv")
    lines = (tmp_path / "main.csv").read_text().splitlines()
    assert lines[0] == ",".join(COLUMNS)
    assert lines[1] == "main,glm-4-9b,base,RP,movielens-32m,rmse,,,,250,250,1.146900"


def test_markdown_shows_value_interval_unreadable_and_published(scores, tmp_path):
    write_markdown(main_table(scores, PAPER), tmp_path / "main.md")
    text = (tmp_path / "main.md").read_text()
    assert "| NIR | movielens-32m | hit@1 | 0.250 [0.200, 0.300], 12 of 250 unreadable" in text
    assert "0.650 [0.600, 0.700], paper 0.608 | 0.200 [0.150, 0.250] random |" in text
    assert "| RP | movielens-32m | rmse | -, 250 of 250 unreadable, paper 1.1469 |" in text


def test_the_figure_has_one_panel_per_metric_and_the_same_bytes_each_time(scores, tmp_path):
    table = main_table(scores, PAPER)
    for name in ("a", "b"):
        save(main_figure(table), tmp_path / name)
    assert len(main_figure(table).axes) == 2
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_a_wrong_score_file_is_named_with_its_column(scores, tmp_path):
    scores[0].write_text("task,value\nRP,1\n")
    with pytest.raises(DataError, match=r"42\.csv: no column 'dataset'; found task, value"):
        main_table(scores, PAPER)
    with pytest.raises(MissingFileError, match=r"none\.csv: no such file"):
        main_table([tmp_path / "a" / "b" / "none.csv"], PAPER)
