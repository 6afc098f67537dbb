"""Loading tokenizers and models from a local folder or a model hub."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from itdr.errors import ModelError
from itdr.files.checksums import check_files, sha256
from itdr.files.formats import read_json
from itdr.models.check import (
    adapter_fault,
    cannot_be_loaded,
    require_all_tensors,
    require_whole,
)
from itdr.models.folder import faults, text_faults
from itdr.models.source import licence_hint, require_folder
from itdr.settings.model import ModelSettings

ADAPTER_WEIGHTS = "adapter_model.safetensors"
_LONGEST_REASON = 300  # characters of a library's own words


def load_tokenizer(settings: ModelSettings) -> Any:
    """Return the tokenizer of a base model, with the template and end of turn of its settings.

    Raises:
        ModelError: it cannot be had, has no chat template, or does not know the end of turn.
    """
    from transformers import AutoTokenizer

    require_whole(settings, text_faults)
    tokenizer = _load(AutoTokenizer, settings)
    tokenizer.chat_template = settings.chat_template or tokenizer.chat_template
    if not tokenizer.chat_template:
        raise ModelError(
            f"{settings.source}: the tokenizer has no chat template, so prompts cannot be made. "
            "Put one into its folder as chat_template.jinja, or as 'chat_template' into "
            f"config/models/{settings.model}.yaml."
        )
    for name, value in settings.template_values.items():
        tokenizer.chat_template = f"{{%- set {name} = {value!r} -%}}{tokenizer.chat_template}"
    if settings.end_of_turn:
        if settings.end_of_turn not in tokenizer.get_vocab():
            raise ModelError(
                f"config/models/{settings.model}.yaml: 'end_of_turn' is "
                f"{settings.end_of_turn!r}, which is no token of {settings.source}."
            )
        tokenizer.eos_token = settings.end_of_turn
    return tokenizer


def load_counter(source: str) -> Callable[[Sequence[str]], list[int]]:
    """Return a function that counts the tokens of texts, special tokens left out.

    source: Hugging Face id or folder of a tokenizer.

    Raises:
        ModelError: the tokenizer cannot be had.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
    except MemoryError:
        raise
    except Exception as error:  # the tokenizers library raises whatever it meets
        reason = (str(error).strip() or repr(error)).splitlines()[0]
        raise ModelError(
            f"{source}: the tokenizer cannot be loaded ({reason}). Give a Hugging Face id that can "
            "be reached from here, or the folder of a model."
        ) from error

    def count(texts: Sequence[str]) -> list[int]:
        encoded = tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"]
        return [len(ids) for ids in encoded]

    return count


def load_ends(settings: ModelSettings, tokenizer: Any) -> frozenset[int]:
    """Return the tokens that end an answer: the tokenizer's and those of the model's own."""
    from transformers import GenerationConfig

    own: Any
    try:
        own = GenerationConfig.from_pretrained(settings.source, **_revision(settings)).eos_token_id
    except Exception:  # many models have no generation_config.json
        own = load_config(settings).eos_token_id
    ends = [tokenizer.eos_token_id, *([own] if isinstance(own, int) else own or [])]
    return frozenset(end for end in ends if end is not None)


def longest_input(settings: ModelSettings) -> int:
    """Return how many tokens the model can read at most, prompt and answer together.

    Raises:
        ModelError: the model cannot be had, or does not say.
    """
    most = getattr(load_config(settings), "max_position_embeddings", None)
    if not isinstance(most, int) or most < 1:
        raise cannot_be_loaded(
            settings, f"config.json: 'max_position_embeddings' is {most!r}; a number is needed"
        )
    return most


def load_model(settings: ModelSettings, *, four_bit: bool = False, place: bool = True) -> Any:
    """Return the base model, ready for inference, on the GPU where there is one.

    four_bit: hold the weights of linear layers as 4-bit NormalFloat numbers, scales quantized too
    (Dettmers et al. 2023, arXiv:2305.14314). place: False leaves it in main memory.

    Raises:
        ModelError: it cannot be had.
    """
    import torch
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    # Its plans hold for one size alone, and making one takes longer than a step of an answer does.
    torch.backends.cuda.enable_cudnn_sdp(False)
    cuda = torch.cuda.is_available()
    dtype = getattr(torch, settings.dtype) if cuda else torch.float32
    # Weights in other formats are pickles, which can run code.
    options: dict[str, Any] = {"dtype": dtype, "use_safetensors": True}
    if four_bit:
        options["device_map"] = {"": torch.cuda.current_device()}
        options["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=dtype,
        )
    require_whole(settings, faults)
    model, loaded = _load(AutoModelForCausalLM, settings, output_loading_info=True, **options)
    require_all_tensors(settings, loaded)
    if place and not four_bit:
        model = model.to("cuda" if cuda else "cpu")
    return model.eval()


def weights_checksum(settings: ModelSettings) -> str | None:
    """Return one SHA-256 over a local model's weight files; None for a model of a hub.

    A hub's model is held by its revision.
    """
    if not settings.is_local:
        return None
    digest = hashlib.sha256()
    for file in sorted(Path(settings.source).glob("*.safetensors")):
        digest.update(f"{file.name} {sha256(file)}\n".encode())
    return digest.hexdigest()


def load_adapted(settings: ModelSettings, adapter: Path) -> Any:
    """Return the base model with a LoRA adapter, ready for inference.

    It is merged into weights in 32 bits. Rounded to 16 bits the sums would lose most of what the
    adapter adds, so there it is computed beside them, as vLLM does.

    Raises:
        ModelError: the model cannot be had, or the adapter does not fit it or is damaged.
    """
    import torch
    from peft import PeftModel

    require_safe_weights(adapter, settings)
    model = load_model(settings)
    try:
        adapted = PeftModel.from_pretrained(model, str(adapter), autocast_adapter_dtype=False)
        exact = model.dtype == torch.float32
        return (adapted.merge_and_unload() if exact else adapted.get_base_model()).eval()
    except Exception as error:  # peft and safetensors raise whatever they meet
        raise not_an_adapter(adapter, settings, error) from error


def check_adapter(adapter: Path) -> None:
    """Hold the files of an adapter against the checksums in its run.json, if it has one.

    Raises:
        DataError: one is damaged or missing.
    """
    record = adapter / "run.json"
    if record.is_file():
        check_files(adapter, read_json(record).get("files", {}), "Delete it and train it again.")


def require_safe_weights(adapter: Path, settings: ModelSettings) -> None:
    """Refuse an adapter that is not whole, or has no safetensors.

    Of another file peft would take a pickle, which can run code; tensors that are not there it
    would leave as they begin, without a word.

    Raises:
        ModelError: there is no adapter_model.safetensors in its folder, or its tensors are not
            those that its adapter_config.json adds to the model.
    """
    weights = adapter / ADAPTER_WEIGHTS
    if not weights.is_file():
        raise not_an_adapter(adapter, settings, f"it has no {ADAPTER_WEIGHTS}")
    if wrong := tensors_fault(adapter, settings):
        raise not_an_adapter(adapter, settings, wrong)


def tensors_fault(adapter: Path, settings: ModelSettings) -> str | None:
    """Return why the tensors of an adapter are not those that it adds to the model, or None.

    Raises:
        ModelError: the model's configuration cannot be had.
    """
    try:
        return adapter_fault(_adapter_shapes(settings, adapter), _shapes(adapter / ADAPTER_WEIGHTS))
    except (MemoryError, ModelError):
        raise
    except Exception as error:  # peft and safetensors raise whatever they meet
        return str(error).strip() or repr(error)


def load_config(settings: ModelSettings) -> Any:
    """Return what a model's config.json says (transformers.PretrainedConfig).

    Raises:
        ModelError: the model cannot be had.
    """
    from transformers import AutoConfig

    return _load(AutoConfig, settings)


def _adapter_shapes(settings: ModelSettings, adapter: Path) -> dict[str, tuple[int, ...]]:
    """Return name to shape of the tensors that an adapter of this model has, loading nothing."""
    import torch
    from peft import PeftConfig, PeftModel, get_peft_model_state_dict
    from transformers import AutoModelForCausalLM

    told = PeftConfig.from_pretrained(str(adapter))
    config = load_config(settings)
    with torch.device("meta"):
        model = PeftModel(AutoModelForCausalLM.from_config(config), told)
    tensors = get_peft_model_state_dict(model, save_embedding_layers=False)
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _shapes(weights: Path) -> dict[str, tuple[int, ...]]:
    from safetensors import safe_open

    with safe_open(str(weights), "pt") as file:
        return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118


def not_an_adapter(adapter: Path, settings: ModelSettings, why: object) -> ModelError:
    """Return the error of an adapter that does not fit its base model or is damaged."""
    return ModelError(
        f"{adapter}: not a LoRA adapter of {settings.model} ({why}). Delete it and train it again."
    )


def _load(kind: Any, settings: ModelSettings, **options: Any) -> Any:
    require_folder(settings)
    try:
        return kind.from_pretrained(
            settings.source, **_revision(settings), trust_remote_code=False, **options
        )
    except MemoryError:
        raise
    except Exception as error:  # transformers and safetensors raise whatever they meet
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        hint = licence_hint(settings)
        if not settings.is_local:
            hint += f"Bring it here with 'itdr fetch-model config/models/{settings.model}.yaml'. "
        raise cannot_be_loaded(settings, reason[:_LONGEST_REASON], hint) from error


def _revision(settings: ModelSettings) -> dict[str, Any]:
    return {"revision": None if settings.is_local else settings.revision}
