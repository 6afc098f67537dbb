"""Rows side by side on threads learn what one row learns."""

from functools import partial

import pytest
import torch
from safetensors.torch import load_file

from itdr.models.threads import side_by_side
from itdr.settings.training import TrainingSettings
from itdr.training.batches import answer_loss, packed
from itdr.training.fused import fuse
from itdr.training.lora import train
from itdr.training.threads import add_gradients, rows_at_once
from tests.unit.test_batches import ALIKE, EXAMPLES, gradients, separate, tuned
from tests.unit.test_training import SETTINGS, mixture, model, read_losses  # noqa: F401


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "glm"])
@pytest.mark.parametrize("checkpointing", [False, True])
def test_rows_on_threads_have_the_loss_and_gradients_of_separate_rows(
    two_threads, architecture, checkpointing
):
    tuned_model, name = tuned(architecture, "per-example")
    expected_loss = separate(tuned_model, name, EXAMPLES + ALIKE)
    expected = gradients(tuned_model, expected_loss)
    tuned_model.zero_grad()
    assert fuse(tuned_model), "as in training"
    if checkpointing:
        tuned_model.enable_input_require_grads()
        tuned_model.base_model.model.activation_checkpointing_enable()
    tuned_model.train()
    parts = (EXAMPLES, ALIKE[:4], ALIKE[4:])
    rows = [packed(part, [0.1] * len(part), share=True) for part in parts]
    learnt = {n: p for n, p in tuned_model.named_parameters() if p.requires_grad}
    with side_by_side(2) as at_once:
        losses = [partial(answer_loss, tuned_model, row, name) for row in rows]
        loss = add_gradients(list(learnt.values()), losses, at_once)
    torch.testing.assert_close(loss, expected_loss.detach(), rtol=1e-5, atol=1e-6)
    for parameter, weight in learnt.items():
        assert expected[parameter].abs().max() > 1e-5, parameter
        assert (weight.grad - expected[parameter]).abs().max() < 1e-5, parameter
        assert weight.grad.stride() == weight.stride(), "else Adam takes it for another"


def test_training_on_two_threads_has_the_losses_and_the_adapter_of_one(
    two_threads, model, mixture, tmp_path  # noqa: F811
):  # fmt: skip
    settings = SETTINGS.model_copy(update={"batch_size": 9, "epochs": 4})
    assert rows_at_once(settings, [[0] * 9]) == 2
    train(model, mixture, tmp_path / "two", settings, seed=3)
    assert torch.get_num_threads() == 2
    torch.set_num_threads(1)
    train(model, mixture, tmp_path / "one", settings, seed=3)
    one, two = (
        [float(line.split(",")[1]) for line in read_losses(tmp_path / name).split()[1:]]
        for name in ("one", "two")
    )
    assert two == pytest.approx(one, abs=2e-5) and one[-1] < one[0]
    ours, theirs = (load_file(tmp_path / n / "adapter_model.safetensors") for n in ("two", "one"))
    for name in theirs:
        torch.testing.assert_close(ours[name], theirs[name], rtol=1e-3, atol=1e-5)


def test_rows_are_one_where_threads_would_not_help_or_change_what_is_drawn(two_threads):
    settings = TrainingSettings()
    assert rows_at_once(settings, [[0] * 8, [0] * 3]) == 2
    assert rows_at_once(settings, [[0] * 7]) == 1
    assert rows_at_once(settings.model_copy(update={"processes": 2}), [[0] * 8]) == 1
    assert rows_at_once(settings.model_copy(update={"lora_dropout": 0.1}), [[0] * 8]) == 1
    with side_by_side(1) as at_once:
        assert at_once is None


def test_a_failing_row_is_told_and_the_threads_are_given_back(two_threads):
    def fail():
        raise ValueError("row 7")

    with pytest.raises(ValueError, match="row 7"), side_by_side(2) as at_once:
        add_gradients([], [fail], at_once)
    assert torch.get_num_threads() == 2
