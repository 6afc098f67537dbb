"""`itdr doctor --online` against a server on this machine: it asks, and takes nothing."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from itdr.doctor.network import Address, addresses, check_network
from itdr.planning.loading import load_workflow
from tests.conftest import ROOT
from tests.machines import KEY, levels, machine, needs

TOKEN = "hf_0123456789"


@pytest.fixture
def server():
    """Yield a server that keeps what it was asked and answers /404 with 404, /403 so, and so on."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            asked.append((self.command, self.path, self.headers.get("Authorization")))
            last = self.path.strip("/").split("/")[-1].split(".")[0]
            self.send_response(int(last) if last.isdigit() else 200)
            self.send_header("Location", "/here")
            self.end_headers()

        do_HEAD = do_GET = answer

        def log_message(self, *_):
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    running.asked, running.url = asked, f"http://127.0.0.1:{running.server_port}"
    yield running
    running.shutdown()
    running.server_close()


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch):
    monkeypatch.chdir(ROOT)


def of_dataset(*urls):
    """Return needs of one dataset with one file at these addresses."""
    jobs = needs("fetch_dataset steam")
    source = jobs.sizes.workflow.datasets["steam"]
    file = source.files[0].model_copy(update={"name": "a.json", "at": urls})
    changes = {"page": "the page", "files": (file,)}
    jobs.sizes.workflow.datasets["steam"] = source.model_copy(update=changes)
    return jobs


def found(jobs, tmp_path, **variables):
    (finding,) = check_network(jobs, machine(tmp_path, variables=variables))
    return finding


def test_an_address_that_answers_is_ok_and_nothing_is_taken(server, tmp_path):
    finding = found(of_dataset(f"{server.url}/file"), tmp_path)
    assert (finding.check, finding.level) == ("online: data steam", "ok")
    assert finding.found == f"{server.url}/file answers"
    assert server.asked == [("HEAD", "/file", None)]


def test_one_address_of_several_is_enough(server, tmp_path):
    assert found(of_dataset(f"{server.url}/404", f"{server.url}/302"), tmp_path).level == "ok"


def test_what_is_refused_is_missing_by_address_and_answer(server, tmp_path):
    finding = found(of_dataset(f"{server.url}/404", f"{server.url}/403"), tmp_path)
    assert finding.level == "missing" and "see the page" in finding.advice
    assert f"{server.url}/404: 404 Not Found; {server.url}/403: 403" in finding.found


def test_a_server_that_knows_no_head_is_a_warning(server, tmp_path):
    assert found(of_dataset(f"{server.url}/405"), tmp_path).level == "warning"


def test_a_server_that_is_not_there_is_missing(server, tmp_path):
    server.shutdown()
    server.server_close()
    finding = found(of_dataset(f"{server.url}/file"), tmp_path)
    assert finding.level == "missing" and server.url in finding.found


def test_a_server_that_says_nothing_is_not_waited_for(tmp_path, monkeypatch):
    import socket

    from itdr.doctor import network

    monkeypatch.setattr(network, "_TIMEOUT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/file"
        assert found(of_dataset(url), tmp_path).level == "missing"


def test_the_token_goes_to_the_hub_of_a_gated_model_alone(server, tmp_path):
    jobs = needs("infer_model llama-3.2-3b/base", "infer_model qwen2.5-7b/base")
    here = machine(tmp_path, variables={"HF_ENDPOINT": server.url, "HF_TOKEN": TOKEN})
    findings = list(check_network(jobs, here))
    assert set(levels(findings).values()) == {"ok"} and TOKEN not in repr(findings)
    assert TOKEN not in repr(addresses(jobs, here))
    sent = {path.split("/")[1]: authorization for _, path, authorization in server.asked}
    assert sent == {"meta-llama": f"Bearer {TOKEN}", "Qwen": None}


def test_an_endpoint_may_refuse_what_has_no_key(server, tmp_path):
    teacher = {"base_url": f"{server.url}/v1/401", "cache": str(tmp_path / "cache")}
    jobs = needs("annotate_examples IR/steam", teacher=teacher)
    assert found(jobs, tmp_path, DEEPSEEK_API_KEY=KEY).level == "ok"
    assert server.asked == [("HEAD", "/v1/401", None)]


def test_every_place_of_the_papers_target_is_named(tmp_path):
    datasets = load_workflow([ROOT / "config" / "config.yaml"]).datasets
    jobs = needs(*(f"fetch_dataset {name}" for name in datasets))
    named = addresses(jobs, machine(tmp_path))
    assert all(isinstance(address, Address) for address in named)
    names = {address.name for address in named}
    assert names == {f"data {name}" for name in datasets} - {"data yelp"}  # by hand
    urls = [url for address in named for url in address.urls]
    assert "https://files.grouplens.org/datasets/movielens/ml-32m.zip" in urls
    assert any(url.startswith("https://huggingface.co/datasets/Recommenders/MIND/") for url in urls)
    assert any(url.startswith("https://www.kaggle.com") for url in urls)
