"""What the page says first: on which data, with what, and what came of it."""

from docutils.core import publish_parts
from jinja2 import Environment

from itdr.cli.main import main
from itdr.datasets.download.manifest import origin_of
from itdr.files.formats import read_json, write_json
from itdr.instructions.protocol import origins, read_protocol, table_origin
from itdr.reporting.facts import duration
from itdr.reporting.grid import grid
from itdr.reporting.results import Published, Results
from itdr.reporting.run import Run
from itdr.reporting.scores import Score
from itdr.reporting.summary import restructured, summarise
from itdr.settings.paper import Layout
from itdr.vocabulary import Origin

KEY = ("NIR", "films", "hit@1")
BEFORE, AFTER, BASELINE = ("glm", "base"), ("glm", "tuned"), ("trivial", "popularity")


def results(data, **fields):
    """Return a run of one row in which tuning helps and popularity is better still."""
    protocol = f"data: {data}; split: user; negatives: available; sees: the input"
    values = {BEFORE: 0.2, AFTER: 0.5, BASELINE: 0.6}
    return Results(
        scores={
            column: {KEY: Score(value, value - 0.1, value + 0.1, 40, 10, protocol=protocol)}
            for column, value in values.items()
        },
        **fields,
    )


def summary(found, run=None):
    layout = Layout()
    return summarise(found, run or Run(), layout, {}, [grid(found, layout, "main")])


def test_findings_are_sentences_made_from_the_numbers():
    said = summary(results("real")).findings
    assert "glm tuned is better than glm base in 1 of 1 rows." in said
    assert "glm tuned is better than every baseline in none of 1 rows." in said
    assert "75% of the 40 answers of glm tuned could be read in the asked-for form." in said


def test_facts_name_data_models_baselines_and_how_examples_were_made():
    facts = dict(summary(results("real")).facts)
    assert facts["Data"] == "real (1 of 1 pairs of task and dataset)"
    assert facts["Models"] == "glm base; glm tuned" and facts["Baselines"] == "popularity"
    assert facts["How examples were made"] == "split: user; negatives: available"
    assert "cores" in facts["Machine"] and "commit" in facts["Code"]


def test_the_title_promises_published_values_only_where_they_stand_beside_ours():
    published = {AFTER: {KEY: Published(0.55)}}
    real = summary(results("real", published=published))
    assert real.title == "ITDR-pipeline: our results beside the published ones"
    assert real.warning == ""
    assert "1 of 1 published values of glm tuned lie where a replication's would." in real.findings
    made = summary(results("simulated", published=published))
    assert made.title == "ITDR-pipeline: a run on simulated data"
    assert made.warning.startswith("Simulated data: ")
    assert not any("published" in sentence for sentence in made.findings)
    assert summary(results("real")).title == "ITDR-pipeline: results"


def test_snakemakes_report_can_read_the_summary_whatever_names_hold():
    run = Run(started={"settings": {"seed": "{{ 1 }} *a* `b` |c| _d_ <e>"}})
    text = restructured(summary(results("real"), run))
    whole = Environment(autoescape=False).from_string(text).render()
    page = publish_parts(whole, writer="html", settings_overrides={"report_level": 1})
    assert "system-message" not in page["html_body"]
    assert "{{ 1 }} *a* `b` |c| _d_ &lt;e&gt;" in page["body"]
    assert page["title"] == "ITDR-pipeline: results"


def test_times_are_written_for_people():
    assert [duration(s) for s in (12, 300, 7500)] == ["12 s", "5 min", "2 h 05 min"]


def test_that_data_are_simulated_is_known_from_the_raw_files_to_the_scores(tmp_path):
    """No name of a folder says so: everything stands in one called real."""
    folder = tmp_path / "real"
    size = ["--users", "40", "--items", "40", "--interactions-per-user", "20"]
    for words in (
        ["simulate", "movielens-1m", "--out", folder / "files", *size],
        ["fetch", "movielens-1m", "--out", folder / "raw", "--from", folder / "files"],
        ["normalise", "movielens-1m", "--raw", folder / "raw", "--out", folder / "tables"],
        ["build", "UAP", "movielens-1m", "--tables", folder / "tables", "--out",
         folder / "examples.parquet"],
        ["split", "--examples", folder / "examples.parquet", "--out", folder / "parts",
         "--shares", "0.5,0.1,0.4"],
    ):  # fmt: skip
        assert main([str(word) for word in words]) == 0
    assert read_json(folder / "raw" / "manifest.json")["data"] == "simulated"
    assert table_origin(folder / "tables") is Origin.SIMULATED
    words = str(read_protocol(folder / "parts" / "test.parquet").seeing("the input"))
    assert words.startswith("data: simulated; split: user")
    assert origins(f"{words} | data: real") == {Origin.SIMULATED, Origin.REAL}


def test_where_files_come_from_is_real_unless_they_say_otherwise(tmp_path):
    (tmp_path / "ratings.csv").write_text("1,2\n")
    assert origin_of(tmp_path) is Origin.REAL
    write_json(tmp_path / "manifest.json", {"dataset": "x", "files": []})
    assert origin_of(tmp_path) is None
    assert origins("split: user; sees: data: simulated") == set()
