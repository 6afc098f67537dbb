"""What config/rates.yaml says: how fast and how large jobs are until some were measured."""

from typing import Annotated

from pydantic import Field

from itdr.settings.reading import Strict

Positive = Annotated[float, Field(gt=0, le=1e12)]
NotNegative = Annotated[float, Field(ge=0, le=1e12)]


class TrainingRates(Strict):
    """LoRA training on one GPU."""

    operations: float = Field(gt=0, le=1e18, description="of the GPU per second")
    share: Positive = Field(le=1, description="of the operations that are of use")
    share_with_checkpointing: Positive = Field(le=1, description="with activations twice")
    start_s: NotNegative = Field(description="seconds before the first step")
    adapter_mb: Positive = Field(description="of an adapter of rank 8 of a 7B model")


class AnsweringRates(Strict):
    """Tokens per second of a 7B model, prompt and answer together."""

    vllm: Positive
    transformers: Positive
    api: Positive
    start_s: NotNegative = Field(description="seconds before the first answer")


class GpuMemoryRates(Strict):
    """What a GPU holds beside a model's weights."""

    beside_gb: NotNegative = Field(description="CUDA, logits and buffers, in GB")
    activations_kb: Positive = Field(
        description="per token of a forward pass and billion parameters, in training"
    )
    activations_with_checkpointing_kb: Positive = Field(description="the same, computed twice")
    four_bit_share: Positive = Field(le=1, description="weights in 4 bits, of those in 16")


class ProcessorRates(Strict):
    """Models that need no GPU: tokens per second of one of a million parameters."""

    training: Positive
    answering: Positive
    start_s: NotNegative = Field(description="seconds before the first token")


class DiskRates(Strict):
    """What stages leave on the disk."""

    tables_share: NotNegative = Field(description="of the raw files")
    example_kb: NotNegative = Field(description="per example")
    answer_kb: NotNegative = Field(description="per row answered")


class Rates(Strict):
    """The whole of config/rates.yaml."""

    gpu: str = Field(description="the GPU that the rates are of")
    training: TrainingRates
    answering: AnsweringRates
    processor: ProcessorRates
    stages: dict[str, NotNegative] = Field(description="rule to seconds per unit")
    disk: DiskRates
    gpu_memory: GpuMemoryRates
    overhead_tokens: NotNegative = Field(description="per example, beyond the paper's counts")
    unknown_prompt_tokens: Positive = Field(description="stand-in for an unknown length")
    unknown_answer_tokens: Positive = Field(description="stand-in for an unknown length")
    unknown_dataset_mb: NotNegative = Field(description="stand-in for an unknown size")
