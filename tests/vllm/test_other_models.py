"""vLLM with other weights. A process can hold one vLLM at a time, so each test makes its own."""

import json
import shutil

import pytest

from itdr.errors import ModelError
from itdr.inference.vllm_engine import VllmEngine
from tests.vllm.conftest import SETTINGS, TINY, Answers, model_at


def test_vllm_with_the_adapter_merged_into_the_weights(merged, reference, prompts, alike):
    found = Answers(VllmEngine(merged, SETTINGS, []), prompts)
    alike("vLLM, adapter merged into a model's weights", "first", found.tokens,
          reference("first").tokens)  # fmt: skip


def test_a_models_own_way_of_sampling_is_left_out(reference, prompts, tmp_path):
    folder = shutil.copytree(TINY.source, tmp_path / "model")
    own = json.loads((folder / "generation_config.json").read_text())
    changed = own | {"do_sample": True, "temperature": 5.0, "repetition_penalty": 9.0}
    (folder / "generation_config.json").write_text(json.dumps(changed))
    found = Answers(VllmEngine(model_at(folder), SETTINGS, []), prompts)
    assert found.answers == reference(None).answers


def test_a_damaged_adapter_is_named(adapters, tmp_path):
    damaged = shutil.copytree(adapters["first"], tmp_path / "damaged")
    (damaged / "adapter_model.safetensors").write_bytes(b"half")
    with pytest.raises(ModelError, match=r"damaged: not a LoRA adapter of tiny .* train it again"):
        VllmEngine(TINY, SETTINGS, [damaged])


def test_a_model_that_vllm_cannot_load_is_named(tmp_path):
    folder = shutil.copytree(TINY.source, tmp_path / "model")
    (folder / "model.safetensors").write_bytes(b"half")
    with pytest.raises(ModelError, match=r"model: vLLM cannot load the model"):
        VllmEngine(model_at(folder), SETTINGS, [])


def test_a_build_for_the_processor_is_refused_for_a_model_on_gpus():
    model = TINY.model_copy(update={"inference_gpus": 1})
    with pytest.raises(ModelError, match="'inference_gpus' is 1, and vLLM here works on the proc"):
        VllmEngine(model, SETTINGS, [])
