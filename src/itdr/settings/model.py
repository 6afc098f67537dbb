"""What a file in config/models/ says about a base model."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from itdr.errors import ModelError
from itdr.settings.reading import Strict, load


class ModelSettings(Strict):
    """One file in config/models/."""

    model: str = Field(description="id, as in config/paper/results.csv")
    title: str = Field(description="printed name")
    source: str = Field(description="Hugging Face id, or a folder relative to the repository")
    revision: str | None = Field(None, description="commit of a Hugging Face id")
    gated: bool = Field(False, description="whether its licence must be accepted first")
    end_of_turn: str | None = Field(
        None, description="token that ends an answer; null: what the tokenizer calls eos"
    )
    template_values: dict[str, str] = Field(
        {}, description="variables of the chat template that must not change from day to day"
    )
    lora_targets: str | tuple[str, ...] = Field(
        "all-linear", description="layers that get an adapter: all-linear, or names of modules"
    )
    dtype: Literal["float32", "bfloat16", "float16"] = Field(
        description="type of the weights on a GPU; a CPU computes in float32"
    )
    stop_tokens: tuple[str, ...] = Field(
        (), description="tokens that end an answer, beside those that the model itself names"
    )
    gpus: int = Field(0, ge=0, description="GPUs that training and inference ask for")
    memory_mb: int = Field(ge=500, description="main memory of training and inference, in MB")

    @property
    def is_local(self) -> bool:
        """Whether the model is a folder here."""
        return Path(self.source).exists()


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
    return settings
