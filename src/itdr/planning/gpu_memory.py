"""How much memory each GPU of a model needs."""

from itdr.planning.estimate import engine_of
from itdr.planning.needs import Needs
from itdr.planning.sizes import Sizes


def gpu_memory_gb(model: str, needs: Needs) -> float:
    """Return the GB that each GPU of a model needs for what is left to do; an estimate."""
    variants = [job.wildcards["variant"] for job in needs.of("train_adapter")
                if job.wildcards["model"] == model]  # fmt: skip
    asked = model in needs.values("model", "infer_model")
    return max(
        _answering_gb(model, needs.sizes) if asked else 0.0,
        *(_training_gb(model, variant, needs.sizes) for variant in variants),
        0.0,
    )


def _training_gb(model: str, variant: str, sizes: Sizes) -> float:
    settings, rates = sizes.workflow.training(variant), sizes.rates.gpu_memory
    weights = _weights_gb(model, sizes) * (rates.four_bit_share if settings.four_bit else 1)
    shared = settings.of(sizes.workflow.models[model]).processes if settings.fsdp else 1
    longest = settings.batch_size * settings.max_length
    if settings.batch_unit == "tokens":
        longest = settings.batch_size
    row = settings.row_length if settings.packing else (
        settings.micro_batch_size * settings.max_length)  # fmt: skip
    # With auto a smaller GPU has more of it.
    kept = (rates.activations_kb if settings.gradient_checkpointing is False
            else rates.activations_with_checkpointing_kb)  # fmt: skip
    activations = min(row, longest) * kept * sizes.billions(model) / 1e6
    return weights / shared + activations + rates.beside_gb


def _answering_gb(model: str, sizes: Sizes) -> float:
    """Return what the weights and some room for keys and values take; vLLM uses 90 %."""
    gpus = max(1, sizes.workflow.models[model].inference_gpus)
    engine = engine_of(model, sizes)
    needed = _weights_gb(model, sizes) / (gpus if engine == "vllm" else 1)
    return (needed + sizes.rates.gpu_memory.beside_gb) / (0.9 if engine == "vllm" else 1)


def _weights_gb(model: str, sizes: Sizes) -> float:
    """Return the size of the weights as they lie on a GPU."""
    wide = sizes.workflow.models[model].dtype == "float32"
    return sizes.billions(model) * (4 if wide else 2)
