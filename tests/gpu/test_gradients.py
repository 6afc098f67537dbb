"""Every way to compute a step has the loss and the gradients of one example at a time."""

import pytest
import torch

from tests.gpu.adapted import checkpointed, gradients, one_by_one, ours, plain, together
from tests.gpu.models import NAMES, step


@pytest.fixture(scope="module", params=NAMES)
def expected(request, device):
    """Return a model's name, its examples, exact loss and gradients, and PEFT's error in bf16."""
    name, examples = request.param, step(device)
    rows = one_by_one(examples)
    loss, exact = gradients(*plain(name, device, torch.float32), rows)
    with torch.autocast(device, torch.bfloat16):
        _, usual = gradients(*plain(name, device, torch.bfloat16), rows)
    assert exact.abs().max() > 0
    return name, examples, loss, exact, error(usual, exact)


def error(found, exact):
    return ((found - exact).norm() / exact.norm()).item()


@pytest.mark.parametrize("attention", ["varlen", "per-example", "sdpa", "eager"])
@pytest.mark.parametrize("share", [False, True], ids=["packed", "shared"])
def test_loss_and_gradients(expected, device, check, attention, share):
    if share and attention not in ("varlen", "per-example"):
        pytest.skip("shares no prefixes")
    name, examples, loss, exact, usual = expected
    model, called = ours(name, device, attention)
    rows = together(examples, share=share)
    tokens = sum(len(example.ids) for example in examples)
    assert (rows[0]["input_ids"].numel() < tokens) == share
    found_loss, found = gradients(model, called, rows)
    what = f"{name}, {attention}, {'shared' if share else 'packed'}"
    check(f"loss: {what}", abs(found_loss / loss - 1), most=0.005)
    # As PEFT's own, one example at a time under autocast, is from that in 32 bits.
    check(f"gradients, of PEFT's error: {what}", error(found, exact) / usual, most=1.3)


def test_checkpointing_changes_nothing(expected, device, check):
    name, examples, *_ = expected
    model, called = ours(name, device)
    rows = together(examples, share=True)
    _, kept = gradients(model, called, rows)
    checkpointed(model, True)
    _, twice = gradients(model, called, rows)
    check(f"gradients, checkpointed: {name}", error(twice, kept), most=1e-3)


def test_compiled_parts_change_nothing(device, check):
    name = "glm-4-9b"
    rows = together(step(device), share=True)
    _, exact = gradients(*ours(name, device, layers=1), rows)
    _, found = gradients(*ours(name, device, layers=1, compile=True), rows)
    check(f"gradients, compiled: {name}", error(found, exact), most=0.03)
