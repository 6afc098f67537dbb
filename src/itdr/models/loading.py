"""Loading tokenizers and models from a local folder or a model hub."""

import os
from pathlib import Path
from typing import Any

from itdr.errors import ModelError
from itdr.settings.model import ModelSettings


def load_tokenizer(settings: ModelSettings) -> Any:
    """Return the tokenizer of a base model.

    Raises:
        ModelError: it cannot be had, or has no chat template.
    """
    from transformers import AutoTokenizer

    tokenizer = _load(AutoTokenizer, settings)
    if not tokenizer.chat_template:
        raise ModelError(
            f"{settings.source}: the tokenizer has no chat template, so prompts cannot be made. "
            "Put one into its folder as chat_template.jinja."
        )
    return tokenizer


def load_model(settings: ModelSettings) -> Any:
    """Return the base model, ready for inference, on the GPU where there is one.

    Raises:
        ModelError: it cannot be had.
    """
    import torch
    from transformers import AutoModelForCausalLM

    cuda = torch.cuda.is_available()
    dtype = getattr(torch, settings.dtype) if cuda else torch.float32
    model = _load(AutoModelForCausalLM, settings, dtype=dtype)
    return model.to("cuda" if cuda else "cpu").eval()


def load_adapted(settings: ModelSettings, adapter: Path) -> Any:
    """Return the base model with a LoRA adapter merged into its weights.

    Raises:
        ModelError: the model cannot be had, or the adapter does not fit it or is damaged.
    """
    from peft import PeftModel

    model = load_model(settings)
    try:
        return PeftModel.from_pretrained(model, str(adapter)).merge_and_unload().eval()
    except Exception as error:  # peft and safetensors raise whatever they meet
        raise ModelError(
            f"{adapter}: not a LoRA adapter of {settings.model} ({error}). "
            "Delete it and train it again."
        ) from error


def _load(kind: Any, settings: ModelSettings, **options: Any) -> Any:
    if _looks_local(settings.source) and not settings.is_local:
        raise ModelError(
            f"{settings.source}: no such model folder. For the tiny model run 'itdr tiny-model "
            f"--out {settings.source}'; else put the model's files there."
        )
    try:
        return kind.from_pretrained(
            settings.source,
            revision=None if settings.is_local else settings.revision,
            trust_remote_code=False,
            **options,
        )
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise ModelError(
            f"{settings.source}: the model cannot be loaded ({reason}). Accept its licence on its "
            "page if it has one and set HF_TOKEN, or download it and name its folder as 'source' "
            f"in config/models/{settings.model}.yaml."
        ) from error


def _looks_local(source: str) -> bool:
    return source.startswith((".", "/", "config" + os.sep)) or source.count("/") > 1
