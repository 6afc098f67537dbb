"""A model's folder with one thing wrong: it is refused by name, or it works as before."""

import json
import shutil

import pytest

from itdr.errors import ModelError
from itdr.models.loading import load_adapted, load_ends, load_model, load_tokenizer, longest_input
from itdr.models.prompt import PromptRenderer
from tests.models import make_random_adapter
from tests.unit.test_safety import model_at

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
NEEDED = ("config.json", "model.safetensors", "tokenizer.json")
DAMAGES = {
    "empty": lambda data: b"",
    "cut": lambda data: data[: len(data) // 2],
    "a byte short": lambda data: data[:-2],
    "pointer": lambda data: POINTER,
    "no UTF-8": lambda data: b"\xff\xfe" + data,
    "a list": lambda data: b"[]",
    "null": lambda data: b"null",
    "a number": lambda data: b"1e999",
    "nested": lambda data: b"[" * 100_000,
    "NULs": lambda data: bytes(len(data)),
}


def first_token(folder):
    """Load all that inference does and return the token that is likeliest to come first."""
    import torch

    settings = model_at(folder)
    tokenizer = load_tokenizer(settings)
    prompt = PromptRenderer(tokenizer).prompt("Do this.", "With that.")
    assert load_ends(settings, tokenizer) and longest_input(settings) > 0
    with torch.no_grad():
        logits = load_model(settings)(input_ids=torch.tensor([prompt])).logits
    return int(logits[0, -1].argmax())


def refused(folder):
    """Return the one line with which a model is refused, or None where it is taken."""
    try:
        first_token(folder)
    except ModelError as error:
        assert str(folder) in str(error) and len(str(error)) < 1500
        assert len(str(error).splitlines()) == 1
        return str(error)
    return None


@pytest.fixture
def model(random_model, tmp_path):
    return shutil.copytree(random_model, tmp_path / "model")


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize(
    "name",
    ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
     "generation_config.json", "chat_template.jinja"],
)  # fmt: skip
def test_one_damaged_file_is_named(model, name, damage, random_model):
    path = model / name
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    harmless = name == "chat_template.jinja" and damage in ("a byte short", "nested", "a number")
    message = refused(model)
    assert (name in message) if message else harmless


@pytest.mark.parametrize("name", NEEDED)
def test_a_file_that_is_not_there_is_named(model, name):
    (model / name).unlink()
    assert name in refused(model)


def change_tensors(path, change):
    from safetensors.torch import load_file, save_file

    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path, {"format": "pt"})


def drop(tensors):
    del tensors["model.norm.weight"]


def rename(tensors):
    tensors["model.gnorm.weight"] = tensors.pop("model.norm.weight")


def add(tensors):
    tensors["model.more.weight"] = tensors["model.norm.weight"].clone()


def shorten(tensors):
    tensors["model.norm.weight"] = tensors["model.norm.weight"][:-1].clone()


def empty(tensors):
    tensors.clear()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop, r"model\.norm\.weight is missing"),
        (rename, r"model\.norm\.weight is missing; model\.gnorm\.weight is unknown"),
        (add, r"model\.more\.weight is unknown"),
        (shorten, r"model\.norm\.weight|mismatch"),
        (empty, "and [0-9]+ more are missing"),
    ],
)
def test_each_tensor_must_be_there_and_fit(model, change, message):
    change_tensors(model / "model.safetensors", change)
    with pytest.raises(ModelError, match=message):
        first_token(model)


def test_another_kind_of_model_is_refused(model):
    change_config(model, model_type="gpt2")
    assert "tensors are not those of its config.json" in refused(model)
    change_config(model, model_type="qwen2", quantization_config={"bits": 4})
    assert "config.json has a quantization_config" in refused(model)


def test_a_tokenizer_of_another_model_is_refused(model):
    change_config(model, vocab_size=100)
    assert "they are of different models" in refused(model)


def change_config(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("", "leaves out what is asked"),
        ("{# nothing #}", "leaves out what is asked"),
        ("\n\n{{ 1 / 0 }}", "cannot be used: line 3: division by zero"),
        ("{% for %}", "cannot be used: line 1"),
        ("{{ 'a' * 10 ** 11 }}", "cannot be used: line 1: it handles more than"),
    ],
)
def test_a_chat_template_is_tried_before_it_is_used(model, template, message):
    (model / "chat_template.jinja").write_text(template)
    assert message in refused(model)


@pytest.mark.slow
def test_no_value_in_a_configuration_ends_in_a_traceback(model):
    """Every key of config.json, with values that it cannot have."""
    path = model / "config.json"
    original = json.loads(path.read_text())
    taken = []
    for key in original:
        for value in ("x", -1, 0, 0.5, None, [], {}, True, "9" * 5000, 1e300):
            path.write_text(json.dumps(original | {key: value}))
            if refused(model) is None:
                taken.append(key)
    assert "hidden_size" not in taken and "model_type" not in taken


# Adapters


@pytest.fixture
def adapter(random_model, tmp_path):
    return make_random_adapter(model_at(random_model), tmp_path / "adapter", 2)


def keep_four(tensors):
    for name in sorted(tensors)[4:]:
        del tensors[name]


def rename_one(tensors):
    name = sorted(tensors)[0]
    tensors[name.replace("lora_A", "lora_C")] = tensors.pop(name)


def cut_one(tensors):
    name = sorted(tensors)[0]
    tensors[name] = tensors[name][:1].clone()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (keep_four, r"layers\.0.* and \d+ more are missing"),
        (rename_one, r"lora_A\.weight is missing; .*lora_C\.weight fits nowhere"),
        (cut_one, r"lora_A\.weight has another shape"),
    ],
)
def test_each_tensor_of_an_adapter_must_be_there_and_fit(random_model, adapter, change, message):
    assert load_adapted(model_at(random_model), adapter)
    change_tensors(adapter / "adapter_model.safetensors", change)
    with pytest.raises(ModelError, match=message):
        load_adapted(model_at(random_model), adapter)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["adapter_config.json", "adapter_model.safetensors"])
def test_a_damaged_adapter_is_named(random_model, adapter, name, damage):
    path = adapter / name
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    with pytest.raises(ModelError, match="adapter: not a LoRA adapter of t"):
        load_adapted(model_at(random_model), adapter)
