"""What is passed on of a run: cards and crates say what the numbers are of, and hold no row."""

import json

import pytest
import yaml

from itdr.cli.main import main
from itdr.files.formats import write_checked_json

HEAD = "task,dataset,reading,metric,value,ci_low,ci_high,n,n_unreadable,protocol\n"
ROWS = ("RP,yelp,strict,rmse,1.25,1.0,1.5,60,3,{0}\n"
        "RP,yelp,strict,rmse-midpoint,1.3,1.1,1.6,60,3,{0}\n"
        "NIR,microlens,strict,hit@1,0.5,0.4,0.6,60,0,{0}\n"
        "NIR,microlens,lenient,hit@1,0.9,0.4,0.6,60,0,{0}\n")  # fmt: skip
RECORD = {
    "model": {"title": "Tiny", "source": "some/model", "revision": None},
    "weights_sha256": "ab", "mixture_sha256": "cd", "start_from": None, "examples": 9, "tokens": 99,
    "dropped": {}, "cut": {}, "steps": 3, "first_loss": 2.0, "final_loss": 1.0, "seed": 1,
    "settings": {}, "provenance": {}, "data": "real", "datasets": ["microlens", "yelp"],
}  # fmt: skip


@pytest.fixture
def run(tmp_path):
    """Return the folder of a run with an adapter, scores and a report."""
    folder = tmp_path / "results"
    for name in ("adapters/tiny/itdr/42", "scores/tiny/itdr", "report/tables", "raw/yelp",
                 "predictions/tiny/itdr"):  # fmt: skip
        (folder / name).mkdir(parents=True)
    write_checked_json(folder / "adapters/tiny/itdr/42/run.json", RECORD)
    (folder / "adapters/tiny/itdr/42/losses.csv").write_text("step,loss\n1,2.0\n")
    (folder / "scores/tiny/itdr/42.csv").write_text(HEAD + ROWS.format("data: real; split: user"))
    (folder / "report/index.html").write_text("<h1>Results</h1>")
    (folder / "report/tables/main.csv").write_text("table\n")
    (folder / "raw/yelp/manifest.json").write_text('{"data": "real", "files": []}')
    (folder / "raw/yelp/reviews.json").write_text("a user's words")
    (folder / "predictions/tiny/itdr/42.jsonl").write_text("a user's words")
    return folder


def card(run, out, *more):
    words = ["export", "model-card", "--adapter", run / "adapters/tiny/itdr/42", "--parts",
             run / "scores/tiny/itdr/42.csv", "--out", out, *more]  # fmt: skip
    assert main([str(word) for word in words]) == 0
    _, head, body = (out / "README.md").read_text().split("---\n", 2)
    return yaml.safe_load(head), body


def test_a_model_card_has_the_strict_scores_as_a_model_index(run, tmp_path):
    head, body = card(run, tmp_path / "card")
    (index,) = head["model-index"]
    assert [(r["dataset"]["name"], [(m["type"], m["value"]) for m in r["metrics"]])
            for r in index["results"]] == [
        ("RP/yelp", [("rmse", 1.25), ("rmse-midpoint", 1.3)]), ("NIR/microlens", [("hit@1", 0.5)])
    ]  # fmt: skip
    assert head["datasets"] == ["microlens", "yelp"] and head["license"] == "other"
    assert "| RP | yelp | RMSE | 1.250 | 1.000 to 1.500 | 60 | 3 |" in body
    assert "simulated" not in body


def test_a_hub_reads_the_card(run, tmp_path):
    from huggingface_hub import ModelCard

    card(run, tmp_path / "card")
    found = ModelCard((tmp_path / "card" / "README.md").read_text()).data.eval_results
    assert [(r.dataset_name, r.metric_type, r.metric_value) for r in found][-1] == (
        "NIR/microlens", "hit@1", 0.5)  # fmt: skip


def test_results_name_dataset_task_value_and_what_they_are_of(run, tmp_path):
    card(run, tmp_path / "card", "--dataset-id", "us/itdr")
    found = yaml.safe_load((tmp_path / "card" / ".eval_results" / "itdr.yaml").read_text())
    assert found[-1] == {
        "dataset": {"id": "us/itdr", "task_id": "NIR/microlens/hit@1"}, "value": 0.5,
        "notes": "95% interval 0.4000 to 0.6000, n = 60, 0 unreadable, real data",
    }  # fmt: skip


def test_a_card_of_simulated_data_says_so(run, tmp_path):
    scores = run / "scores/tiny/itdr/42.csv"
    scores.write_text(HEAD + ROWS.format("data: simulated; split: user"))
    head, body = card(run, tmp_path / "card")
    assert "synthetic" in head["tags"] and "**The examples are simulated**" in body
    assert "simulated data" in (tmp_path / "card" / ".eval_results" / "itdr.yaml").read_text()


def test_a_crate_describes_a_run_and_holds_no_row_of_data(run, tmp_path):
    rocrate = pytest.importorskip("rocrate.rocrate", reason="needs the extra 'ro-crate'")
    out = tmp_path / "crate"
    assert main(["export", "ro-crate", "--results", str(run), "--out", str(out)]) == 0
    texts = [path.read_text() for path in out.rglob("*") if path.is_file()]
    assert not any("a user's words" in text for text in texts)
    crate = rocrate.ROCrate(out)  # refuses what is not linked
    names = {entity.id for entity in crate.dereference("#run")["result"]}
    assert names == {"report/index.html", "report/tables/main.csv", "scores/tiny/itdr/42.csv",
                     "adapters/tiny/itdr/42/run.json", "raw/yelp/manifest.json"}  # fmt: skip
    (source,) = crate.dereference("#run")["object"]
    assert source["name"] == "Yelp Open Dataset"
    metadata = json.loads((out / "ro-crate-metadata.json").read_text())
    assert metadata["@context"].startswith("https://w3id.org/ro/crate/")


def test_what_a_form_needs_is_said(tmp_path, capsys):
    for words, said in ((["model-card", "--parts", "x.csv"], "--adapter"),
                        (["ro-crate"], "--results is needed"),
                        (["hugging-face"], "--parts is needed")):  # fmt: skip
        (tmp_path / "x.csv").write_text(HEAD)
        words = [str(tmp_path / word) if word == "x.csv" else word for word in words]
        assert main(["export", *words, "--out", str(tmp_path / "out")]) == 1
        assert said in capsys.readouterr().err
