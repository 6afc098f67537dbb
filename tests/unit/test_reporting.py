"""The report: every published value in its place, ours with intervals beside it, nothing hidden."""

import csv
import re
from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pytest

from itdr.cli.main import main
from itdr.errors import DataError, MissingFileError, SettingsError
from itdr.instructions.tasks import load_tasks
from itdr.registry import FIGURES
from itdr.reporting.comparisons import Comparisons, Pair
from itdr.reporting.figures.data import FigureData, NothingToDrawError
from itdr.reporting.formats.csv_files import COLUMNS, COMPARED
from itdr.reporting.formats.latex import latex
from itdr.reporting.formats.markdown import markdown
from itdr.reporting.grid import grid
from itdr.reporting.report import Report
from itdr.reporting.results import Published, Results, load_results
from itdr.reporting.run import Run
from itdr.reporting.scores import Score
from itdr.reporting.statistics import published_statistics
from itdr.settings.metric import metric_title
from itdr.settings.paper import load_paper
from tests.conftest import ROOT

PAPER = ROOT / "config" / "papers" / "itdr"
LAYOUT = load_paper(PAPER).layout
PUBLISHED = pd.read_csv(PAPER / "results.csv")
HEAD = "task,dataset,reading,metric,value,ci_low,ci_high,n,n_unreadable\n"
TABLES = ("main", "root-ablation", "subtask-ablation", "closed-source")


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    out = tmp_path_factory.mktemp("published")
    names = [*LAYOUT.tables, "aggregates", "dataset-statistics"]
    assert main(["report", "--published-only", "--paper", str(PAPER), "--out", str(out),
                 "--make", *names]) == 0  # fmt: skip
    return out / "tables"


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
              "RP,movielens-32m,strict,rmse-midpoint,1.2,1.1,1.3,250,250\n"
              "RP,movielens-32m,lenient,rmse,0.9,0.8,1.0,250,0\n"),
        write("glm-4-9b", "itdr", "RP,movielens-32m,strict,rmse,0.9,0.8,1.0,250,0\n"
              "NIR,movielens-32m,strict,hit@1,0.65,0.6,0.7,250,0\n"),
        write("trivial", "random", "NIR,movielens-32m,strict,hit@1,0.27,0.15,0.25,250,0\n"),
    ]  # fmt: skip


def report(scores, *, incomplete=False, run=None):
    results = load_results(load_paper(PAPER), scores, incomplete=incomplete)
    tasks = load_tasks(results.tasks)
    return Report(results, LAYOUT, published_statistics(PAPER), tasks, run or Run())


def expected(table):
    """Return the published values of a table as rows of texts, in the order of results.csv."""
    values = PUBLISHED[PUBLISHED["table"] == table]
    columns = list(dict.fromkeys(zip(values["model"], values["variant"], strict=True)))
    if table == "main":  # the paper's order: the shares stand with their model
        assert columns[:5] == [("glm-4-9b", v) for v in
                               ("base", "itdr", "data-25", "data-50", "data-75")]  # fmt: skip
    rows = {}
    for row in values.itertuples():
        cells = rows.setdefault((row.task, row.dataset, row.metric), [])
        assert columns[len(cells)] == (row.model, row.variant)
        cells.append(f"{row.value:.4f}")
    return columns, rows


def test_the_four_tables_of_the_paper_hold_all_3074_values():
    sizes = {table: sum(map(len, expected(table)[1].values())) for table in TABLES}
    assert sizes == {"main": 1166, "root-ablation": 848, "subtask-ablation": 848,
                     "closed-source": 212}  # fmt: skip
    assert sum(sizes.values()) == len(PUBLISHED) == 3074


@pytest.mark.parametrize("table", TABLES)
def test_every_published_value_stands_in_the_papers_row_and_column(published, table):
    columns, rows = expected(table)
    with (published / f"{table}.wide.csv").open() as file:
        head, *lines = csv.reader(file)
    assert head[3:] == [f"{model}/{variant}" for model, variant in columns]
    assert {tuple(line[:3]): [f"{float(x):.4f}" for x in line[3:]] for line in lines} == rows
    assert [tuple(line[:3]) for line in lines] == list(rows)
    names = [(task, LAYOUT.dataset_title(dataset), metric_title(metric))
             for task, dataset, metric in rows]  # fmt: skip
    for read in (markdown_cells, latex_cells, html_cells):
        found = read(published, table)
        assert [
            (line[0], line[1], line[2].split(" ↓")[0].split(" ↑")[0]) for line in found
        ] == names
        assert [line[3:] for line in found] == list(rows.values()), read.__name__


def markdown_cells(folder, table):
    lines = (folder / f"{table}.md").read_text().splitlines()
    rows = [line for line in lines if line.startswith("| ")][2:]
    return [[re.sub("[*†]", "", cell).strip() for cell in row.strip("| ").split(" | ")]
            for row in rows]  # fmt: skip


def latex_cells(folder, table):
    body = (folder / f"{table}.tex").read_text().split("\\endlastfoot\n")[1]
    rows = [line[: -len(r" \\")] for line in body.splitlines() if line.endswith(r"\\")]
    signs = {r"$\downarrow$": "↓", r"$\uparrow$": "↑", r"\dag{}": "", r"\_": "_"}
    for sign, text in signs.items():
        rows = [row.replace(sign, text) for row in rows]
    return [[re.sub(r"\\textbf{(.*)}", r"\1", cell).strip() for cell in row.split(" & ")]
            for row in rows]  # fmt: skip


class _Cells(HTMLParser):
    def __init__(self):
        super().__init__()
        self.rows, self.inside = [], False

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        if tag == "td" or (tag == "th" and ("scope", "row") in attrs):
            self.rows[-1].append("")
        self.inside = tag in ("td", "th", "b")

    def handle_data(self, data):
        if self.inside and self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.strip("†\n")


def html_cells(folder, table):
    parser = _Cells()
    parser.feed((folder / f"{table}.html").read_text())
    return [row for row in parser.rows if row]


def test_derived_tables_repeat_the_published_values_of_their_columns(published):
    by_key = PUBLISHED.set_index(["model", "variant", "task", "dataset", "metric"])["value"]
    for table in ("data-scale", "task-description"):
        rows = pd.read_csv(published / f"{table}.csv")
        keys = list(rows[["model", "variant", "task", "dataset", "metric"]]
                    .itertuples(index=False, name=None))  # fmt: skip
        assert rows["paper_value"].tolist() == by_key.loc[keys].tolist()
        assert len(rows) == 106 * {"data-scale": 5, "task-description": 3}[table]


def test_statistics_and_aggregates_are_as_published(published):
    statistics = pd.read_csv(published / "dataset-statistics.csv")
    theirs = pd.read_csv(PAPER / "statistics.csv")
    pd.testing.assert_frame_equal(statistics[theirs.columns], theirs)
    assert "| all |  |  | 195,065 |" in (published / "dataset-statistics.md").read_text()
    aggregates = pd.read_csv(published / "aggregates.csv").dropna(subset="paper_value")
    wide = aggregates.pivot(index=["model", "variant"], columns="aggregate", values="paper_value")
    theirs = pd.read_csv(PAPER / "aggregates.csv").set_index(["model", "variant"])
    pd.testing.assert_frame_equal(wide.sort_index(), theirs.sort_index(), check_names=False)


def test_a_suspicious_published_value_is_marked_with_the_reason(published):
    flagged = PUBLISHED.dropna(subset="flag")
    assert len(flagged) == 8
    for row in flagged.itertuples():
        text = (published / f"{row.table}.md").read_text()
        assert f"{row.value:.4f}†" in text or f"{row.value:.4f}**†" in text
        assert row.flag in text
        assert row.flag in (published / f"{row.table}.tex").read_text()


def test_the_long_table_has_the_documented_columns_in_the_papers_order(scores, tmp_path):
    report(scores).make("main", tmp_path)
    table = pd.read_csv(tmp_path / "tables" / "main.csv")
    assert tuple(table.columns) == COLUMNS
    assert list(zip(table["task"], table["metric"], table["variant"], strict=True)) == [
        ("RP", "rmse", "base"),
        ("RP", "rmse", "itdr"),
        ("RP", "rmse-midpoint", "base"),
        ("NIR", "hit@1", "base"),
        ("NIR", "hit@1", "itdr"),
        ("NIR", "hit@1", "random"),
    ]
    lines = (tmp_path / "tables" / "main.csv").read_text().splitlines()
    assert lines[1] == "main,glm-4-9b,base,RP,movielens-32m,rmse,,,,250,250,1.146900,"


def test_each_value_is_compared_with_the_published_one_and_the_best_baseline(scores, tmp_path):
    report(scores).make("main", tmp_path)
    table = pd.read_csv(tmp_path / "tables" / "main.compared.csv")
    assert tuple(table.columns) == COMPARED
    table = table.set_index(["task", "metric", "variant"])
    tuned, base = table.loc[("NIR", "hit@1", "itdr")], table.loc[("NIR", "hit@1", "base")]
    assert tuned["difference"] == pytest.approx(0.65 - 0.6080)
    assert (tuned["inside"], tuned["best"], tuned["beats_baseline"]) == (1, 1, 1)
    assert (base["inside"], base["best"], base["beats_baseline"]) == (0, 0, 0)
    assert base["rate_unreadable"] == 12 / 250
    assert pd.isna(table.loc[("RP", "rmse", "base"), "difference"])


def test_printed_tables_show_interval_unreadable_published_and_marks(scores):
    sheet = report(scores).sheet("main")
    text = markdown(sheet)
    assert "0.250‡ [0.200, 0.300], 12 of 250 unreadable, paper 0.3560 (-0.106, outside)" in text
    assert "**0.650** [0.600, 0.700], paper 0.6080 (+0.042, inside) | 0.270 random" in text
    assert ("| RP | MovieLens-32M | RMSE ↓ | -§ 250 of 250 unreadable, 1.200 with the middle for "
            "these, lenient 0.900, 0 unreadable, paper 1.1469 |") in text  # fmt: skip
    assert "‡ not better than every baseline." in text
    assert "§ fewer than half of the answers could be read." in text
    assert "on different rows must differ by 0.125 at n = 250" in text
    assert r"\shortstack[r]{\textbf{0.650} \\ {\tiny [0.600, 0.700]}" in latex(sheet)


def test_inside_knows_that_the_published_value_is_noisy_too():
    """Both over 250 rows: the interval is widened by the root of two; over 37, by more."""
    score = Score(0.5, 0.4, 0.6, 250, 0)
    for published, n, inside in ((0.63, 250, True), (0.65, 250, False), (0.65, 37, True)):
        assert score.holds(published, n) is inside
    assert Score(0.5, float("nan"), float("nan"), 250, 0).holds(0.5, 250) is None


def test_rmse_is_not_won_by_silence():
    """Two readable answers of 60 are better than all of the other's, and their cell still loses."""
    silent, spoken = (Score(2.7, 1.9, 3.4, 60, 58, midpoint=3.2), Score(3.0, 2.5, 3.4, 60, 0))
    key = ("RP", "anime-2023", "rmse")
    found = Results(
        {},
        {},
        scores={("tiny", "base"): {key: silent}, ("tiny", "itdr"): {key: spoken},
                ("trivial", "user-mean"): {key: spoken}},
    )  # fmt: skip
    (row,) = grid(found, LAYOUT, "main").rows
    assert [cell.best for cell in row.cells] == [False, True]
    assert row.cells[0].below_baseline and row.cells[0].score.hardly_read


def compared(rows):
    """Return comparisons of NIR, base, itdr and random, from (first, second, p_bh, better)."""
    key = ("NIR", "movielens-32m", "hit@1")
    return Comparisons(
        {(key, frozenset((one, other))): Pair(0.2, 0.1, 0.3, p / 4, p * 2, p, better)
         for one, other, p, better in rows}
    )  # fmt: skip


BASE, TUNED, RANDOM = ("glm-4-9b", "base"), ("glm-4-9b", "itdr"), ("trivial", "random")


def test_letters_marks_and_words_go_by_corrected_tests(scores):
    tests = compared([(BASE, TUNED, 0.01, TUNED), (BASE, RANDOM, 0.3, None),
                      (TUNED, RANDOM, 0.2, None)])  # fmt: skip
    whole = replace(report(scores), comparisons={"main": tests})
    text = markdown(whole.sheet("main"))
    # Better than random by value, and not by the test.
    assert "**0.650**‡ [0.600, 0.700], group a" in text and "unreadable, group b" in text
    assert "GLM-4-9B ITDR is better than every baseline in none of 1 rows." in text
    assert "In every row at least two columns can be told apart." in text
    assert "of 0.143 in the middle" in text  # 2.8 standard errors of a difference of 0.2 +- 0.1
    tests = compared([(BASE, TUNED, 0.2, None), (BASE, RANDOM, 0.3, None),
                      (TUNED, RANDOM, 0.01, TUNED)])  # fmt: skip
    text = markdown(replace(whole, comparisons={"main": tests}).sheet("main"))
    assert "**0.650** [0.600, 0.700], group a" in text and "unreadable, group a" in text
    assert "by a paired test, in 1 of 1 rows (NIR 1 of 1)." in text


def test_words_say_which_published_values_a_baseline_beats(scores):
    text = report(scores).sheet("main").said
    beaten = PUBLISHED[(PUBLISHED.task == "NIR") & (PUBLISHED.dataset == "movielens-32m")]
    worse = (beaten.drop_duplicates(["model", "variant"]).value < 0.27).sum()
    assert f"better than {worse} of 29 values that the paper prints" in text


def simulated(path):
    """Say in a file of scores that its examples are simulated."""
    head, *rows = path.read_text().splitlines()
    path.write_text("\n".join([f"{head},protocol", *(f"{row},data: simulated; split: user"
                                                      for row in rows)]))  # fmt: skip


def test_no_published_value_stands_beside_simulated_data(scores, tmp_path):
    assert "paper 0.6080" in markdown(report(scores).sheet("main"))
    for path in scores:
        simulated(path)
    found = report(scores)
    for name in found.tables[:-1]:
        sheet = found.sheet(name)
        assert "paper 0." not in markdown(sheet) and "values that the paper" not in sheet.said
        assert not sheet.rows or sheet.said.startswith("Simulated data: ")
    assert found.results.aggregates_beside == {} and found.results.beside == {}
    found.make("main", tmp_path)
    table = pd.read_csv(tmp_path / "tables" / "main.csv")
    assert table.paper_value.isna().all() and set(table.data) == {"simulated"}
    with pytest.raises(NothingToDrawError):  # or published values would be drawn alone
        FIGURES["root-ablation"].draw(FigureData(found.results, LAYOUT, []))


def test_published_values_stand_beside_the_real_cells_of_a_partly_simulated_run():
    score = Score(0.6, 0.5, 0.7, 250, 0)
    real = replace(score, protocol="data: real; split: user")
    made = replace(score, protocol="data: simulated; split: user")
    cells = {("NIR", "movielens-32m", "hit@1"): real, ("NIR", "pixelrec", "hit@1"): made}
    found = replace(load_everything(), scores={("glm-4-9b", "itdr"): cells})
    assert {key[:2] for values in found.beside.values() for key in values} == {
        ("NIR", "movielens-32m")
    }
    assert found.rows == list(cells)


def test_statistics_of_simulated_examples_stand_alone():
    cell = {"task": "RP", "dataset": "yelp", "train": 3, "val": 1, "test": 2, "data": "simulated"}
    audit = {"clean": True, "checks": [], "lengths": [], "parts": [], "cells": [cell]}
    sheet = report([], run=Run(audit)).sheet("dataset-statistics")
    assert [name for _, name in sheet.columns][3:] == [
        "Examples", "Train", "Validation", "Test", "Prompt tokens", "Answer tokens"
    ]  # fmt: skip
    assert [row[3].main for row in sheet.rows] == ["6", "6"]
    real = report([], run=Run(audit | {"cells": [cell | {"data": "real"}]}))
    assert ("paper", "Examples") in real.sheet("dataset-statistics").columns


def test_words_say_where_too_few_rows_tell():
    """Two shares of 0.5 and 0.6 over 250 rows: 0.10 is less than the 0.124 that are found."""
    close = replace(load_everything(), published={
        ("glm-4-9b", "base"): {("NIR", "pixelrec", "hit@1"): Published(0.5),
                               ("NIR", "mind", "hit@1"): Published(0.2)},
        ("glm-4-9b", "itdr"): {("NIR", "pixelrec", "hit@1"): Published(0.6),
                               ("NIR", "mind", "hit@1"): Published(0.6)},
    })  # fmt: skip
    said = replace(report([]), results=close).sheet("main").said
    assert "In 1 of the 2 rows of shares" in said and "NIR PixelRec HR@1." in said


def load_everything():
    return report([]).results


def test_faults_of_lists_and_lenient_reading_stand_in_the_table(scores, tmp_path):
    head = HEAD.strip() + ",rate_missing,rate_duplicated,rate_out_of_list\n"
    cell = "TKR,movielens-32m,{},{},{},0.2,0.3,250,12,{},{},{}\n"
    lines = [cell.format("strict", "ndcg@10", 0.231, 0.986, 0.1, 0.0),
             cell.format("strict", "ndcg@10-repaired", 0.484, 0.986, 0.1, 0.0),
             cell.format("lenient", "ndcg@10", 0.5, 0.9, 0.1, 0.0)]  # fmt: skip
    scores[0].write_text(head + "".join(lines))
    text = markdown(report(scores).sheet("main"))
    assert "| TKR | MovieLens-32M | NDCG@10 ↑ | 0.231 [0.200, 0.300], 12 of 250 unread" in text
    assert "lenient 0.500, 12 unreadable, lists: 99% miss candidates, 10% repeat some" in text
    assert "| TKR | MovieLens-32M | NDCG@10, repaired ↑ | 0.484 [0.200, 0.300]" in text
    report(scores).make("main", tmp_path)
    table = pd.read_csv(tmp_path / "tables" / "main.compared.csv")
    row = table[(table.metric == "ndcg@10") & (table.variant == "base")].iloc[0]
    assert (row.rate_missing, row.rate_duplicated, row.lenient_value) == (0.986, 0.1, 0.5)


def test_an_incomplete_run_names_what_is_missing(scores, tmp_path):
    absent = tmp_path / "scores" / "qwen2.5-7b" / "itdr" / "42.csv"
    scores[0].write_text(HEAD + "NIR,movielens-32m,strict,hit@1,0.25,0.2,0.3,250,12\n")
    text = markdown(report([*scores, absent], incomplete=True).sheet("main"))
    assert ("Missing, 3 of 6 cells: Qwen2.5-7B ITDR (all); GLM-4-9B base, RP MovieLens-32M RMSE."
            in text)  # fmt: skip
    assert "| RP | MovieLens-32M | RMSE ↓ | missing paper 1.1469 |" in text
    with pytest.raises(MissingFileError, match=r"itdr/42\.csv: no such file"):
        report([*scores, absent])


def test_a_wrong_score_file_is_named_with_its_column(scores):
    scores[0].write_text("task,value\nRP,1\n")
    with pytest.raises(DataError, match=r"42\.csv: no column 'dataset'; found task, value"):
        report(scores)
    scores[0].write_text(HEAD + "RP,movielens-32m,strikt,rmse,1,1,1,1,0\n")
    with pytest.raises(DataError, match="line 2: the reading is 'strikt'"):
        report(scores)
    scores[0].write_text(HEAD + "XX,movielens-32m,strict,rmse,1,1,1,1,0\n")
    with pytest.raises(SettingsError, match="unknown task 'XX'"):
        report(scores)


def test_nothing_to_report_and_misspelt_names_are_explained(capsys, tmp_path):
    assert main(["report", "--out", str(tmp_path)]) == 1
    assert "--published-only" in capsys.readouterr().err
    arguments = ["report", "--published-only", "--paper", str(PAPER), "--out", str(tmp_path)]
    assert main([*arguments, "--make", "figurs"]) == 1
    assert "Did you mean 'figures'?" in capsys.readouterr().err
