"""Nothing from outside runs code here, and no key gets out."""

import ast
import json
import logging
import pickle
import shutil

import pyarrow as pa
import pytest
import yaml

from itdr.cli.main import main
from itdr.errors import ModelError, SettingsError
from itdr.files.formats import write_parquet
from itdr.instructions.record import DRAFT, RECORD
from itdr.instructions.tasks import TaskSettings
from itdr.instructions.templates import ExampleText
from itdr.models.loading import load_adapted, load_model, load_tokenizer
from itdr.models.prompt import PromptRenderer
from itdr.settings.flags import as_flags
from itdr.settings.model import ModelSettings
from itdr.settings.reading import check, load
from itdr.settings.teacher import TeacherSettings
from tests.chat_server import SECRET, ChatServer, Fault, serving
from tests.conftest import ROOT


class Touch:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (exec, (f"open({str(self.path)!r}, 'w')",))


def model_at(folder):
    return check(
        ModelSettings,
        {"model": "t", "title": "T", "source": str(folder), "dtype": "float32", "memory_mb": 500},
        "test",
    )


# Models


def test_a_model_whose_weights_are_a_pickle_is_refused(random_model, tmp_path):
    folder, ran = tmp_path / "model", tmp_path / "ran"
    shutil.copytree(random_model, folder)
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Touch(ran)))
    with pytest.raises(ModelError, match=r"model: the model cannot be loaded"):
        load_model(model_at(folder))
    assert not ran.exists()


def test_an_adapter_whose_weights_are_a_pickle_is_refused(random_model, tmp_path):
    adapter, ran = tmp_path / "adapter", tmp_path / "ran"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text('{"peft_type": "LORA", "r": 2}')
    (adapter / "adapter_model.bin").write_bytes(pickle.dumps(Touch(ran)))
    with pytest.raises(ModelError, match=r"it has no adapter_model\.safetensors"):
        load_adapted(model_at(random_model), adapter)
    assert not ran.exists()


def test_the_code_that_a_model_brings_is_not_run(random_model, tmp_path):
    folder, ran = tmp_path / "model", tmp_path / "ran"
    shutil.copytree(random_model, folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "mine", "auto_map": {"AutoModelForCausalLM": "mine.Mine",
                                                  "AutoConfig": "mine.MineConfig"}}  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "mine.py").write_text(f"open({str(ran)!r}, 'w')")
    with pytest.raises(ModelError, match="the model cannot be loaded"):
        load_model(model_at(folder))
    assert not ran.exists()


def test_a_chat_template_that_reaches_for_python_is_refused(random_model):
    tokenizer = load_tokenizer(model_at(random_model))
    tokenizer.chat_template = "{{ messages.__class__.__base__.__subclasses__() }}"
    with pytest.raises(ModelError, match=r"used \(line 1: access to attribute '__class__'"):
        PromptRenderer(tokenizer).prompt("a", "b")


def test_a_model_of_a_hub_needs_its_commit():
    told = {"model": "t", "title": "T", "source": "Qwen/Qwen2.5-7B", "memory_mb": 500}
    with pytest.raises(SettingsError, match="needs its 'revision', the commit"):
        check(ModelSettings, told, "test")
    with pytest.raises(SettingsError, match="'revision': string should match pattern"):
        check(ModelSettings, told | {"revision": "v1.0"}, "test")
    check(ModelSettings, told | {"revision": "0" * 40}, "test")


# Templates


@pytest.mark.parametrize(
    "text",
    [
        "{{ history.__class__.__mro__ }}",
        "{{ ''.__class__.__base__.__subclasses__() }}",
        "{{ history.append.__self__.__class__ }}",
        "{{ self.__init__.__globals__ }}",
        "{% set x = history.append(1) %}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
    ],
)
def test_a_task_template_that_reaches_for_python_is_refused(tmp_path, text):
    task = yaml.safe_load((ROOT / "config" / "tasks" / "RP.yaml").read_text())
    task["datasets"]["movielens-32m"]["template"] = text
    path = tmp_path / "RP.yaml"
    path.write_text(yaml.safe_dump(task))
    with pytest.raises(SettingsError, match=r"tasks/RP\.yaml: template of movielens-32m"):
        ExampleText(load(TaskSettings, path), "movielens-32m")


# What ruff does not look for


FORBIDDEN = {
    ("trust_remote_code", True),
    ("allow_pickle", True),
    ("weights_only", False),
    ("use_safetensors", False),
    ("verify", False),
}


def test_no_call_opens_a_door():
    found = [
        f"{path.name}:{node.lineno}: {word.arg}"
        for path in (ROOT / "src").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        for word in node.keywords
        if isinstance(word.value, ast.Constant) and (word.arg, word.value.value) in FORBIDDEN
    ]
    assert not found


# Keys


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("TEST_KEY", SECRET)
    with serving() as chat:
        yield chat


FAULTS = {
    "refused": Fault(401, body=f"Incorrect API key provided: {SECRET}. Headers: {SECRET}"),
    "cut": Fault(401, body="x" * 190 + SECRET),
    "broken": Fault(500, body=f"<html>{SECRET}</html>"),
    "echoed": Fault(body=json.dumps({"choices": [{"message": {"content": f"You are {SECRET}"}}]})),
}


def command(name, server: ChatServer, folder):
    """Return the words of a command that asks the server; its files lie in the folder."""
    told = {"base_url": server.url, "model": "m", "key_variable": "TEST_KEY", "retries": 0,
            "cache": str(folder / "cache.jsonl"), "spending_cap": None}  # fmt: skip
    row = {"id": "IR/steam/1", "task": "IR", "dataset": "steam", "instruction": "Do.",
           "input": "that", "output": "x", "template_version": 1}  # fmt: skip
    if name == "annotate":
        draft = row | {"output": None, "teacher_prompt": "Say."}
        write_parquet(folder / "in.parquet", pa.Table.from_pylist([draft], DRAFT))
        flags = as_flags(check(TeacherSettings, told, "test")).split()
        return [name, "--examples", str(folder / "in.parquet"), "--out",
                str(folder / "out.parquet"), *flags]  # fmt: skip
    write_parquet(folder / "test.parquet", pa.Table.from_pylist([row], RECORD))
    model = {"model": "closed", "title": "C", "memory_mb": 500, "endpoint": told}
    (folder / "closed.yaml").write_text(yaml.safe_dump(model))
    return [name, "--model", str(folder / "closed.yaml"), "--test", str(folder / "test.parquet"),
            "--out", str(folder / "p.parquet")]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", ["annotate", "infer"])
def test_a_key_is_in_nothing_that_a_command_says_or_writes(
    name, fault, server, tmp_path, caplog, capfd
):
    caplog.set_level(logging.DEBUG)
    server.always = FAULTS[fault]
    status = main(command(name, server, tmp_path))
    assert server.authorizations == {f"Bearer {SECRET}"}
    assert status == (0 if fault == "echoed" else 1)
    said = capfd.readouterr()
    texts = [caplog.text, said.out, said.err]
    texts += [path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if path.is_file()]
    for length in range(8, len(SECRET) + 1):
        assert not [text for text in texts if SECRET[:length] in text]
