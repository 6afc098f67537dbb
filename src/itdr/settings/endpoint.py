"""How a language model behind an OpenAI-compatible endpoint is asked, and what it may cost."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from itdr.settings.reading import LONGEST_S, Strict, unshown


def _address(text: str) -> str:
    if not re.fullmatch(r"https?://[^/\s@?#]+(/[^\s@?#]*)?", text):
        raise unshown(
            "an http(s) address without login, query or fragment is needed, such as "
            "https://api.deepseek.com; the key comes from the environment"
        )
    return text.rstrip("/")


def _variable(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        # People put the key itself here.
        raise unshown("the name of an environment variable is needed, never the key itself")
    return name


Address = Annotated[str, AfterValidator(_address)]
VariableName = Annotated[str, AfterValidator(_variable)]


class EndpointSettings(Strict):
    """A language model behind an OpenAI-compatible endpoint. Money is in US dollars."""

    base_url: Address = Field(description="address before /chat/completions")
    model: str = Field(min_length=1, description="the model's name there")
    key_variable: VariableName | None = Field(
        None, description="environment variable that holds the key; null: none is sent"
    )
    temperature: float = Field(0.0, ge=0, le=2, description="0: the likeliest answer")
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high"] | None = Field(
        None,
        description="how much the model may think before it answers, which uses up the output "
        "limit; null: not said, as models that do not think may refuse the word",
    )
    requests_at_once: int = Field(8, ge=1, le=256, description="requests under way at a time")
    requests_per_minute: float | None = Field(
        None, gt=0, le=10**6, description="most requests begun per minute; null: no limit"
    )
    timeout_s: float = Field(
        180.0, gt=0, le=LONGEST_S, description="longest wait for one answer, in seconds"
    )
    retries: int = Field(5, ge=0, le=1000, description="attempts after one that failed")
    first_wait_s: float = Field(
        1.0,
        ge=0,
        le=LONGEST_S,
        description="wait before the first of them, in seconds; doubled each time",
    )
    longest_wait_s: float = Field(
        60.0, ge=0, le=LONGEST_S, description="longest such wait, in seconds"
    )
    stop_after: int = Field(
        20, ge=1, le=10**6, description="failed requests in a row after which the rest is not asked"
    )
    input_price: float | None = Field(
        None, ge=0, le=10**6, description="US dollars per million input tokens; null: unknown"
    )
    output_price: float | None = Field(
        None, ge=0, le=10**6, description="US dollars per million output tokens; null: unknown"
    )
    spending_cap: float | None = Field(
        None, ge=0, le=10**9, description="most US dollars to spend over all runs; null: no cap"
    )

    @model_validator(mode="after")
    def _cap_needs_prices(self) -> "EndpointSettings":
        if self.spending_cap is not None and None in (self.input_price, self.output_price):
            raise ValueError("spending_cap needs input_price and output_price")
        return self

    def cost(self, input_tokens: float, output_tokens: float) -> float:
        """Return the price of so many tokens in US dollars; unknown prices count 0."""
        prices = (self.input_price or 0.0, self.output_price or 0.0)
        return (input_tokens * prices[0] + output_tokens * prices[1]) / 1e6
