"""What a file in config/models/ says about a base model."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from itdr.errors import ModelError
from itdr.places import project_path
from itdr.settings.endpoint import EndpointSettings
from itdr.settings.ids import ModelId
from itdr.settings.reading import MOST_MB, PathText, Strict, load

REQUESTED = frozenset({"training_gpus", "inference_gpus", "gpu_model", "memory_mb", "billions"})
"""Fields that say what a model's jobs ask a machine for; nothing that is made depends on them."""
_HUB_ID = r"\w[\w.-]*/[\w.-]+"
Module = Annotated[str, Field(pattern=r"^[\w.*-]+$")]
"""The name of a module of a model, or the end of it."""


class ModelEndpoint(EndpointSettings):
    """Where a model answers that nobody has here."""

    cache: PathText = Field(
        min_length=1, description="file that keeps every answer, so that none is paid for twice"
    )


class ModelSettings(Strict):
    """One file in config/models/: a model whose weights are had, or one behind an endpoint."""

    model: ModelId = Field(description="id, as in a paper's results.csv")
    title: str = Field(min_length=1, description="printed name")
    source: PathText = Field(
        "",
        description="Hugging Face id, or a folder, as seen from the working directory or from the "
        "repository",
    )
    endpoint: ModelEndpoint | None = Field(
        None, description="instead of source: an OpenAI-compatible address that answers"
    )
    revision: str | None = Field(
        None,
        pattern="^([0-9a-f]{40}|main)$",
        description="commit of a Hugging Face id, which needs one; main: the newest when it is "
        "first downloaded, where nobody could name the commit",
    )
    billions: float | None = Field(
        None,
        gt=0,
        le=100_000,
        description="parameters in billions, which plans and checks reckon with; null: as many as "
        "the weights hold where they are here, else as the name tells, such as 7B",
    )
    gated: bool = Field(False, description="whether its licence must be accepted first")
    end_of_turn: str | None = Field(
        None,
        description="token that ends an answer, at inference beside those that the model names; "
        "null: what the tokenizer calls eos",
    )
    chat_template: str | None = Field(
        None,
        min_length=1,
        description="chat template in Jinja that goes before the tokenizer's own; plain base "
        "models have none",
    )
    template_values: dict[str, str] = Field(
        {}, description="variables of the chat template that must not change from day to day"
    )
    lora_targets: Module | Annotated[tuple[Module, ...], Field(min_length=1)] = Field(
        "all-linear", description="layers that get an adapter: all-linear, or names of modules"
    )
    dtype: Literal["float32", "bfloat16", "float16"] = Field(
        "bfloat16", description="type of the weights on a GPU; a CPU computes in float32"
    )
    training_gpus: int = Field(
        0,
        ge=0,
        le=1024,
        description="GPUs that share each step of a training, with a process for each; 0: it runs "
        "on the processor",
    )
    inference_gpus: int = Field(
        0,
        ge=0,
        le=1024,
        description="GPUs that the model is divided among to answer (tensor parallel; vLLM alone "
        "uses more than one); 0: it answers on the processor",
    )
    gpu_model: str = Field(
        "",
        pattern=r"^[A-Za-z0-9_.]*$",
        description="kind of GPU, as the cluster calls it (sinfo -o %G); empty: any",
    )
    memory_mb: int = Field(
        ge=500,
        le=MOST_MB,
        description="main memory of each process of training and of inference, in MB",
    )

    @model_validator(mode="after")
    def _one_place(self) -> "ModelSettings":
        if bool(self.source) == bool(self.endpoint):
            raise ValueError("either 'source' or 'endpoint' is needed, not both")
        gpus = self.training_gpus + self.inference_gpus
        if self.endpoint and gpus:
            raise ValueError("GPUs must be 0 for a model behind an endpoint: it runs elsewhere")
        if self.gpu_model and not gpus:
            raise ValueError("gpu_model needs training_gpus or inference_gpus above 0")
        return self

    @model_validator(mode="after")
    def _one_version(self) -> "ModelSettings":
        # Of what is pushed to a hub tomorrow nobody knows what it is.
        if re.fullmatch(_HUB_ID, self.source) and not self.is_local and self.revision is None:
            raise ValueError(
                f"{self.source!r} is no folder here, and a model of Hugging Face needs its "
                "'revision', the commit (40 hexadecimal digits) under 'Files and versions'"
            )
        return self

    @property
    def is_local(self) -> bool:
        """Whether the model is a folder here."""
        return bool(self.source) and Path(self.source).exists()


def load_model_settings(path: Path) -> ModelSettings:
    """Return the settings of the model that a file describes.

    Raises:
        MissingFileError, SettingsError: as for every settings file.
        ModelError: the file's name is not the model's id.
    """
    settings = load(ModelSettings, path)
    if settings.model != path.stem:
        raise ModelError(
            f"{path}: 'model' is {settings.model!r}; the file's name says {path.stem!r}."
        )
    if settings.source and not settings.is_local and project_path(settings.source).exists():
        return settings.model_copy(update={"source": str(project_path(settings.source))})
    return settings
