"""Whether a model's folder is complete, judged by its files alone."""

import json
import shutil

import pytest

from itdr.models.folder import cached_folder, faults
from tests.conftest import ROOT

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"


@pytest.fixture
def model(random_model, tmp_path):
    return shutil.copytree(random_model, tmp_path / "model")


def shard(model, *names):
    """Put the weights of a model into shards of these names, all with the same content."""
    weights = model / "model.safetensors"
    for name in names:
        shutil.copy(weights, model / name)
    weights.unlink()
    index = {"weight_map": {f"layer.{i}": name for i, name in enumerate(names)}}
    (model / "model.safetensors.index.json").write_text(json.dumps(index))


def test_complete_models_have_no_faults(model):
    assert faults(model) == []
    assert faults(ROOT / "config" / "models" / "tiny") == []
    shard(model, "model-1.safetensors", "model-2.safetensors")
    assert faults(model) == []


def test_a_shard_that_the_index_lists_must_be_there(model):
    shard(model, "model-1.safetensors", "model-2.safetensors")
    (model / "model-2.safetensors").unlink()
    assert faults(model) == ["no model-2.safetensors"]


def test_weights_that_are_cut_off_are_found_without_loading_them(model):
    weights = model / "model.safetensors"
    size = weights.stat().st_size
    weights.write_bytes(weights.read_bytes()[:-1])
    assert faults(model) == [f"model.safetensors is cut off: {size - 1:,} of {size:,} bytes"]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (POINTER.encode(), "is a Git LFS pointer"),
        (b"", "is no safetensors file"),
        (b"\x02\0\0\0\0\0\0\0[]", "is no safetensors file"),
        (b"\xff" * 20, "is no safetensors file"),
    ],
)
def test_what_is_no_weights_is_named(model, content, fault):
    (model / "model.safetensors").write_bytes(content)
    assert faults(model) == [f"model.safetensors {fault}"]


def test_weights_in_pickles_do_not_count(model):
    (model / "model.safetensors").rename(model / "pytorch_model.bin")
    assert faults(model) == ["no model.safetensors"]


def test_a_model_needs_a_configuration_a_tokenizer_and_a_chat_template(model):
    for path in model.glob("*"):
        if path.suffix != ".safetensors":
            path.unlink()
    found = faults(model)
    assert found[0] == "no config.json"
    assert found[1].startswith("no tokenizer") and "chat template" in found[2]
    (model / "config.json").write_text(POINTER)
    assert faults(model)[0] == "config.json is a Git LFS pointer"


@pytest.mark.parametrize("index", ["{", "[]", '{"weight_map": {}}', '{"weight_map": 3}'])
def test_an_index_that_is_none_is_named(model, index):
    (model / "model.safetensors.index.json").write_text(index)
    assert faults(model) == ["model.safetensors.index.json is no index of weights"]


def test_a_download_is_found_in_the_cache_by_its_revision(tmp_path):
    folder = tmp_path / "models--some--model"
    (folder / "snapshots" / "abc").mkdir(parents=True)
    assert cached_folder("some/model", "abc", tmp_path) == folder / "snapshots" / "abc"
    assert cached_folder("some/model", "def", tmp_path) is None
    assert cached_folder("some/model", None, tmp_path) is None
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("abc\n")
    assert cached_folder("some/model", None, tmp_path) == folder / "snapshots" / "abc"


def test_a_chat_template_of_ours_stands_in_for_one_that_is_missing_and_is_checked(model):
    (model / "chat_template.jinja").unlink()
    assert faults(model) == ["no chat_template.jinja, nor a chat template in tokenizer_config.json"]
    assert faults(model, "{{ messages[0]['content'] }}") == []
    assert faults(model, "Hello") == ["its chat_template leaves out what is asked"]


def test_a_file_whose_download_broke_off_is_missing_from_the_cache(model, tmp_path):
    blob = tmp_path / "blob"
    (model / "model.safetensors").rename(blob)
    (model / "model.safetensors").symlink_to(blob)
    assert faults(model) == []
    blob.unlink()
    assert faults(model) == ["no model.safetensors"]
