"""Inference through an OpenAI-compatible server: the same prompts, nothing asked twice."""

import json
import logging

import pyarrow as pa
import pytest

from itdr.errors import EndpointError, RefusedRequestsError, SettingsError
from itdr.files.formats import read_parquet, write_parquet
from itdr.inference.api_engine import ApiEngine
from itdr.inference.engine import Prompt
from itdr.inference.engines import engine_name
from itdr.inference.infer import infer
from itdr.instructions.choices import ChoiceLikelihood
from itdr.instructions.record import PREDICTION, RECORD
from itdr.settings.experiment import InferenceSettings
from itdr.settings.folders import FOLDERS
from itdr.settings.model import ModelEndpoint, ModelSettings, load_model_settings
from itdr.settings.reading import check, load_yaml
from tests.chat_server import SECRET, Fault, serving
from tests.conftest import ROOT

ROWS = 12


@pytest.fixture
def server():
    with serving() as chat:
        yield chat


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("TEST_KEY", SECRET)


@pytest.fixture
def ask(server, tmp_path):
    """Return a function that answers the test part through the server, into p.parquet."""
    rows = [
        {"id": f"RP/movielens-32m/{n}", "task": "RP", "dataset": "movielens-32m",
         "instruction": "Rate.", "input": f"item {n}", "output": "3.5", "template_version": 1}
        for n in range(ROWS)
    ]  # fmt: skip
    write_parquet(tmp_path / "test.parquet", pa.Table.from_pylist(rows, schema=RECORD))

    def answered(adapter=None, **endpoint):
        given = {
            "base_url": server.url,
            "model": "m",
            "key_variable": "TEST_KEY",
            "first_wait_s": 0.0,
            "retries": 1,
            "cache": str(tmp_path / "cache.jsonl"),
        }
        described = {"model": "closed", "title": "C", "memory_mb": 500}
        model = check(ModelSettings, described | {"endpoint": given | endpoint}, "test")
        infer(model, {tmp_path / "p.parquet": adapter}, [tmp_path / "test.parquet"],
              InferenceSettings(engine="auto"), folders=FOLDERS)  # fmt: skip
        return read_parquet(tmp_path / "p.parquet", PREDICTION).to_pylist()

    return answered


def question(n):
    return f"Rate.\n\nitem {n}"


def test_answers_come_in_the_order_of_the_examples(server, ask):
    rows = ask()
    assert [row["answer"] for row in rows] == [f"re: {question(n)}" for n in range(ROWS)]
    assert [row["prompt_tokens"] for row in rows] == [len(question(n)) for n in range(ROWS)]
    assert {row["finish_reason"] for row in rows} == {"stop"}
    assert {body["max_tokens"] for body in server.bodies} == {8}
    assert {body["temperature"] for body in server.bodies} == {0}
    assert server.authorizations == {f"Bearer {SECRET}"}


def test_a_run_that_broke_off_asks_for_the_rest_alone(server, ask, tmp_path):
    server.faults[question(3)] = [Fault(status=500)] * 2
    with pytest.raises(EndpointError, match="no answer to 1 of 12 requests"):
        ask()
    assert not (tmp_path / "p.parquet").exists()
    (tmp_path / "cache.jsonl").unlink()  # the answers so far are enough
    assert len(ask()) == ROWS
    assert server.answered == {question(n): 1 for n in range(ROWS)}


def test_another_seed_pays_for_nothing_twice(server, ask, tmp_path):
    ask()
    (tmp_path / "p.parquet").unlink()
    ask()
    assert len(server.bodies) == ROWS


def test_a_refused_prompt_counts_as_unanswered(server, ask, caplog):
    server.faults[question(5)] = [Fault(status=400, body="too long")]
    rows = ask()
    assert [row["finish_reason"] for row in rows] == ["stop"] * 5 + ["refused"] + ["stop"] * 6
    assert rows[5]["answer"] == ""
    assert "RP/movielens-32m/5: the endpoint answers 400: too long" in caplog.text
    assert "1 prompts were refused and count as unanswered: RP/movielens-32m/5" in caplog.text


def test_refusing_everything_is_an_error(server, ask, tmp_path):
    server.always = Fault(status=400, body="unknown parameter")
    with pytest.raises(RefusedRequestsError, match="unknown parameter"):
        ask()
    assert not (tmp_path / "p.parquet").exists()


def test_the_cap_on_spending_holds(server, ask, caplog):
    caplog.set_level(logging.INFO)
    prices = {"input_price": 1000.0, "output_price": 1000.0}
    with pytest.raises(EndpointError, match="above its cap"):
        ask(**prices, spending_cap=0.3)
    assert 0 < len(server.bodies) < ROWS
    assert "12 of 12 requests to ask" in caplog.text
    with pytest.raises(EndpointError):
        ask(**prices, spending_cap=0.3)
    spent = sum(len(body["messages"][0]["content"]) + 4 for body in server.bodies) / 1000
    assert spent < 0.3


# Likelihoods of choices

CHOICES = ("Yes I do", "No")


@pytest.fixture
def score(server, tmp_path):
    """Return a function that scores CHOICES behind prompts of two and three words."""

    def answered(*texts):
        endpoint = ModelEndpoint(base_url=server.url, model="m", cache=str(tmp_path / "log"),
                                 first_wait_s=0.0, retries=1)  # fmt: skip
        prompts = [Prompt(text, "", text, 0, CHOICES) for text in texts]
        return {position: answer for came in ApiEngine(endpoint).answer(prompts, (), None)
                for position, answer in came}  # fmt: skip

    return answered


def test_choices_are_scored_where_the_server_tells_log_probabilities(server, score):
    server.tells = True
    found = score("item 1", "some item 2")
    assert found[0].choices == (
        ChoiceLikelihood("Yes I do", -6.0, 3, False), ChoiceLikelihood("No", -2.0, 1, True)
    )  # fmt: skip
    assert (found[1].text, found[1].prompt_tokens, found[1].finish_reason) == ("No", 3, "stop")
    assert [choice.logprob for choice in found[1].choices] == [-6.0, -2.0]
    asked = len(server.bodies)
    assert asked == 2 * (1 + len(CHOICES))
    begun = [body for body in server.bodies if body["messages"][-1]["role"] == "assistant"]
    assert all(
        body["continue_final_message"] and not body["add_generation_prompt"] for body in begun
    )
    assert score("item 1", "some item 2") == found and len(server.bodies) == asked, "nothing twice"


def test_a_prompt_that_is_refused_has_no_likelihoods(server, score):
    server.tells = True
    server.faults["item 1"] = [Fault(status=400, body="too long")]
    found = score("some item 2", "item 1")
    assert (found[1].finish_reason, found[1].choices) == ("refused", None)
    assert found[0].finish_reason == "stop"


@pytest.mark.parametrize("fault", [None, Fault(status=400, body="unknown: prompt_logprobs")])
def test_a_server_that_tells_none_is_refused_after_one_request(server, score, fault):
    server.always = fault
    why = "its answer holds none" if fault is None else "unknown: prompt_logprobs"
    with pytest.raises(
        EndpointError, match=rf"tells no log-prob.* cannot score choices: [\s\S]*{why}"
    ):
        score("item 1", "some item 2")
    assert len(server.bodies) == 1


def test_a_template_that_joins_prompt_and_choice_is_named(server, score):
    server.tells = True
    joined = [None, None, {"7": {"logprob": -1, "decoded_token": "xNo"}}]
    longer = json.dumps({"choices": [{"message": {}}], "prompt_logprobs": joined})
    server.faults["No"] = [Fault(body=longer)]
    with pytest.raises(
        EndpointError, match="the tokens behind the prompt say 'xNo', not the choice 'No'"
    ):
        score("item 1")


def test_thinking_is_turned_off_where_the_model_file_says_so(server, ask):
    ask(reasoning_effort="none")
    assert {body["reasoning_effort"] for body in server.bodies} == {"none"}


def test_an_adapter_cannot_be_sent(ask, tmp_path):
    with pytest.raises(SettingsError, match="takes no adapter from here"):
        ask(adapter=tmp_path)


@pytest.mark.parametrize(
    ("name", "variable"),
    [("gpt-3.5-turbo", "OPENAI_API_KEY"), ("gemini-2.5-flash", "GEMINI_API_KEY")],
)
def test_the_closed_models_of_the_paper_have_files(name, variable):
    model = load_model_settings(ROOT / "config" / "models" / f"{name}.yaml")
    assert model.endpoint.key_variable == variable
    assert model.endpoint.spending_cap and model.endpoint.base_url.startswith("https://")
    for engine in ("auto", "vllm", "transformers", "api"):
        assert engine_name(model, InferenceSettings(engine=engine)) == "api"


def test_a_model_with_weights_is_not_asked_for_over_a_network():
    tiny = load_model_settings(ROOT / "config" / "models" / "tiny.yaml")
    with pytest.raises(SettingsError, match=r"tiny.yaml names no 'endpoint'"):
        engine_name(tiny, InferenceSettings(engine="api"))


def test_a_model_is_in_one_place():
    with pytest.raises(SettingsError, match="either 'source' or 'endpoint'"):
        check(ModelSettings, {"model": "m", "title": "M", "memory_mb": 500}, "m.yaml")


GEMINI = load_yaml(ROOT / "config" / "models" / "gemini-2.5-flash.yaml")["endpoint"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"inference_gpus": 1, "endpoint": GEMINI}, "must be 0 for a model behind an endpoint"),
        ({"gpu_model": "a100", "source": "x"}, "gpu_model needs training_gpus or inference_gpus"),
        ({"training_gpus": 1, "gpu_model": "a100 80GB", "source": "x"}, "gpu_model"),
    ],
)
def test_gpus_are_asked_for_where_they_are_used(values, message):
    values = {"model": "m", "title": "M", "memory_mb": 500} | values
    with pytest.raises(SettingsError, match=message):
        check(ModelSettings, values, "m.yaml")
