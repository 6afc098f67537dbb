"""What all kinds of sampling are held to."""

from typing import ClassVar, Self

from pydantic import model_validator

from itdr.settings.reading import Strict

MOST_ITEMS = 10_000
"""Items that an example can show."""


class Sampled(Strict):
    """Base of the settings of a kind of sampling.

    Attributes:
        lists: how many lists of items an example shows, each of them `history` long.
    """

    lists: ClassVar[int] = 1

    @model_validator(mode="after")
    def _few_enough(self) -> Self:
        fewest, most = getattr(self, "min_history", 0), getattr(self, "history", MOST_ITEMS)
        if fewest > self.lists * most:
            raise ValueError(
                f"min_history is {fewest}, and an example shows {self.lists * most} items at most"
            )
        return self
