"""What config/config.yaml says about fine-tuning."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from itdr.errors import SettingsError
from itdr.settings.metric import parse_metric
from itdr.settings.model import ModelSettings
from itdr.settings.reading import MOST_ROWS, MOST_TOKENS, Strict


class ValidationSettings(Strict):
    """Validation on the val part while an adapter is trained; the best checkpoint is what is kept.

    The values, and the rows that they are of, choose the adapter: they say nothing of how good it
    is on other rows.
    """

    every: int | None = Field(
        None,
        ge=1,
        le=MOST_ROWS,
        description="optimiser steps between validations, one more being at the end; null: none",
    )
    metric: str = Field(
        "loss",
        description="what is validated: loss, as in training, or the id of a metric, of all "
        "answers or likelihoods; its mean over the cells that it goes with",
    )
    rows: int | None = Field(
        None, ge=1, le=MOST_ROWS, description="first rows of each cell's val part; null: all"
    )
    patience: int | None = Field(
        None,
        ge=1,
        le=MOST_ROWS,
        description="validations without a better value after which training stops; null: never",
    )

    @field_validator("metric")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            return name if name == "loss" else parse_metric(name).id
        except SettingsError as error:
            raise ValueError(f"{error}, or loss") from None


class TrainingSettings(Strict):
    """LoRA fine-tuning. Defaults are the paper's, or LLaMA-Factory's where the paper is silent."""

    learning_rate: float = Field(1e-4, gt=0, le=1, description="highest learning rate")
    schedule: Literal["cosine", "linear", "constant"] = Field(
        "cosine", description="course of the learning rate after warm-up"
    )
    warmup_ratio: float = Field(0.0, ge=0, le=1, description="share of the steps to warm up")
    epochs: float = Field(2, gt=0, le=1000, description="passes over the mixture")
    batch_size: int = Field(
        8, ge=1, le=MOST_TOKENS, description="size of an optimiser step, in batch_unit"
    )
    batch_unit: Literal["examples", "tokens"] = Field(
        "examples", description="what batch_size counts"
    )
    loss_over: Literal["tokens", "examples"] = Field(
        "tokens",
        description="what an optimiser step's loss is the mean of: the tokens that are learnt, so "
        "that long answers weigh more, or examples, so that all weigh the same",
    )
    loss_on: Literal["answers", "text"] = Field(
        "answers",
        description="what is learnt: answers alone, or the whole text, prompts too, whose logits "
        "take much memory: lower row_length",
    )
    packing: bool = Field(
        True,
        description="put the examples of a step side by side into rows without padding, each "
        "seeing itself alone; the learning is the same",
    )
    share_prefixes: bool = Field(
        True,
        description="with packing, attention varlen or per-example and no dropout: compute once "
        "the prefixes that examples of a row share, such as a task's description, where that saves "
        "a tenth of the row; the learning is the same",
    )
    row_length: int = Field(
        8192,
        ge=16,
        le=MOST_TOKENS,
        description="with packing: most tokens in a forward pass, as memory allows; on a CPU "
        "several may run at once",
    )
    micro_batch_size: int = Field(
        1,
        ge=1,
        le=2**16,
        description="without packing: examples per forward pass, padded to the longest",
    )
    attention: Literal["auto", "varlen", "per-example", "sdpa", "eager"] = Field(
        "auto",
        description="attention: varlen calls PyTorch's variable-length attention once for a row "
        "and needs a GPU, per-example calls PyTorch's attention for each example of a row, the "
        "others are those of transformers; auto: varlen where it can be had, else per-example",
    )
    lora_rank: int = Field(8, ge=1, le=4096, description="rank of the adapter")
    lora_alpha: int = Field(
        16, ge=1, le=2**16, description="scale of the adapter, divided by its rank"
    )
    lora_dropout: float = Field(0.0, ge=0, lt=1, description="dropout inside the adapter")
    max_length: int = Field(2048, ge=16, le=MOST_TOKENS, description="longest example in tokens")
    too_long: Literal["drop", "cut", "refuse"] = Field(
        "drop",
        description="what happens to longer examples, which are counted by task: left out, the "
        "beginning of their input cut off (their answer never), or an error",
    )
    gradient_checkpointing: bool | Literal["auto"] = Field(
        "auto",
        description="compute activations twice to save memory; auto: in as many layers as each row "
        "needs to fit the GPU, and never on a CPU",
    )
    four_bit: bool = Field(
        False, description="hold the base weights in 4 bits (NF4); needs bitsandbytes"
    )
    liger: bool = Field(False, description="fused kernels of liger-kernel; needs a GPU")
    compile: bool = Field(
        False, description="compile norms and feed-forward layers (torch.compile) before training"
    )
    processes: int = Field(
        1,
        ge=1,
        le=1024,
        description="processes on this machine that share each step of a model on the processor; "
        "one on GPUs has one for each of its file's training_gpus",
    )
    fsdp: bool = Field(
        False, description="divide the model's weights among the processes (FSDP), to fit them"
    )
    save_steps: int = Field(
        1000, ge=1, le=MOST_ROWS, description="optimiser steps between checkpoints"
    )
    logging_steps: int = Field(
        10,
        ge=1,
        le=MOST_ROWS,
        description="optimiser steps between looks at losses and gradient norms, for which the "
        "processor waits for the GPU; each step's loss is noted all the same",
    )
    validation: ValidationSettings = ValidationSettings()
    track: Literal["none", "tensorboard", "wandb"] = Field(
        "none", description="where else losses are reported to"
    )

    @model_validator(mode="after")
    def _agrees(self) -> "TrainingSettings":
        if self.packing and self.row_length < self.max_length:
            raise ValueError(
                f"row_length ({self.row_length}) must not be below max_length ({self.max_length})"
            )
        if self.batch_unit == "tokens" and self.batch_size < self.max_length:
            raise ValueError(
                f"batch_size ({self.batch_size} tokens) must not be below max_length "
                f"({self.max_length})"
            )
        if self.fsdp and self.validation.every:
            raise ValueError("validation needs whole weights in each process, so no fsdp")
        return self

    def of(self, model: ModelSettings) -> "TrainingSettings":
        """Return the settings with as many processes as a model's training has.

        Raises:
            SettingsError: its weights are to be divided among one process.
        """
        processes = model.training_gpus or self.processes
        if self.fsdp and processes == 1:
            raise SettingsError(
                f"training.fsdp divides a model among processes, and {model.model} has one: raise "
                f"'training_gpus' in config/models/{model.model}.yaml, or take fsdp out."
            )
        return self.model_copy(update={"processes": processes})
