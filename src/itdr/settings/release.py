"""Where the authors' released files and adapters come from."""

from typing import Annotated

from pydantic import AfterValidator, Field

from itdr.settings.ids import ID
from itdr.settings.reading import PathText, Strict


def _address(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("an http(s) address is needed")
    return text.rstrip("/")


class ReleaseSettings(Strict):
    """Where the authors' released files come from."""

    # At the commit whose pointers the manifest lists. This server answers with the content of Git
    # LFS files; raw.githubusercontent.com would answer with their pointers.
    address: Annotated[str, AfterValidator(_address)] = Field(
        "https://media.githubusercontent.com/media/hellolzk/ITDR/"
        "24fcf6e2f804b67bff83e248f343b3477f5fc251",
        description="address before the paths of the paper's release_manifest.csv, at the commit "
        "that it describes",
    )
    folder: PathText | None = Field(
        None, description="local folder that holds the files; null: they are downloaded"
    )


_Column = Annotated[str, Field(pattern=f"^{ID}/{ID}$")]


class ReleasedAdapterSettings(Strict):
    """Where the adapters come from that the authors have published."""

    folder: PathText | None = Field(
        None, description="local folder that holds the adapters at any depth; null: downloaded"
    )
    drive: str = Field(
        "1sCCUo1d3bEIVIoRyxN2DnAP0PlkwfTfj",
        pattern=r"^[\w-]+$",
        description="id of the folder of Google Drive that they are downloaded from",
    )
    names: dict[_Column, Annotated[str, Field(min_length=1)]] = Field(
        {},
        description="MODEL/VARIANT to the folder of its adapter in there, as "
        "'glm-4-9b/released: GLM/itdr'; a column that is not named gets the only adapter of its "
        "base model",
    )
