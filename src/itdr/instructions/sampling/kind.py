"""What a kind of sampling is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from itdr.instructions.sampling.context import SamplingContext
from itdr.settings.reading import Strict


@dataclass(frozen=True)
class SamplingKind:
    """A kind of sampling, as a task file names it.

    Attributes:
        name: the value of `kind`.
        examples: from the tables and the settings to the examples.
        settings: the class of its settings, with the literal name as `kind`.
        trial: an example of the kind: the fields that a template can use.
        is_ordered: whether the examples stand in an order of their own.
    """

    name: str
    examples: Callable[[SamplingContext, Any], list[dict[str, Any]]]
    settings: type[Strict]
    trial: Mapping[str, Any]
    is_ordered: bool = False


ITEM = {"item_id": "1", "title": "A", "categories": ["B"], "rating": 1.0, "plays": 1}
"""What each item of a trial has."""
