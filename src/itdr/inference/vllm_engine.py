"""Answers from vLLM, in this process, with continuous batching and prefix caching."""

import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from itdr.errors import ModelError
from itdr.inference.engine import Answered, Prompt
from itdr.inference.tokens import TokenPrompt, Tokens
from itdr.inference.vllm_likelihood import score_choices
from itdr.models.loading import not_an_adapter, require_safe_weights
from itdr.settings.experiment import InferenceSettings
from itdr.settings.model import ModelSettings

_BLOCK_ON_CPU = 32  # tokens
_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)  # that vLLM makes room for

# Only where the caller has not decided otherwise.
_ENVIRONMENT = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # the scheduler in this process: repeatable order
    "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_NO_USAGE_STATS": "1",
}
_ENVIRONMENT_ON_CPU = {
    "VLLM_HOST_IP": "127.0.0.1",
    "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB
}


class VllmEngine:
    """Greedy decoding and likelihoods with one base model and any number of LoRA adapters."""

    def __init__(
        self, model: ModelSettings, settings: InferenceSettings, adapters: Sequence[Path]
    ) -> None:
        """Load the base model, with room for the adapters.

        Raises:
            ModelError: the model cannot be had, does not fit, or an adapter is none.
        """
        self._model = model
        self._tokens = Tokens(model, settings.max_length)
        self._numbers = {adapter: number for number, adapter in enumerate(adapters, start=1)}
        ranks = [_rank(adapter, model) for adapter in adapters]
        self._llm = _load(model, self._tokens.max_length, max(ranks, default=0))

    def answer(
        self, prompts: Sequence[Prompt], answered: Collection[int], adapter: Path | None
    ) -> Iterator[Answered]:
        """Yield the answers that end at the same step of the model, as an Engine does."""
        asked = self._tokens.prompts(prompts)
        if skipped := self._tokens.skipped(asked, answered):
            yield skipped
        lora = self._with(adapter)
        left = [
            position
            for position, prompt in enumerate(asked)
            if position not in answered and self._tokens.fits(prompt)
        ]
        scored = {position: asked[position] for position in left if asked[position].choices}
        yield from self._generated(asked, [at for at in left if at not in scored], lora)
        for position, told in score_choices(self._llm.llm_engine, scored, lora):
            yield [(position, self._tokens.chosen(prompts[position], asked[position], told))]

    def _generated(
        self, asked: Sequence[TokenPrompt], positions: Sequence[int], lora: Any
    ) -> Iterator[Answered]:
        from vllm import SamplingParams
        from vllm.inputs import tokens_input
        from vllm.sampling_params import RequestOutputKind

        engine = self._llm.llm_engine
        for position in positions:
            greedy = SamplingParams(
                temperature=0.0,
                max_tokens=asked[position].limit,
                stop_token_ids=sorted(self._tokens.ends),
                detokenize=False,
                output_kind=RequestOutputKind.FINAL_ONLY,
            )
            prompt = tokens_input(asked[position].ids)
            engine.add_request(str(position), prompt, greedy, lora_request=lora)
        while engine.has_unfinished_requests():
            ended = [output for output in engine.step() if output.finished]
            if ended:
                yield [
                    (at, self._tokens.answer(asked[at], output.outputs[0].token_ids))
                    for at, output in ((int(output.request_id), output) for output in ended)
                ]

    def _with(self, adapter: Path | None) -> Any:
        """Return vLLM's name for an adapter that it has loaded, or None for the base model."""
        if adapter is None:
            return None
        from vllm.lora.request import LoRARequest

        lora = LoRARequest(str(adapter), self._numbers[adapter], str(adapter.resolve()))
        try:
            self._llm.llm_engine.add_lora(lora)
        except Exception as error:  # vLLM and safetensors raise whatever they meet
            raise not_an_adapter(adapter, self._model, _first_line(error)) from error
        return lora


def _load(model: ModelSettings, max_length: int, rank: int) -> Any:
    _set(_ENVIRONMENT)
    from vllm import LLM
    from vllm.platforms import current_platform

    on_cpu = current_platform.is_cpu()
    if on_cpu is bool(model.inference_gpus):
        raise ModelError(
            f"config/models/{model.model}.yaml: 'inference_gpus' is {model.inference_gpus}, and "
            f"vLLM here works on {'the processor' if on_cpu else 'GPUs'} alone. Change it, install "
            f"another build with 'make setup-vllm TORCH={'cuda' if on_cpu else 'cpu'}', or choose "
            "the engine transformers."
        )
    if on_cpu:
        _set(_ENVIRONMENT_ON_CPU)
    lora = {"enable_lora": True, "max_lora_rank": _room(rank)} if rank else {}
    try:
        return LLM(
            model=model.source,
            revision=None if model.is_local else model.revision,
            trust_remote_code=False,
            load_format="safetensors",  # other formats are pickles, which can run code
            dtype="float32" if on_cpu else model.dtype,
            tensor_parallel_size=max(1, model.inference_gpus),
            max_model_len=max_length,
            enable_prefix_caching=True,
            # Whole blocks are cached, and vLLM's own on a CPU are longer than many prompts.
            block_size=_BLOCK_ON_CPU if on_cpu else None,
            enforce_eager=on_cpu,
            logprobs_mode="raw_logprobs",  # of the model, whatever is done to draw a token
            generation_config="vllm",  # not the model's own temperature and penalties
            **lora,
        )
    except Exception as error:  # vLLM raises whatever it meets
        raise ModelError(
            f"{model.source}: vLLM cannot load the model ({_first_line(error)}). Its log stands "
            "above; a smaller max_length or more 'inference_gpus' in the model's file save memory."
        ) from error


def _rank(adapter: Path, model: ModelSettings) -> int:
    require_safe_weights(adapter, model)
    try:
        settings = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
        rank = int(settings["r"])
        if settings["peft_type"] != "LORA" or not 0 < rank <= _RANKS[-1]:
            raise ValueError(f"its rank is {rank}, vLLM takes 1 to {_RANKS[-1]}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise not_an_adapter(adapter, model, _first_line(error)) from error
    return rank


def _room(rank: int) -> int:
    return next(room for room in _RANKS if room >= rank)


def _set(environment: Mapping[str, str]) -> None:
    for name, value in environment.items():
        os.environ.setdefault(name, value)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
