"""A model with an adapter as training has it, and the plain way that it is compared with."""

from typing import Any

import torch
from peft import LoraConfig, get_peft_model

from itdr.settings.model import ModelSettings
from itdr.settings.training import TrainingSettings
from itdr.training.attention import set_attention
from itdr.training.batches import answer_loss, packed
from itdr.training.checkpointing import Checkpointing
from itdr.training.setup import adapt
from tests import varlen_on_cpu
from tests.gpu.models import make

LAYERS = 2
_MODEL = ModelSettings(model="random", title="Random", source="random", memory_mb=500)


def ours(name, device, attention="varlen", *, layers=LAYERS, **settings) -> tuple[Any, str]:
    """Return a model in 16 bits as training prepares it, and the name of its attention."""
    model = make(name, device, torch.bfloat16, layers)
    on_cpu = device == "cpu" and attention == "varlen"
    called = (varlen_on_cpu.set_attention if on_cpu else set_attention)(model, attention)
    adapted = adapt(model, _MODEL, TrainingSettings(**settings))
    return _disturbed(adapted), called


def plain(name, device, dtype) -> tuple[Any, str]:
    """Return the same model and adapter as PEFT computes it."""
    model = make(name, device, dtype, LAYERS)
    called = set_attention(model, "sdpa")
    lora = LoraConfig(task_type="CAUSAL_LM", lora_alpha=16, target_modules="all-linear")
    return _disturbed(get_peft_model(model.train(), lora)), called


def gradients(model, attention, rows) -> tuple[float, torch.Tensor]:
    """Return the loss of some rows and the gradients of the adapter, all in one vector."""
    model.zero_grad()
    total = 0.0
    for row in rows:
        loss = answer_loss(model, moved(row, model.device), attention)
        loss.backward()
        total += loss.item()
    found = [w.grad.float().flatten() for w in model.parameters() if w.requires_grad]
    return total, torch.cat(found)


def one_by_one(examples) -> list[dict[str, Any]]:
    """Return a row for each example, weighed as in a step of them all."""
    weight = 1 / sum(len(e.ids) - e.prompt_length for e in examples)
    return [packed([example], [weight]) for example in examples]


def together(examples, *, share) -> list[dict[str, Any]]:
    """Return one row of all examples."""
    weight = 1 / sum(len(e.ids) - e.prompt_length for e in examples)
    return [packed(examples, [weight] * len(examples), share=share)]


def moved(value, device):
    """Return a row's tensors on a device."""
    if isinstance(value, dict):
        return {key: moved(inner, device) for key, inner in value.items()}
    return value.to(device) if isinstance(value, torch.Tensor) else value


def checkpointed(model, wanted) -> Any:
    """Let all layers be checkpointed, or none."""
    return Checkpointing(model, wanted, None, 0)


def _disturbed(model):
    """Give the adapter other numbers than zeros, the same for every model of a name."""
    generator = torch.Generator().manual_seed(1)
    for weights in model.parameters():
        if weights.requires_grad:
            noise = torch.randn(weights.shape, generator=generator) * 0.02
            weights.data = noise.to(weights.device, weights.dtype)
    return model
