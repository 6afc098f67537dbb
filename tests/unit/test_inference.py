"""Engines answer every prompt, whatever shares a batch with it."""

import pyarrow as pa
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from itdr.errors import ModelError
from itdr.inference.engine import Prompt
from itdr.inference.infer import infer
from itdr.inference.transformers_engine import TransformersEngine
from itdr.instructions.record import PREDICTION, RECORD
from itdr.settings.experiment import InferenceSettings
from itdr.settings.model import ModelSettings
from itdr.storage import read_parquet, write_parquet
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def parts(random_model):
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_pretrained(random_model).eval()
    for weights in model.parameters():  # louder weights, so that answers differ and turns end
        weights.data += 0.3 * torch.randn_like(weights)
    return model, AutoTokenizer.from_pretrained(random_model)


def prompts(count=23):
    generator = torch.Generator().manual_seed(2)
    lengths = torch.randint(3, 60, (count,), generator=generator).tolist()
    return [
        Prompt(torch.randint(3, 256, (n,), generator=generator).tolist(), 4 if i % 3 else 9)
        for i, n in enumerate(lengths)
    ]


def test_an_answer_does_not_depend_on_what_shares_its_batch(parts):
    alone = dict(TransformersEngine(*parts, batch_size=1, max_length=500).answer(prompts()))
    together = dict(TransformersEngine(*parts, batch_size=8, max_length=500).answer(prompts()))
    assert alone == together
    assert len({answer.text for answer in alone.values()}) > 5


def test_greedy_answers_are_those_of_stepping_by_hand(parts):
    model, tokenizer = parts
    prompt = prompts()[0]
    ids = list(prompt.ids)
    for _ in range(prompt.max_answer_tokens):
        with torch.no_grad():
            best = int(model(torch.tensor([ids])).logits[0, -1].argmax())
        if best == tokenizer.eos_token_id:
            break
        ids.append(best)
    answer = dict(TransformersEngine(*parts, batch_size=4, max_length=500).answer(prompts()))[0]
    expected = ids[len(prompt.ids) :]
    assert answer.text == tokenizer.decode(expected, skip_special_tokens=True)
    assert answer.tokens == len(expected)
    assert answer.finish_reason == (
        "length" if len(expected) == prompt.max_answer_tokens else "stop"
    )


def test_no_answer_is_longer_than_its_own_limit(parts):
    asked = prompts()
    for i, answer in TransformersEngine(*parts, batch_size=8, max_length=500).answer(asked):
        assert answer.tokens <= asked[i].max_answer_tokens


def test_a_prompt_without_room_for_an_answer_is_skipped_not_cut(parts):
    asked = [Prompt([5] * 30, 4), Prompt([5] * 10, 4)]
    answers = dict(TransformersEngine(*parts, batch_size=8, max_length=20).answer(asked))
    assert answers[0].finish_reason == "skipped" and answers[0].text == ""
    assert answers[1].finish_reason in ("stop", "length")


@pytest.fixture
def test_part(tmp_path):
    rows = [
        {"id": f"RP/movielens-32m/{n}", "task": "RP", "dataset": "movielens-32m", "user_id": str(n),
         "instruction": "Rate.", "input": f"item {n}", "output": "3.5", "template_version": 1}
        for n in range(7)
    ]  # fmt: skip
    write_parquet(tmp_path / "test.parquet", pa.Table.from_pylist(rows, schema=RECORD))
    return tmp_path / "test.parquet"


def settings_of(folder):
    return ModelSettings(model="t", title="T", source=str(folder), dtype="float32", memory_mb=500)


def test_predictions_stand_in_the_order_of_the_examples(random_model, test_part, tmp_path):
    out = tmp_path / "p.parquet"
    settings = InferenceSettings(rows_per_cell=5, batch_size=2)
    count = infer(settings_of(random_model), None, [test_part], out, settings,
                  tasks=ROOT / "config" / "tasks")  # fmt: skip
    rows = read_parquet(out, PREDICTION).to_pylist()
    assert count == 5
    assert [row["id"] for row in rows] == [f"RP/movielens-32m/{n}" for n in range(5)]
    assert all(row["reference"] == "3.5" and row["prompt_tokens"] > 10 for row in rows)


def test_a_damaged_adapter_is_named(random_model, test_part, tmp_path):
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text('{"peft_type": "LORA", "r": 2}')
    (adapter / "adapter_model.safetensors").write_bytes(b"half")
    with pytest.raises(ModelError, match=r"adapter: not a LoRA adapter of t .* train it again"):
        infer(settings_of(random_model), adapter, [test_part], tmp_path / "p.parquet",
              InferenceSettings(), tasks=ROOT / "config" / "tasks")  # fmt: skip
    assert not (tmp_path / "p.parquet").exists()
