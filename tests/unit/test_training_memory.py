"""What training holds on a GPU, as reckoned and as autograd keeps it, and what is checkpointed."""

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import (
    AutoModelForCausalLM,
    GlmConfig,
    LlamaConfig,
    Qwen2Config,
)

from itdr.models.prompt import TokenizedExample
from itdr.models.training_memory import training_memory
from itdr.training.batches import answer_loss, packed
from itdr.training.checkpointing import Checkpointing, memory_of
from itdr.training.fused import fuse
from itdr.training.last_layer import narrow_last_layer
from tests import varlen_on_cpu

QWEN_7B = Qwen2Config(
    hidden_size=3584, intermediate_size=18944, num_hidden_layers=28, num_attention_heads=28,
    num_key_value_heads=4, vocab_size=152064,
)  # fmt: skip
GLM_9B = GlmConfig(
    hidden_size=4096, intermediate_size=13696, num_hidden_layers=40, num_attention_heads=32,
    num_key_value_heads=2, head_dim=128, vocab_size=151552,
)  # fmt: skip
# The same shapes an eighth as wide.
SMALL = {
    "qwen2": lambda layers: Qwen2Config(
        hidden_size=448, intermediate_size=2368, num_hidden_layers=layers, num_attention_heads=7,
        num_key_value_heads=1, vocab_size=512,
    ),
    "llama": lambda layers: LlamaConfig(
        hidden_size=384, intermediate_size=1024, num_hidden_layers=layers, num_attention_heads=6,
        num_key_value_heads=2, vocab_size=512,
    ),
    "glm": lambda layers: GlmConfig(
        hidden_size=512, intermediate_size=1712, num_hidden_layers=layers, num_attention_heads=8,
        num_key_value_heads=1, head_dim=64, vocab_size=512, pad_token_id=0,
    ),
}  # fmt: skip


def adapted(config):
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    name = varlen_on_cpu.set_attention(model)
    model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", target_modules="all-linear"))
    fuse(model)
    narrow_last_layer(model)
    return model.train(), name


def kept_bytes(model, name, row):
    """Return the bytes that autograd keeps for the backward pass, the model's own not counted."""
    own = {w.untyped_storage().data_ptr() for w in [*model.parameters(), *model.buffers()]}
    kept = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage  # held, so that no other takes its place
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        answer_loss(model, row, name)
    return sum(storage.nbytes() for storage in kept.values())


def row_of(length, examples=4):
    ids = torch.randint(1, 500, (examples, length)).tolist()
    return packed([TokenizedExample(one, length - 8) for one in ids], [0.1] * examples)


@pytest.mark.parametrize("architecture", SMALL)
@pytest.mark.parametrize("checkpointed", [False, True])
def test_the_bytes_kept_of_a_layer_are_those_that_are_reckoned(architecture, checkpointed):
    row = row_of(128)
    found = []
    for layers in (3, 4):
        model, name = adapted(SMALL[architecture](layers))
        Checkpointing(model, checkpointed, None, 0)
        found.append(kept_bytes(model, name, row) / row["input_ids"].numel())
    memory = training_memory(SMALL[architecture](4), 0)
    reckoned = memory.checkpointed if checkpointed else memory.layer
    # Beside them are a few numbers a token, as many as the adapter's rank and the heads.
    assert found[1] - found[0] == pytest.approx(reckoned, rel=0.08)


def test_the_reckoning_has_the_size_of_the_models_it_was_made_for():
    """Within a quarter of what was reckoned by hand for attention that copied more."""
    gb, answers = 1e9, 8192 // 8
    for config, weights, plain, checkpointed, mean in (
        (QWEN_7B, 15.2, 80, 29, 47),
        (GLM_9B, 18.8, 96, 35, 56),
    ):
        memory = training_memory(config, int(weights * gb))
        layers = config.num_hidden_layers
        assert memory.needed(8192, answers, 0) / gb == pytest.approx(plain, rel=0.25)
        assert memory.needed(8192, answers, layers) / gb == pytest.approx(checkpointed, rel=0.25)
        assert memory.needed(4290, 536, 0) / gb == pytest.approx(mean, rel=0.25)


def test_as_many_layers_are_checkpointed_as_a_row_needs_and_no_more():
    memory = training_memory(QWEN_7B, int(15.2e9))
    h200, card_24_gb = 130e9, 22e9
    assert memory.layers_to_checkpoint(8192, 1024, h200) == 0
    some = memory.layers_to_checkpoint(8192, 1024, 60e9)
    assert 0 < some < 28
    assert memory.needed(8192, 1024, some) <= 60e9 < memory.needed(8192, 1024, some - 1)
    assert memory.layers_to_checkpoint(2000, 250, 60e9) == 0
    assert memory.layers_to_checkpoint(8192, 1024, card_24_gb) == 28  # tried all the same


def flags(model):
    from transformers.modeling_layers import GradientCheckpointingLayer

    blocks = [m for m in model.modules() if isinstance(m, GradientCheckpointingLayer)]
    return [block.gradient_checkpointing for block in blocks]


def test_auto_decides_for_each_row_with_the_same_gradients_and_less_memory():
    model, name = adapted(SMALL["qwen2"](4))
    memory = memory_of(model)
    short, long = row_of(16), row_of(64)
    room = memory.needed(4 * 64, 32, 2)
    again = Checkpointing(model, "auto", memory, room)
    assert again.before(4 * 16, 32) == 0 and flags(model) == [False] * 4
    plain = kept_bytes(model, name, long)
    assert again.before(4 * 64, 32) == 2 and flags(model) == [True, True, False, False]
    less = kept_bytes(model, name, long)
    saved = 2 * 4 * 64 * (memory.layer - memory.checkpointed)
    assert plain - less == pytest.approx(saved, rel=0.08)

    def learnt(row):
        model.zero_grad()
        answer_loss(model, row, name).backward()
        return [w.grad.clone() for w in model.parameters() if w.requires_grad]

    with_two, _ = learnt(long), again.before(4 * 16, 32)
    for a, b in zip(with_two, learnt(long), strict=True):
        torch.testing.assert_close(a, b)
    assert learnt(short)


@pytest.mark.parametrize(("wanted", "expected"), [(True, [True] * 2), (False, [False] * 2)])
def test_true_and_false_mean_all_layers_and_none(wanted, expected):
    model, _ = adapted(SMALL["llama"](2))
    Checkpointing(model, wanted, None, 0).before(10**9, 10**9)
    assert flags(model) == expected


def test_the_fixed_part_is_weights_adapter_gradients_and_optimiser():
    model, _ = adapted(SMALL["llama"](2))
    learnt = sum(w.numel() for w in model.parameters() if w.requires_grad)
    frozen = sum(w.numel() for w in model.parameters() if not w.requires_grad)
    assert memory_of(model).fixed == 2 * frozen + 16 * learnt
