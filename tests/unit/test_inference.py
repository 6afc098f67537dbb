"""Engines answer every prompt, whatever shares a batch with it."""

import copy
import json
import os
import shutil

import pyarrow as pa
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from itdr.cli import main
from itdr.errors import DataError, ModelError, SettingsError
from itdr.files.checksums import sha256
from itdr.files.formats import read_parquet, write_checked_json, write_parquet
from itdr.inference import engines
from itdr.inference.batches import batches
from itdr.inference.engine import Prompt
from itdr.inference.infer import infer
from itdr.inference.tokens import TokenPrompt
from itdr.inference.transformers_engine import TransformersEngine
from itdr.instructions.record import PREDICTION, RECORD
from itdr.models import loading
from itdr.models.loading import load_adapted, load_model
from itdr.models.prompt import PromptRenderer
from itdr.provenance import provenance
from itdr.settings.experiment import InferenceSettings
from itdr.settings.folders import FOLDERS
from itdr.settings.model import ModelSettings
from tests.conftest import ROOT
from tests.models import make_random_adapter

WORDS = ["heat", "alien", "rocky", "matrix", "speed", "toy", "story", "seven", "fargo", "psycho"]


def settings_of(folder, **more):
    return ModelSettings(
        model="t", title="T", source=str(folder), dtype="float32", memory_mb=500, **more
    )


def prompts(count=23):
    generator = torch.Generator().manual_seed(2)
    lengths = torch.randint(1, 30, (count,), generator=generator).tolist()
    return [
        Prompt("p", "Do.", " ".join(WORDS[(i * n + k) % 10] for k in range(n)), 4 if i % 3 else 9)
        for i, n in enumerate(lengths)
    ]


def answers(folder, asked=None, *, answered=(), **settings):
    engine = TransformersEngine(settings_of(folder), InferenceSettings(**settings))
    return {i: a for came in engine.answer(asked or prompts(), answered, None) for i, a in came}


@pytest.fixture(scope="module")
def louder(random_model, tmp_path_factory):
    """Return a model with louder weights, so that answers differ and turns end."""
    folder = tmp_path_factory.mktemp("louder")
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_pretrained(random_model)
    for weights in model.parameters():
        weights.data += 0.3 * torch.randn_like(weights)
    model.get_input_embeddings().weight.data[model.config.eos_token_id] *= 1.6
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(random_model).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def alone(louder):
    return answers(louder, batch_size=1)


def test_an_answer_does_not_depend_on_what_shares_its_batch(louder, alone):
    assert answers(louder, batch_size=8) == alone
    assert len({answer.text for answer in alone.values()}) > 5
    assert {answer.finish_reason for answer in alone.values()} == {"stop", "length"}


def test_batches_at_the_same_time_give_the_same_answers_in_the_same_order(louder, alone):
    one, two = (answers(louder, batch_size=4, batches_at_once=count) for count in (1, 2))
    assert list(two) == list(one)
    assert two == alone


def test_whoever_stops_asking_gets_all_threads_back(louder):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        engine = TransformersEngine(
            settings_of(louder), InferenceSettings(batch_size=2, batches_at_once=2)
        )
        came = engine.answer(prompts(), (), None)
        next(came)
        came.close()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_greedy_answers_are_those_of_stepping_by_hand(louder, alone):
    model = AutoModelForCausalLM.from_pretrained(louder).eval()
    tokenizer = AutoTokenizer.from_pretrained(louder)
    prompt = prompts()[0]
    ids = start = PromptRenderer(tokenizer).prompt(prompt.instruction, prompt.text)
    for _ in range(prompt.max_answer_tokens):
        with torch.no_grad():
            best = int(model(torch.tensor([ids])).logits[0, -1].argmax())
        if best == tokenizer.eos_token_id:
            break
        ids = [*ids, best]
    expected = ids[len(start) :]
    assert alone[0].text == tokenizer.decode(expected, skip_special_tokens=True)
    assert (alone[0].tokens, alone[0].prompt_tokens) == (len(expected), len(start))
    ended = "length" if len(expected) == prompt.max_answer_tokens else "stop"
    assert alone[0].finish_reason == ended


def test_no_answer_is_longer_than_its_own_limit(alone):
    assert all(alone[i].tokens <= p.max_answer_tokens for i, p in enumerate(prompts()))


def test_a_models_own_way_of_sampling_is_left_out(louder, alone, tmp_path):
    folder = shutil.copytree(louder, tmp_path / "model")
    own = json.loads((folder / "generation_config.json").read_text())
    changed = own | {"do_sample": True, "temperature": 5.0, "repetition_penalty": 9.0}
    (folder / "generation_config.json").write_text(json.dumps(changed))
    assert answers(folder) == alone


def test_a_token_that_the_models_file_names_ends_an_answer(louder, alone):
    tokenizer = AutoTokenizer.from_pretrained(louder)
    longest = max(range(len(alone)), key=lambda i: alone[i].tokens)
    ids = tokenizer(alone[longest].text)["input_ids"]
    model = settings_of(louder, end_of_turn=tokenizer.convert_ids_to_tokens(ids[2]))
    engine = TransformersEngine(model, InferenceSettings())
    found = {i: a for came in engine.answer(prompts(), (), None) for i, a in came}
    assert found[longest].finish_reason == "stop"
    assert found[longest].text == tokenizer.decode(ids[: ids.index(ids[2])])
    ended = [i for i in alone if alone[i].finish_reason == "stop"]
    assert all(found[i].tokens <= alone[i].tokens for i in ended)


def test_a_tokenizer_without_a_pad_token_gives_the_same_answers(louder, alone, tmp_path):
    folder = shutil.copytree(louder, tmp_path / "no-pad")
    file = folder / "tokenizer_config.json"
    settings = json.loads(file.read_text())
    settings["pad_token"] = None
    file.write_text(json.dumps(settings))
    assert AutoTokenizer.from_pretrained(folder).pad_token_id is None
    assert answers(folder, batch_size=8) == alone


def test_an_adapter_of_a_model_in_16_bits_keeps_what_it_adds(random_model, tmp_path, monkeypatch):
    model = settings_of(random_model)
    adapter = make_random_adapter(model, tmp_path / "adapter", 4)
    file = adapter / "adapter_model.safetensors"
    weights = load_file(file)  # changes as small beside the model's weights as training leaves them
    save_file({n: w * (0.03 if "lora_B" in n else 1) for n, w in weights.items()}, file)
    base = load_model(model).bfloat16()

    def logits(dtype, with_adapter):
        monkeypatch.setattr(loading, "load_model", lambda _: copy.deepcopy(base).to(dtype))
        loaded = load_adapted(model, adapter) if with_adapter else loading.load_model(model)
        with torch.no_grad():  # in 32 bits, so that nothing but the weights has been rounded
            return loaded.float()(torch.arange(3, 60)[None]).logits

    exact = logits(torch.float32, True)
    added = exact - logits(torch.float32, False)
    assert (logits(torch.bfloat16, True) - exact).norm() < 0.01 * added.norm()  # merged: 0.11


def test_attention_that_plans_anew_for_each_length_is_off(random_model):
    torch.backends.cuda.enable_cudnn_sdp(True)
    load_model(settings_of(random_model))
    assert not torch.backends.cuda.cudnn_sdp_enabled()


def test_a_prompt_without_room_for_an_answer_is_skipped_not_cut(louder, alone):
    lengths = sorted(answer.prompt_tokens for answer in alone.values())
    found = answers(louder, max_length=lengths[10])
    for i, answer in found.items():
        room = alone[i].prompt_tokens + prompts()[i].max_answer_tokens <= lengths[10]
        assert answer == alone[i] if room else answer.finish_reason == "skipped"
    assert {answer.finish_reason for answer in found.values()} == {"stop", "length", "skipped"}


def test_no_prompt_is_longer_than_the_model_can_read(louder):
    asked = [Prompt("p", "Do.", "heat " * 900, 4), Prompt("p", "Do.", "heat", 4)]
    found = answers(louder, asked, max_length=8192)
    assert found[0].finish_reason == "skipped" and found[0].prompt_tokens > 1024
    assert found[1].finish_reason in ("stop", "length")


def test_an_answered_prompt_is_not_asked_again(louder, alone):
    found = answers(louder, answered=set(range(0, 23, 2)), batch_size=4)
    assert found == {i: alone[i] for i in range(1, 23, 2)}


def test_a_batch_holds_so_many_prompts_and_tokens():
    lengths = [5, 90, 40, 41, 42, 7, 6, 300]
    asked = [TokenPrompt([0] * n, 10) for n in lengths]
    found = batches(asked, range(8), size=3, tokens=160)
    assert found == [[7], [1], [4, 3, 2], [5, 6, 0]]


def test_prompts_with_the_same_instruction_share_a_batch():
    lengths = [5, 90, 40, 41, 42, 7, 6, 60]
    asked = [TokenPrompt([0] * n, 10, "rank" if i % 2 else "rate") for i, n in enumerate(lengths)]
    assert batches(asked, range(8), size=4, tokens=900) == [[1, 7, 3, 5], [4, 2, 6, 0]]
    assert batches(asked, range(8), size=8, tokens=900) == [[1, 7, 3, 5], [4, 2, 6, 0]]
    assert batches(asked, range(8), size=8, tokens=300) == [[1, 7, 3], [5], [4, 2, 6, 0]]


@pytest.fixture
def test_part(tmp_path):
    rows = [
        {"id": f"RP/movielens-32m/{n}", "task": "RP", "dataset": "movielens-32m", "user_id": str(n),
         "instruction": "Rate.", "input": f"item {n} {'heat ' * 5 * n}", "output": "3.5",
         "template_version": 1}
        for n in range(12)
    ]  # fmt: skip
    write_parquet(tmp_path / "test.parquet", pa.Table.from_pylist(rows, schema=RECORD))
    return tmp_path / "test.parquet"


def test_predictions_stand_in_the_order_of_the_examples(random_model, test_part, tmp_path):
    out = tmp_path / "p.parquet"
    settings = InferenceSettings(rows_per_cell=5, batch_size=2)
    count = infer(settings_of(random_model), {out: None}, [test_part], settings, folders=FOLDERS)
    rows = read_parquet(out, PREDICTION).to_pylist()
    assert count == 5
    assert [row["id"] for row in rows] == [f"RP/movielens-32m/{n}" for n in range(5)]
    assert all(row["reference"] == "3.5" and row["prompt_tokens"] > 10 for row in rows)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.parquet", "test.parquet"]


def test_predictions_say_what_gave_them(random_model, test_part, tmp_path):
    model, settings = settings_of(random_model), InferenceSettings(rows_per_cell=2)
    adapter = make_random_adapter(model, tmp_path / "adapter", 4)
    files = {tmp_path / "base.parquet": None, tmp_path / "tuned.parquet": adapter}
    infer(model, files, [test_part], settings, folders=FOLDERS)
    base, tuned = (read_parquet(path, PREDICTION).to_pylist()[1] for path in files)
    made = {name: base[name] for name in ("engine", "model", "adapter", "seed", "commit")}
    commit = provenance()["commit"]
    assert made == {"engine": "transformers", "model": "t", "adapter": None, "seed": None,
                    "commit": commit}  # fmt: skip
    assert len(base["revision"]) == 16 and base["revision"] == tuned["revision"]
    assert tuned["adapter"] == sha256(adapter / "adapter_model.safetensors")
    write_checked_json(adapter / "run.json", {"seed": 7})
    out = tmp_path / "again.parquet"
    infer(model, {out: adapter}, [test_part], settings, folders=FOLDERS)
    assert {row["seed"] for row in read_parquet(out, PREDICTION).to_pylist()} == {7}


def test_prompts_that_were_not_asked_are_named(random_model, test_part, tmp_path, caplog):
    settings = InferenceSettings(max_length=150)
    infer(settings_of(random_model), {tmp_path / "p.parquet": None}, [test_part], settings,
          folders=FOLDERS)  # fmt: skip
    rows = read_parquet(tmp_path / "p.parquet", PREDICTION).to_pylist()
    skipped = [row["id"] for row in rows if row["finish_reason"] == "skipped"]
    assert 0 < len(skipped) < len(rows)
    assert f"{len(skipped)} prompts leave no room" in caplog.text and skipped[0] in caplog.text


def test_a_damaged_adapter_is_named(random_model, test_part, tmp_path):
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text('{"peft_type": "LORA", "r": 2}')
    (adapter / "adapter_model.safetensors").write_bytes(b"half")
    with pytest.raises(ModelError, match=r"adapter: not a LoRA adapter of t .* train it again"):
        infer(settings_of(random_model), {tmp_path / "p.parquet": adapter}, [test_part],
              InferenceSettings(), folders=FOLDERS)  # fmt: skip
    assert not (tmp_path / "p.parquet").exists()


def test_a_part_that_is_named_twice_is_refused(random_model, test_part, tmp_path):
    with pytest.raises(DataError, match="'RP/movielens-32m/0' 2 times"):
        infer(settings_of(random_model), {tmp_path / "p.parquet": None}, [test_part, test_part],
              InferenceSettings(), folders=FOLDERS)  # fmt: skip


def test_every_adapter_needs_a_file_of_its_own(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in "ab":
        (tmp_path / name).mkdir()
    (tmp_path / "t").touch()
    words = ["infer", "--model", str(ROOT / "config/models/tiny.yaml"), "--adapter", "a", "b",
             "--test", "t", "--out", "o", "o"]  # fmt: skip
    assert main.main(words) == 1
    assert "2 adapters and 1 different files" in capsys.readouterr().err


def test_vllm_answers_for_models_on_gpus_if_it_is_installed(tmp_path, monkeypatch, random_model):
    monkeypatch.setattr(engines, "find_spec", lambda name: None)
    on_gpu, on_cpu = settings_of(random_model, inference_gpus=1), settings_of(random_model)
    for python, expected in ((tmp_path / "none", "transformers"), (tmp_path, "vllm")):
        monkeypatch.setattr(engines, "_VLLM_PYTHON", python)
        assert engines.engine_name(on_gpu, InferenceSettings()) == expected
        assert engines.stands_in(on_gpu, InferenceSettings()) is (expected == "transformers")
        assert not engines.stands_in(on_gpu, InferenceSettings(engine="transformers"))
        assert not engines.stands_in(on_cpu, InferenceSettings())
        assert engines.engine_name(on_cpu, InferenceSettings()) == "transformers"
    assert engines.engine_name(on_cpu, InferenceSettings(engine="vllm")) == "vllm"
    assert engines.python_elsewhere("vllm") == tmp_path
    monkeypatch.setattr(engines, "_VLLM_PYTHON", tmp_path / "none")
    with pytest.raises(SettingsError, match="make setup-vllm"):
        engines.engine_name(on_cpu, InferenceSettings(engine="vllm"))


def test_the_command_hands_over_to_the_python_that_has_vllm(tmp_path, monkeypatch):
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$@" > "$(dirname "$0")/words"\n')
    python.chmod(0o755)
    monkeypatch.setattr(engines, "find_spec", lambda name: None)
    monkeypatch.setattr(engines, "_VLLM_PYTHON", python)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t").touch()
    words = ["infer", "--model", str(ROOT / "config/models/tiny.yaml"), "--engine", "vllm",
             "--test", "t", "--out", "o"]  # fmt: skip
    child = os.fork()
    if child == 0:
        main.main(words)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    assert (tmp_path / "words").read_text().split() == ["-m", "itdr", *words]
