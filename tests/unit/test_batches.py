"""Packed rows give the logits, losses and gradients of rows that stand alone."""

from dataclasses import replace

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch.nn.attention.varlen import varlen_attn
from transformers import (
    GlmConfig,
    GlmForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from itdr.errors import SettingsError
from itdr.models.prompt import TokenizedExample
from itdr.settings.training import TrainingSettings
from itdr.training.attention import PER_EXAMPLE, VARLEN, knows_layouts, set_attention
from itdr.training.batches import Steps, answer_loss, packed, padded
from itdr.training.fused import fuse
from itdr.training.last_layer import narrow_last_layer
from itdr.training.prefixes import shared_prefixes
from tests import varlen_on_cpu
from tests.gpu.counting import operations

SHAPE = {
    "vocab_size": 50, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "pad_token_id": 0,
}  # fmt: skip
ARCHITECTURES = {
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**SHAPE)),
    "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**SHAPE)),
    "glm": lambda: GlmForCausalLM(GlmConfig(**SHAPE, head_dim=8)),
}
RANDOM = torch.Generator().manual_seed(0)


def tokens(length):
    return torch.randint(1, 50, (length,), generator=RANDOM).tolist()


EXAMPLES = [
    TokenizedExample(tokens(length), prompt)
    for length, prompt in ((9, 6), (2, 1), (17, 12), (1 + 5, 1), (12, 4))
]
HEAD, OTHER = tokens(20), tokens(30)  # as of two tasks' descriptions
ALIKE = [
    TokenizedExample([*head, *tokens(length)], prompt)
    for head, length, prompt in (
        (HEAD, 9, 24), (OTHER, 7, 31), (HEAD, 4, 22), (HEAD, 1, 20), (OTHER, 12, 35), ([], 5, 2),
    )
]  # fmt: skip


def tuned(architecture, attention):
    torch.manual_seed(0)
    model = ARCHITECTURES[architecture]()
    on_gpu = attention == "varlen"
    name = (varlen_on_cpu.set_attention if on_gpu else set_attention)(model, attention)
    lora = LoraConfig(task_type="CAUSAL_LM", r=4, target_modules="all-linear")
    adapted = get_peft_model(model, lora)
    for parameter in adapted.parameters():
        if parameter.requires_grad:  # LoRA begins with zeros, whose gradients hide mistakes
            torch.nn.init.normal_(parameter, std=0.2)
    return adapted, name


def gradients(model, loss):
    model.zero_grad()
    loss.backward()
    return {n: p.grad.clone() for n, p in model.named_parameters() if p.requires_grad}


def separate(model, name, examples=EXAMPLES):
    rows = [packed([example], [0.1]) for example in examples]
    return sum(answer_loss(model, row, name) for row in rows)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("attention", ["per-example", "varlen", "sdpa", "eager"])
def test_logits_of_a_packed_row_are_those_of_separate_rows(architecture, attention):
    model, name = tuned(architecture, attention)
    row = packed(EXAMPLES, [0.1] * len(EXAMPLES))
    with torch.no_grad():
        together = model(
            input_ids=row["input_ids"], position_ids=row["position_ids"], use_cache=False,
            **({"layout": row["layout"]} if knows_layouts(name) else {}),
        ).logits[0]  # fmt: skip
        model.base_model.model.set_attn_implementation("eager")
        alone = torch.cat([model(torch.tensor([e.ids])).logits[0] for e in EXAMPLES])
    assert (together - alone).abs().max() < 1e-5 and alone.abs().max() > 0.1


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("attention", ["per-example", "varlen", "sdpa", "eager"])
@pytest.mark.parametrize("collate", [packed, padded])
def test_gradients_of_a_shared_pass_are_those_of_separate_rows(architecture, attention, collate):
    model, name = tuned(architecture, attention)
    alone_loss = separate(model, name)
    alone = gradients(model, alone_loss)
    loss = answer_loss(model, collate(EXAMPLES, [0.1] * len(EXAMPLES)), name)
    together = gradients(model, loss)
    torch.testing.assert_close(loss, alone_loss, rtol=1e-5, atol=1e-6)
    for parameter, expected in alone.items():
        assert expected.abs().max() > 1e-5, parameter
        assert (together[parameter] - expected).abs().max() < 1e-5, parameter


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("attention", ["per-example", "varlen"])
@pytest.mark.parametrize("narrow", [False, True])
def test_shared_prefixes_leave_loss_and_gradients_as_they_are(architecture, attention, narrow):
    model, name = tuned(architecture, attention)
    row = packed(ALIKE, [0.1] * len(ALIKE), share=True)
    assert row["input_ids"].shape[1] == sum(len(e.ids) for e in ALIKE) - 20 - 19 - 30
    places = row["position_ids"][0].tolist()
    assert places[:29] == list(range(29)) and places[-5:] == list(range(5))
    alone_loss = separate(model, name, ALIKE)
    alone = gradients(model, alone_loss)
    assert not narrow or narrow_last_layer(model)
    loss = answer_loss(model, row, name)
    torch.testing.assert_close(loss, alone_loss, rtol=1e-5, atol=1e-6)
    for parameter, found in gradients(model, loss).items():
        assert alone[parameter].abs().max() > 1e-5, parameter
        assert (found - alone[parameter]).abs().max() < 1e-5, parameter


def prefixes(*examples):
    return [(prefix.owner, prefix.length) for prefix in shared_prefixes(examples)]


def test_the_longest_prefix_among_all_earlier_examples_is_shared():
    assert prefixes(*ALIKE) == [(0, 0), (1, 0), (0, 20), (0, 19), (1, 30), (5, 0)]
    # All begin as A does, with a template's head; what the Bs share beyond it is shared too.
    description = [*HEAD, *tokens(40)]
    a = TokenizedExample([*HEAD, *tokens(40)], 55)
    b = [TokenizedExample([*description, *tokens(9)], 65) for _ in range(3)]
    assert prefixes(a, *b) == [(0, 0), (0, 20), (1, 60), (1, 60)]
    assert prefixes(b[0], a, b[1]) == [(0, 0), (0, 20), (0, 60)]


@pytest.mark.parametrize("attention", ["per-example", "varlen"])
def test_a_prefix_of_a_prefix_is_shared_without_changing_the_gradients(attention):
    model, name = tuned("qwen2", attention)
    middle = [*HEAD, *tokens(18)]
    chain = [
        TokenizedExample([*HEAD, *tokens(20)], 33),
        TokenizedExample([*middle, *tokens(25)], 60),
        TokenizedExample([*middle, *tokens(6)], 41),
    ]
    assert prefixes(*chain) == [(0, 0), (0, 20), (1, 38)]
    alone = gradients(model, separate(model, name, chain))
    loss = answer_loss(model, packed(chain, [0.1] * 3, share=True), name)
    for parameter, found in gradients(model, loss).items():
        assert (found - alone[parameter]).abs().max() < 1e-5, parameter


WHOLE = [replace(example, learns_prompt=True) for example in ALIKE]


@pytest.mark.parametrize("attention", ["per-example", "varlen"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_loss_on_the_whole_text_is_plain_pytorchs_with_packing_and_shared_prefixes(
    architecture, attention
):
    model, name = tuned(architecture, attention)
    model.base_model.model.set_attn_implementation("eager")
    expected_loss = sum(
        (len(e.ids) - 1) * model(torch.tensor([e.ids]), labels=torch.tensor([e.ids])).loss
        for e in WHOLE
    ) / sum(len(e.ids) - 1 for e in WHOLE)
    expected = gradients(model, expected_loss)
    model.base_model.model.set_attn_implementation(name)
    assert narrow_last_layer(model)
    weights = [1 / sum(len(e.ids) - 1 for e in WHOLE)] * len(WHOLE)
    for row in (packed(WHOLE, weights), packed(WHOLE, weights, share=True), padded(WHOLE, weights)):
        loss = answer_loss(model, row, name)
        torch.testing.assert_close(loss, expected_loss, rtol=1e-5, atol=1e-6)
        for parameter, found in gradients(model, loss).items():
            assert expected[parameter].abs().max() > 1e-5, parameter
            assert (found - expected[parameter]).abs().max() < 1e-5, parameter


def test_a_prompt_that_is_learnt_is_shared_to_its_end_and_weighs_for_every_example():
    twin = replace(WHOLE[0], ids=[*WHOLE[0].ids[:-1], 49])
    row = packed([WHOLE[0], twin], [0.25, 0.5], share=True)
    length = len(twin.ids)
    assert prefixes(WHOLE[0], twin) == [(0, 0), (0, length - 1)]
    assert row["input_ids"].shape[1] == length + 1
    assert row["kept"].tolist() == [*range(length - 1)] * 2
    assert row["weights"].sum().item() == pytest.approx(0.75 * (length - 1))


def test_what_foretells_an_answer_is_never_shared():
    example = ALIKE[0]
    assert prefixes(example, example) == [(0, 0), (0, example.prompt_length - 1)]


def test_no_prefix_is_shared_where_that_saves_less_than_a_tenth_of_the_row():
    def row(longer):
        return [TokenizedExample([*HEAD, *tokens(longer)], 25) for _ in range(2)]

    assert prefixes(*row(79)) == [(0, 0), (0, 20)]  # 20 of 198
    assert prefixes(*row(81)) == [(0, 0), (1, 0)]  # 20 of 202
    assert not any(length for _, length in prefixes(*EXAMPLES))


@pytest.mark.parametrize("share", [False, True])
def test_a_row_has_one_call_of_variable_length_attention_a_layer(share, monkeypatch):
    model, name = tuned("glm", "varlen")
    calls = []
    from itdr.training import attention

    def counted(*arguments, **options):
        calls.append([len(states) for states in arguments[:3]])
        return varlen_attn(*arguments, **options)

    monkeypatch.setattr(attention, "varlen_attn", counted)
    narrow_last_layer(model)
    row = packed(ALIKE, [0.1] * len(ALIKE), share=share)
    answer_loss(model, row, name)
    tokens_in_row, whole = row["input_ids"].shape[1], sum(len(e.ids) for e in ALIKE)
    answers = row["kept"].numel()
    assert (tokens_in_row < whole) == share
    seen = whole - len(ALIKE)  # nothing sees the last token
    assert calls == [[tokens_in_row, whole, whole], [answers, seen, seen]]


@pytest.mark.parametrize("examples", [EXAMPLES, ALIKE])
def test_gradients_are_the_same_with_checkpointing(examples):
    model, name = tuned("llama", "per-example")
    expected = gradients(model, separate(model, name, examples))
    model.enable_input_require_grads()
    model.base_model.model.activation_checkpointing_enable()
    model.train()
    row = packed(examples, [0.1] * len(examples), share=True)
    found = gradients(model, answer_loss(model, row, name))
    for parameter in expected:
        torch.testing.assert_close(found[parameter], expected[parameter], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_fused_layers_have_the_loss_and_gradients_of_pefts(architecture):
    model, name = tuned(architecture, "per-example")
    expected_loss = separate(model, name)
    expected = gradients(model, expected_loss)
    assert fuse(model) == sum(n.endswith("lora_A") for n, _ in model.named_modules())
    loss = separate(model, name)
    torch.testing.assert_close(loss, expected_loss)
    for parameter, found in gradients(model, loss).items():
        assert expected[parameter].abs().max() > 1e-5, parameter
        torch.testing.assert_close(found, expected[parameter], rtol=1e-4, atol=1e-6)


def in_16_bits(architecture, dtype=torch.bfloat16):
    """Return a tuned model as it is trained on a GPU: weights in 16 bits, adapter in 32.

    dtype: torch.float32 gives the same numbers in 32 bits.
    """
    model, name = tuned(architecture, "varlen")
    for parameter in model.parameters():
        if not parameter.requires_grad:
            parameter.data = parameter.data.bfloat16().to(dtype)
    return model, name


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_model_in_16_bits_is_fused_without_autocast_and_learns_in_32(architecture):
    exact, name = in_16_bits(architecture, torch.float32)
    expected = gradients(exact, separate(exact, name))
    model, _ = in_16_bits(architecture)
    with torch.autocast("cpu", torch.bfloat16):  # as PEFT would have it
        usual_loss = answer_loss(model, packed(EXAMPLES, [0.1] * len(EXAMPLES)), name)
    usual = gradients(model, usual_loss)
    layers = fuse(model)
    assert layers == sum(n.endswith("lora_A") for n, _ in model.named_modules())
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        loss = answer_loss(model, packed(EXAMPLES, [0.1] * len(EXAMPLES)), name)
    calls = [event for event in profile.events() if event.name == "_Lora"]
    assert len(calls) == layers, "each layer goes the fused way"
    found = gradients(model, loss)
    assert all(gradient.dtype == torch.float32 for gradient in found.values())
    assert all((g.bfloat16() != g).any() for g in found.values()), "not rounded to 16 bits"
    # A number in bfloat16 is off by up to 0.4%.
    assert distance(found, expected) < min(0.03, 1.1 * distance(usual, expected))


def distance(found, expected):
    """Return the length of the difference of two gradients, as a share of the second's."""
    pairs = [(found[name].flatten(), expected[name].flatten()) for name in expected]
    one, other = (torch.cat(parts) for parts in zip(*pairs, strict=True))
    return ((one - other).norm() / other.norm()).item()


def test_without_autocast_there_are_half_as_many_casts_and_a_quarter_fewer_operations():
    def operations_of(layers, autocast):
        torch.manual_seed(0)
        model = Qwen2ForCausalLM(Qwen2Config(**SHAPE | {"num_hidden_layers": layers})).bfloat16()
        name = varlen_on_cpu.set_attention(model)
        if autocast:
            name = set_attention(model, "per-example")
        adapted = get_peft_model(
            model, LoraConfig(task_type="CAUSAL_LM", r=4, target_modules="all-linear")
        )
        fuse(adapted)
        row = packed(EXAMPLES, [0.1] * len(EXAMPLES))
        with operations() as found, torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            answer_loss(adapted, row, name)
        return found

    before, after = (
        operations_of(4, autocast) - operations_of(3, autocast) for autocast in (True, False)
    )
    # Those of A and B of seven layers, and of the two norms, to 32 bits and back.
    assert after["_to_copy"] == 2 * 7 + 2 * 2 < 0.6 * before["_to_copy"]
    assert after.total() < 0.75 * before.total()
    assert after["_varlen_attn"] == 1


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("examples", [EXAMPLES, ALIKE])
@pytest.mark.parametrize("checkpointing", [False, True])
def test_a_last_layer_for_answers_alone_has_the_loss_and_gradients_of_a_whole_one(
    architecture, examples, checkpointing
):
    model, name = tuned(architecture, "per-example")
    expected_loss = separate(model, name, examples)
    expected = gradients(model, expected_loss)
    assert narrow_last_layer(model)
    if checkpointing:
        model.enable_input_require_grads()
        model.base_model.model.activation_checkpointing_enable()
        model.train()
    loss = answer_loss(model, packed(examples, [0.1] * len(examples), share=True), name)
    torch.testing.assert_close(loss, expected_loss)
    for parameter, found in gradients(model, loss).items():
        assert expected[parameter].abs().max() > 1e-5, parameter
        assert (found - expected[parameter]).abs().max() < 1e-5, parameter
    model.eval()
    with torch.no_grad():
        whole = model(input_ids=torch.tensor([EXAMPLES[0].ids])).logits
    assert (whole[0].abs().amax(-1) > 0).all(), "without answers all tokens are computed"


def test_a_last_layer_that_is_not_known_stays_whole():
    from transformers import Qwen3Config, Qwen3ForCausalLM

    assert not narrow_last_layer(Qwen3ForCausalLM(Qwen3Config(**SHAPE, head_dim=8)))
    dropping = LlamaForCausalLM(LlamaConfig(**SHAPE, attention_dropout=0.1))
    assert not narrow_last_layer(dropping)


def test_layers_that_are_not_plain_go_pefts_way():
    dropping = get_peft_model(
        ARCHITECTURES["llama"](),
        LoraConfig(task_type="CAUSAL_LM", r=4, target_modules="all-linear", lora_dropout=0.1),
    )
    assert fuse(dropping) == 0
    model, _ = tuned("llama", "per-example")
    layers = fuse(model)
    layer = next(m for n, m in model.named_modules() if n.endswith("0.self_attn.q_proj"))
    x = torch.randn(1, 3, 32)
    with torch.autocast("cpu", torch.bfloat16):
        assert layers and layer(x).dtype == torch.bfloat16
    with model.disable_adapter():
        torch.testing.assert_close(layer(x), layer.base_layer(x))


def test_the_loss_is_the_one_over_all_logits():
    model, name = tuned("qwen2", "sdpa")
    example = EXAMPLES[2]
    labels = torch.tensor([[-100] * example.prompt_length + example.ids[example.prompt_length :]])
    with torch.no_grad():
        full = model(input_ids=torch.tensor([example.ids]), labels=labels).loss
        count = len(example.ids) - example.prompt_length
        ours = answer_loss(model, packed([example], [1 / count]), name)
    torch.testing.assert_close(ours, full)


def test_labels_are_the_answer_and_its_end_alone():
    two = [TokenizedExample([5, 6, 7, 8], 2), TokenizedExample([5, 9], 1)]
    row = packed(two, [0.25, 0.5])
    assert row["input_ids"].tolist() == [[5, 6, 7, 8, 5, 9]]
    assert row["position_ids"].tolist() == [[0, 1, 2, 3, 0, 1]]
    assert row["kept"].tolist() == [1, 2, 4] and row["wanted"].tolist() == [[7, 8, 9]]
    assert row["weights"].tolist() == [[0.25, 0.25, 0.5]]
    rows = padded(two, [0.25, 0.5])
    assert rows["input_ids"].tolist() == [[5, 6, 7, 8], [5, 9, 0, 0]]
    assert rows["attention_mask"].tolist() == [[1, 1, 1, 1], [1, 1, 0, 0]]
    assert rows["kept"].tolist() == [0, 1, 2]
    assert rows["weights"].tolist() == [[0, 0.25, 0.25], [0.5, 0, 0]]


@pytest.mark.parametrize("loss_over", ["tokens", "examples"])
@pytest.mark.parametrize(
    "division",
    [
        {},
        {"row_length": 20},
        {"packing": False, "micro_batch_size": 2},
        {"processes": 2},
        {"processes": 7},
    ],
)
def test_a_step_has_the_same_loss_however_it_is_divided(loss_over, division):
    model, name = tuned("llama", "per-example")
    settings = TrainingSettings(
        **{"batch_size": 5, "max_length": 20, "row_length": 64, "loss_over": loss_over} | division
    )
    data = Steps(EXAMPLES, [[3, 0, 1, 4, 2]], settings)
    with torch.no_grad():
        alone = [
            answer_loss(model, packed([e], [1.0]), name).item() for e in EXAMPLES
        ]  # summed over each one's answer
        found = sum(
            answer_loss(model, one, name).item() for item in range(len(data)) for one in data[item]
        )
    answers = [len(e.ids) - e.prompt_length for e in EXAMPLES]
    if loss_over == "tokens":
        expected = sum(alone) / sum(answers)
    else:
        expected = sum(loss / n for loss, n in zip(alone, answers, strict=True)) / len(answers)
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_variable_length_attention_without_a_gpu_is_refused():
    model = ARCHITECTURES["llama"]()
    with pytest.raises(SettingsError, match=r"attention is varlen, but there is no GPU here"):
        set_attention(model, "varlen")
    assert set_attention(model, "auto") == PER_EXAMPLE


@pytest.mark.parametrize(
    ("capability", "dtype", "changes", "expected"),
    [
        ((9, 0), torch.bfloat16, {}, VARLEN),
        ((8, 0), torch.float16, {}, VARLEN),
        ((7, 5), torch.float16, {}, PER_EXAMPLE),
        ((9, 0), torch.float32, {}, PER_EXAMPLE),
        ((9, 0), torch.bfloat16, {"attention_dropout": 0.1}, PER_EXAMPLE),
        ((9, 0), torch.bfloat16, {"head_dim": 12}, PER_EXAMPLE),
    ],
)
def test_a_gpu_gets_variable_length_attention_where_its_kernels_can_do_it(
    monkeypatch, capability, dtype, changes, expected
):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda: capability)
    model = LlamaForCausalLM(LlamaConfig(**SHAPE | changes)).to(dtype)
    assert set_attention(model, "auto") == expected
