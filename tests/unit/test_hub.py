"""Base models come from a hub once, at their revision, and are then had without a network."""

import json
import os
import shutil
import subprocess
import sys

import pytest
import yaml

from tests.hub import serving
from tests.models import make_random_model

SOURCE, REVISION = "makers/random", "a" * 40


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The files of a model as a hub has them, some of which nobody needs."""
    folder = make_random_model(tmp_path_factory.mktemp("model"))
    (folder / "original").mkdir()
    for name in ("pytorch_model.bin", "original/model.safetensors", "picture.png"):
        (folder / name).write_bytes(b"of no use")
    return folder


@pytest.fixture
def hub(files):
    with serving(SOURCE, REVISION, files) as hub:
        yield hub


@pytest.fixture
def fetch(tmp_path, hub):
    """Return a function that runs `itdr fetch-model` with a cache of its own."""

    def run(*words, program=("-m", "itdr", "fetch-model"), **variables):
        model = {"model": "m", "title": "M", "source": SOURCE, "revision": REVISION,
                 "dtype": "float32", "memory_mb": 500}  # fmt: skip
        (tmp_path / "m.yaml").write_text(yaml.safe_dump(model | run.changes))
        given = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        return subprocess.run(
            [sys.executable, *program, "m.yaml", *words], cwd=tmp_path, text=True,
            capture_output=True, timeout=120,
            env=given | {"HF_ENDPOINT": hub.address, "HF_HOME": str(tmp_path / "hub")} | variables,
        )  # fmt: skip

    run.changes = {}
    return run


LOADS = """
import sys
from pathlib import Path
from itdr.models.loading import load_model, load_tokenizer
from itdr.settings.model import load_model_settings
settings = load_model_settings(Path(sys.argv[1]))
print(load_model(settings).num_parameters(), len(load_tokenizer(settings)))
"""


def test_a_model_is_fetched_once_and_then_loaded_offline(fetch, hub, tmp_path):
    done = fetch("--out", "fetched.json")
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "fetched.json").read_text())
    assert (told["source"], told["revision"]) == (SOURCE, REVISION)
    assert set(told["bytes"]) == hub.downloaded >= {"model.safetensors", "tokenizer.json"}
    assert not hub.downloaded & {"pytorch_model.bin", "picture.png"}
    assert not any("original" in path for path in hub.asked)

    hub.asked.clear()
    assert fetch().returncode == 0 and hub.asked == []
    loaded = fetch(program=("-c", LOADS), HF_HUB_OFFLINE="1")
    assert loaded.returncode == 0, loaded.stderr
    assert int(loaded.stdout.split()[0]) > 10_000 and hub.asked == []


SETTLED = """
import sys
from pathlib import Path
from itdr.models.loading import load_tokenizer
from itdr.models.source import settled
from itdr.settings.model import load_model_settings
settings = load_model_settings(Path(sys.argv[1]))
print(settled(settings).revision, load_tokenizer(settings).chat_template)
"""


def test_the_newest_commit_is_noted_where_the_file_names_none(fetch, hub, tmp_path):
    fetch.changes = {"revision": "main", "chat_template": "{{ messages[0]['content'] }}"}
    assert fetch(program=("-c", SETTLED), HF_HUB_OFFLINE="1").returncode == 1, "nothing is here yet"
    done = fetch("--out", "fetched.json")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "fetched.json").read_text())["revision"] == REVISION
    hub.asked.clear()
    told = fetch(program=("-c", SETTLED), HF_HUB_OFFLINE="1")
    assert told.stdout.split(maxsplit=1) == [REVISION, "{{ messages[0]['content'] }}\n"]
    assert fetch().returncode == 0 and hub.asked == []


def test_a_tokenizer_comes_without_the_weights_which_come_later(fetch, hub):
    assert fetch("--tokenizer-only").returncode == 0
    assert "tokenizer.json" in hub.downloaded and "model.safetensors" not in hub.downloaded
    assert fetch().returncode == 0
    assert "model.safetensors" in hub.downloaded


def test_a_licence_that_must_be_accepted_is_named(fetch, hub):
    hub.refused, fetch.changes = True, {"gated": True}
    done = fetch()
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert f"itdr fetch-model: {SOURCE}: the model cannot be downloaded" in done.stderr
    assert f"have accepted its licence: do so on https://huggingface.co/{SOURCE}" in done.stderr


def test_without_a_network_it_is_told_what_to_do(fetch):
    done = fetch(HF_HUB_OFFLINE="1")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "Run 'itdr fetch-model' where there is a network and HF_HOME is" in done.stderr


def test_what_is_no_model_is_refused(fetch, files, tmp_path):
    broken = shutil.copytree(files, tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"half")
    with serving(SOURCE, REVISION, broken) as other:
        done = fetch(HF_ENDPOINT=other.address)
    assert done.returncode == 1
    assert "model.safetensors is no safetensors file. Name another 'revision'" in done.stderr


def test_a_local_folder_needs_nothing(fetch, hub, files):
    fetch.changes = {"source": str(files), "revision": None}
    assert fetch().returncode == 0 and hub.asked == []
    fetch.changes = {"source": "./none", "revision": None}
    assert "./none: no such model folder" in fetch().stderr
