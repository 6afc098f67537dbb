"""`itdr doctor` on this machine, for the demo and for the paper."""

import json

import pytest

from itdr.cli.main import main
from tests.conftest import ROOT
from tests.workflow.conftest import RECOMMENDERS


@pytest.fixture
def doctor(project, monkeypatch, tmp_path, capsys):
    """Return a function that runs `itdr doctor` as a user without logins and keys."""
    monkeypatch.chdir(project.folder)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("HF_TOKEN", "KAGGLE_API_TOKEN", "KAGGLE_KEY", "OPENAI_API_KEY",
                 "DEEPSEEK_API_KEY", "GEMINI_API_KEY", "HF_HOME", "HF_HUB_OFFLINE"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)

    def run(*words):
        code = main(["doctor", *words, "--snakefile", str(ROOT / "Snakefile")])
        return code, capsys.readouterr().out

    return run


def test_nothing_is_missing_for_the_demo(doctor):
    code, said = doctor("--configfile", "config/demo.yaml")
    assert code == 0, said
    assert said.startswith("all: 160 jobs are left to do.")
    assert "config/models/tiny, complete" in said and "\n0 missing, " in said


def test_logins_keys_and_licences_are_missing_for_the_paper(doctor):
    code, said = doctor("--json")
    assert code == 1
    value = json.loads(said)
    level = {check["check"]: check["level"] for check in value["checks"]}
    wanted = {"model llama-3.2-3b", "data yelp", "data anime-2023", "data bookcrossing",
              "data amazon-books", "key deepseek-chat", "key gpt-3.5-turbo",
              "key gemini-2.5-flash"}  # fmt: skip
    assert {level[name] for name in wanted} == {"missing"}
    assert level["data movielens-32m"] == level["model glm-4-9b"] == "ok"
    assert value["jobs"] == 242 + 2 * RECOMMENDERS and value["missing"] >= len(wanted)


def test_a_target_is_checked_for_what_leads_to_it_alone(doctor):
    code, said = doctor("qwen2.5-7b/base", "--configfile", "one.yaml")
    assert code == 1 and said == ""  # no such file; the message is on the other stream
    code, said = doctor("dataset_statistics", "--json")
    level = {check["check"]: check["level"] for check in json.loads(said)["checks"]}
    assert "GPUs" not in level and "key gpt-3.5-turbo" not in level
    assert level["key deepseek-chat"] == "missing"
