"""What a step hands to the device, how long it takes and how much memory."""

import time

import pytest
import torch

from itdr.training.batches import answer_loss
from itdr.training.checkpointing import memory_of
from tests.gpu.adapted import LAYERS, checkpointed, gradients, moved, ours, together
from tests.gpu.counting import kernels, operations
from tests.gpu.models import NAMES, step

_GB = 1e9


@pytest.mark.parametrize("name", NAMES)
def test_a_layer_has_one_attention_call_and_few_casts(name, device, check):
    row = moved(together(step(device), share=True)[0], device)
    found = []
    for layers in (LAYERS, LAYERS + 1):
        model, called = ours(name, device, layers=layers)
        with operations() as forward:
            loss = answer_loss(model, row, called)
        with operations() as backward:
            loss.backward()
        found.append((forward, backward))
    (forward, backward), (more_forward, more_backward) = found
    forward, backward = more_forward - forward, more_backward - backward
    check(f"attention calls a layer: {name}", forward["_varlen_attn"], most=1)
    # A and B of each of the seven layers (six in GLM), and both norms to 32 bits and back.
    check(f"casts a layer, forward: {name}", forward["_to_copy"], most=18)
    linear = 6 if name == "glm-4-9b" else 7  # gate and up are one in GLM
    check(f"fused adapters a layer: {name}", forward["addmm_"], least=linear)
    check(f"operations a layer, forward: {name}", forward.total(), most=78)
    if device != "cpu":  # where products in 32 bits need casts
        check(f"casts a layer, backward: {name}", backward["_to_copy"], most=4)
        check(f"operations a layer, backward: {name}", backward.total(), most=110)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.cuda
def test_attention_is_the_variable_length_kernel_alone(name, device, check):
    model, called = ours(name, device)
    rows = together(step(device), share=True)
    gradients(model, called, rows)  # what is done once
    with kernels() as found:
        gradients(model, called, rows)
    forward = [k for k in found if "flash" in k and "bwd" not in k and "backward" not in k]
    check(f"flash kernels a layer: {name}", sum(found[k] for k in forward) / LAYERS, most=2)
    others = sum(found[k] for k in found if "fmha" in k or "softmax_warp" in k or "cudnn" in k)
    check(f"other attention kernels: {name}", others, most=0)


@pytest.mark.cuda
def test_rows_of_new_lengths_are_as_fast_as_those_of_known_ones(device, check):
    model, called = ours("qwen2.5-7b", device)
    known = together(step(device), share=True)
    new = [together(step(device, seed=seed), share=True) for seed in range(1, 21)]
    for _ in range(3):
        gradients(model, called, known)

    def seconds(rows):
        torch.cuda.synchronize()
        begin = time.monotonic()
        tokens = 0
        for row in rows:
            gradients(model, called, row)
            tokens += row[0]["input_ids"].numel()
        torch.cuda.synchronize()
        return (time.monotonic() - begin) / tokens

    check("time a token, new lengths to known", seconds(new) / seconds([known] * 20), most=1.3)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wanted", [False, True], ids=["kept", "checkpointed"])
@pytest.mark.cuda
def test_memory_is_what_was_reckoned(name, wanted, device, check):
    layers = 6
    model, called = ours(name, device, layers=layers)
    checkpointed(model, wanted)
    row = together(step(device, count=14), share=False)
    tokens, answers = row[0]["input_ids"].numel(), row[0]["wanted"].numel()
    torch.cuda.reset_peak_memory_stats()
    gradients(model, called, row)
    memory = memory_of(model)
    optimiser = 8 * sum(w.numel() for w in model.parameters() if w.requires_grad)  # none here
    beside = memory.needed(0, 0, 0) - memory.fixed  # not PyTorch's
    reckoned = memory.needed(tokens, answers, layers * wanted) - optimiser - beside
    peak = torch.cuda.max_memory_allocated()
    print(f"{name}: {peak / _GB:.1f} GB, reckoned {reckoned / _GB:.1f}, {tokens} tokens")
    how = "checkpointed" if wanted else "kept"
    check(f"memory to reckoned, {how}: {name}", peak / reckoned, most=1.25)
    check(f"memory to reckoned, {how}, at least: {name}", peak / reckoned, least=0.75)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_kept_of_a_layer_is_what_was_reckoned(name, device, check):
    row = moved(together(step(device), share=False)[0], device)
    tokens, found = row["input_ids"].numel(), []
    for layers in (LAYERS, LAYERS + 1):
        model, called = ours(name, device, layers=layers)
        own = {w.untyped_storage().data_ptr() for w in [*model.parameters(), *model.buffers()]}
        kept = {}

        def keep(tensor, own=own, kept=kept):
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in own:
                kept[storage.data_ptr()] = storage
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            answer_loss(model, row, called)
        found.append(sum(storage.nbytes() for storage in kept.values()) / tokens)
    kept = (found[1] - found[0]) / memory_of(model).layer
    check(f"bytes kept of a layer to reckoned: {name}", kept, most=1.25)
    check(f"bytes kept of a layer to reckoned, at least: {name}", kept, least=0.75)
