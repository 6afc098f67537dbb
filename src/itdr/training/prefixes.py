"""Which examples of a row begin with the same tokens, such as a task's description.

In a causal model a token's activations depend on the tokens before it alone. So a beginning that
several examples share needs to be computed once, and the others attend to its keys and values; what
they learn through it adds up there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from itdr.models.prompt import TokenizedExample

_FEWEST = 16
"""Shorter beginnings cost more to look up than to compute."""


@dataclass(frozen=True)
class Prefix:
    """The first tokens of an example, to be found in another one of the same row.

    Attributes:
        owner: number in the row of the example that has them; it shares no prefix itself.
        length: how many they are; 0 where an example has all its tokens itself.
    """

    owner: int
    length: int


def shared_prefixes(examples: Sequence[TokenizedExample]) -> list[Prefix]:
    """Return for each example of a row which of the examples before it has its first tokens.

    The last token of a prompt is never shared: it foretells the answer.
    """
    owners: list[int] = []
    found: list[Prefix] = []
    for number, example in enumerate(examples):
        candidates = (Prefix(owner, _common(examples[owner], example)) for owner in owners)
        best = max(candidates, key=lambda prefix: prefix.length, default=Prefix(number, 0))
        if best.length < _FEWEST:
            best = Prefix(number, 0)
            owners.append(number)
        found.append(best)
    return found


def _common(owner: TokenizedExample, example: TokenizedExample) -> int:
    most = min(len(owner.ids), example.prompt_length - 1)
    differ = np.not_equal(owner.ids[:most], example.ids[:most])
    return int(differ.argmax()) if differ.any() else most
