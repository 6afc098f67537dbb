"""Where the authors' released files come from."""

from typing import Annotated

from pydantic import AfterValidator, Field

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
