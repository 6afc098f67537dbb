"""The plan of a target: what it costs by hand, and what was measured."""

from math import prod
from pathlib import Path

import pytest
from safetensors import safe_open

from itdr.errors import SettingsError
from itdr.models.parameters import named_billions
from itdr.planning.estimate import cost
from itdr.planning.jobs import Job
from itdr.planning.loading import load_workflow
from itdr.planning.measured import Measured, measured_rates
from itdr.planning.needs import Needs
from itdr.planning.plan import plan
from itdr.planning.sizes import Sizes
from itdr.reporting.statistics import published_statistics
from itdr.settings.model import load_model_settings
from itdr.settings.rates import Rates
from itdr.settings.reading import load
from tests.conftest import ROOT
from tests.machines import needs

TRAIN = Job("train_adapter", {"model": "glm-4-9b", "variant": "wo-tkr", "seed": "42"})
INFER = Job("ask_endpoint", {"model": "gemini-2.5-flash", "variant": "base", "seed": "42"})


@pytest.fixture
def sizes(monkeypatch):
    monkeypatch.chdir(ROOT)
    config = ROOT / "config"
    statistics = {
        (row["task"], row["dataset"]): row for row in published_statistics(config / "papers/itdr")
    }
    return Sizes(load_workflow([config / "config.yaml"]), load(Rates, config / "rates.yaml"),
                 statistics)  # fmt: skip


def test_a_training_costs_its_tokens_divided_by_the_stated_rate(sizes):
    rows = [row for pair, row in sizes.statistics.items() if pair[0] != "TKR"]
    tokens = (
        0.8
        * 2
        * sum(
            row["examples"] * (row["mean_input_tokens"] + 70 + row["mean_output_tokens"])
            for row in rows
        )
    )
    seconds = 120 + tokens / (0.35 * 989e12 / (4 * 9.4e9))
    assert cost(TRAIN, sizes, Measured()).gpu_hours == pytest.approx(seconds / 3600)
    assert cost(TRAIN, sizes, Measured()).cpu_hours == 0


def test_a_measured_rate_takes_the_place_of_the_stated_one(sizes):
    slow = cost(TRAIN, sizes, Measured(training={"glm-4-9b": 1000.0}))
    hours = sizes.training_tokens("wo-tkr") / 1000 / 3600 + 120 / 3600
    assert slow.gpu_hours == pytest.approx(hours)


def test_answers_of_an_endpoint_cost_money_and_no_gpu(sizes):
    _, prompts, answers = sizes.answering()
    found = cost(INFER, sizes, Measured())
    assert found.gpu_hours == 0
    assert found.dollars == pytest.approx((0.30 * prompts + 2.50 * answers) / 1e6)


def test_a_models_size_is_stated_or_counted_or_told_by_its_name_or_asked_for(sizes):
    models = sizes.workflow.models
    assert sizes.billions("glm-4-9b") == 9.4
    tiny = load_model_settings(Path("config/models/tiny.yaml"))
    models["tiny"] = tiny.model_copy(update={"billions": None})
    with safe_open(Path(tiny.source) / "model.safetensors", "numpy") as weights:
        shapes = [weights.get_slice(name).get_shape() for name in list(weights.keys())]
    assert sizes.billions("tiny") == pytest.approx(sum(map(prod, shapes)) / 1e9)
    unstated = models["qwen2.5-7b"].model_copy(update={"billions": None})
    models["qwen2.5-7b"] = unstated
    assert sizes.billions("qwen2.5-7b") == 7
    wanted = Needs((), (Job("train_adapter", {"model": "qwen2.5-7b", "variant": "itdr"}),), sizes,
                   Measured())  # fmt: skip
    told = "qwen2.5-7b: 7 billion parameters by its name, Qwen/Qwen2.5-7B; 'billions' in"
    assert told in " ".join(plan(wanted).split())
    models["qwen2.5-7b"] = unstated.model_copy(update={"source": "org/model"})
    with pytest.raises(SettingsError, match=r"qwen2\.5-7b\.yaml: state 'billions'"):
        sizes.billions("qwen2.5-7b")


def test_a_stated_minimum_counts_where_not_every_size_is_known(sizes):
    assert sizes.raw_mb("amazon-2023") == (55_000, 55_000, False)
    assert sizes.raw_mb("steam") == (500, 500, False)


def test_a_model_without_a_gpu_is_reckoned_on_the_processor(sizes):
    files = [ROOT / "config" / f"{name}.yaml" for name in ("config", "demo")]
    demo = Sizes(load_workflow(files), sizes.rates, sizes.statistics)
    names = {"model": "tiny", "variant": "itdr", "seed": "42"}
    found = cost(Job("train_adapter", names), demo, Measured())
    seconds = 5 + demo.training_tokens("itdr") / (8000 / 1.3)
    assert found.cpu_hours == pytest.approx(seconds / 3600) and found.gpu_hours == 0
    found = cost(Job("infer_model", names), demo, Measured())
    _, prompts, answers = demo.answering()
    assert found.cpu_hours == pytest.approx((5 + (prompts + answers) / (3500 / 1.3)) / 3600)


def test_one_cell_costs_its_own_answers_alone(sizes):
    pair = {"task": "RP", "dataset": "yelp"}
    column, cell = (cost(Job(rule, {"model": "glm-4-9b", "variant": "base", "seed": "42"} | more),
                         sizes, Measured(answering={"glm-4-9b": 100.0}))
                    for rule, more in (("infer_model", {}), ("infer_cell", pair)))  # fmt: skip
    tokens = 250 * sum(sizes.tokens(("RP", "yelp")))
    assert cell.gpu_hours == pytest.approx((90 + tokens / 100) / 3600)
    assert cell.gpu_hours < column.gpu_hours / 10


def test_finished_jobs_are_measured(tmp_path):
    adapter = tmp_path / "adapters" / "tiny" / "itdr" / "42"
    adapter.mkdir(parents=True)
    (adapter / "run.json").write_text('{"tokens_per_second": 500}')
    (adapter / "losses.csv").write_text("step,loss\n1,2.0\n")
    for name, seconds in (("infer/tiny/itdr/42", 20), ("build/RP/yelp", 6), ("build/RP/mind", 2)):
        path = tmp_path / "benchmarks" / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"s\th:m:s\n{seconds}.00\t0:00:01\n")
    found = measured_rates(
        tmp_path, lambda job: {"yelp": 100, "mind": 300}[job.wildcards["dataset"]], 4000
    )
    assert found.training == {"tiny": 500.0} and found.answering == {"tiny": 200.0}
    assert found.stages == {"build_examples": 8 / 400}
    assert found.jobs == {"train tiny": 1, "infer tiny": 1, "build_examples": 2}


def test_the_audit_of_a_run_replaces_the_published_counts(sizes):
    audit = {"cells": [{"task": "RP", "dataset": "yelp", "train": 80, "val": 10, "test": 10}],
             "lengths": [{"task": "RP", "dataset": "yelp", "mean_prompt": 50.0,
                          "mean_answer": 2.0}]}  # fmt: skip
    counted = Sizes(sizes.workflow, sizes.rates, sizes.statistics, audit)
    assert counted.examples(("RP", "yelp")) == 100
    assert counted.tokens(("RP", "yelp")) == (50.0, 2.0)
    assert counted.examples(("RP", "bookcrossing")) == 4623


def test_the_plan_adds_up_and_says_where_its_rates_come_from(sizes):
    measured = Measured(training={"glm-4-9b": 10_000.0}, jobs={"train glm-4-9b": 2})
    fetch = Job("fetch_dataset", {"dataset": "yelp"})
    model = Job("fetch_model", {"model": "glm-4-9b"})
    text = plan(Needs(("glm-4-9b/wo-tkr",), (TRAIN, fetch, model), sizes, measured))
    assert text.startswith("glm-4-9b/wo-tkr: 3 jobs are left to do")
    assert max(map(len, text.splitlines())) <= 80
    text = " ".join(text.split())
    assert "at 10,000 tokens/s, measured on 2 finished jobs." in text
    assert "No public source states the whole size of yelp" in text
    assert "18.8 GB" in text
    assert plan(Needs((), (), sizes, Measured())) == "all: nothing is left to do.\n"


@pytest.mark.parametrize(
    ("source", "billions"),
    [
        ("Qwen/Qwen2.5-7B-Instruct", 7),
        ("meta-llama/Llama-3.2-3B", 3),
        ("zai-org/glm-4-9b-hf", 9),
        ("HuggingFaceTB/SmolLM2-135M", 0.135),
        ("mistralai/Mixtral-8x7B-v0.1", 56),
        ("Qwen/Qwen3-30B-A3B", 30),
        ("7b/model", 0),
        ("bert-base", 0),
        ("org/v2b2", 0),
    ],
)
def test_a_name_tells_the_parameters(source, billions):
    assert named_billions(source) == pytest.approx(billions)


def test_columns_that_no_table_takes_are_named(sizes):
    half = {"half": {"tasks": ["RP"], "share": 0.5}}
    columns = ["tiny/base", "tiny/half"]
    wanted = needs("make_page", columns=columns, variants=half, recommenders=[])
    (note,) = wanted.sizes.workflow.notes
    assert note.startswith("In no table: tiny/half, though trained and scored. 'paper: null'")
    assert note in " ".join(plan(wanted).split()).replace("- ", "")
    assert not needs(columns=columns[:1], recommenders=[]).sizes.workflow.notes
    assert not needs(
        columns=columns, variants=half, paper=None, recommenders=[]
    ).sizes.workflow.notes
