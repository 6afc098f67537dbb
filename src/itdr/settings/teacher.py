"""Who writes the answers of IR and TUI, and on which terms."""

from typing import Literal

from pydantic import Field

from itdr.settings.endpoint import Address, EndpointSettings, VariableName
from itdr.settings.reading import MOST_TOKENS, PathText


class TeacherSettings(EndpointSettings):
    """The teacher that writes the answers of IR and TUI; by default the paper's, DeepSeek-V3.

    What it will cost is logged before the first request.
    """

    kind: Literal["endpoint", "rules"] = Field(
        "endpoint",
        description="endpoint: a language model, as the other keys have it; rules: fixed sentences "
        "about categories and ratings, for the demo",
    )
    cache: PathText = Field(
        "cache/teacher.jsonl",
        min_length=1,
        description="file that keeps every answer received, so that none is paid for twice; "
        "outside results, because those are deleted more lightly",
    )
    base_url: Address = Field(
        "https://api.deepseek.com", description="address before /chat/completions"
    )
    model: str = Field("deepseek-chat", min_length=1, description="the model's name there")
    key_variable: VariableName | None = Field(
        "DEEPSEEK_API_KEY",
        description="environment variable that holds the key; null: none is sent",
    )
    max_tokens: int = Field(
        1024,
        ge=1,
        le=MOST_TOKENS,
        description="output limit in tokens; doubled twice for answers that are cut",
    )
    withheld: Literal["refuse", "drop"] = Field(
        "refuse",
        description="examples that the model refuses to answer or answers with nothing: refuse: "
        "an error; drop: named in the log and left out",
    )
    input_price: float | None = Field(
        0.27, ge=0, le=10**6, description="US dollars per million input tokens; null: unknown"
    )
    output_price: float | None = Field(
        1.10, ge=0, le=10**6, description="US dollars per million output tokens; null: unknown"
    )
    spending_cap: float | None = Field(
        50.0, ge=0, le=10**9, description="most US dollars to spend over all runs; null: no cap"
    )
