"""Which examples of a row begin with the same tokens, such as a task's description.

In a causal model a token's activations depend on the tokens before it alone. So a prefix that
several examples share needs to be computed once, and the others attend to its keys and values; what
they learn through it adds up there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from itdr.models.prompt import TokenizedExample

_SHORTEST = 16
"""Shorter prefixes cost more to look up than to compute."""
_WORTH = 0.1
"""Share of a row's tokens below which gathering keys and values costs what is saved."""


@dataclass(frozen=True)
class Prefix:
    """The first tokens of an example, to be found in an earlier one of the same row.

    Attributes:
        owner: number in the row of the example that begins with them; some of them may be shared
            with a yet earlier one.
        length: how many they are; 0 where an example has all its tokens itself.
    """

    owner: int
    length: int


def shared_prefixes(examples: Sequence[TokenizedExample]) -> list[Prefix]:
    """Return for each example of a row its longest prefix that an earlier one begins with too.

    So every token whose predecessors are the same is computed once in a row. No prefix is shared
    where that would save less than a tenth of the row's tokens. The last token of a prompt is never
    shared: it foretells the answer. With a loss over the prompt too, all foretell something, and
    those of a shared prefix do so for several examples.
    """
    found = [_longest(examples, number) for number in range(len(examples))]
    saved = sum(prefix.length for prefix in found)
    if saved < _WORTH * sum(len(example.ids) for example in examples):
        return [Prefix(number, 0) for number in range(len(examples))]
    return found


def _longest(examples: Sequence[TokenizedExample], number: int) -> Prefix:
    example = examples[number]
    earlier = (Prefix(owner, _common(examples[owner], example)) for owner in range(number))
    best = max(earlier, key=lambda prefix: prefix.length, default=Prefix(number, 0))
    return best if best.length >= _SHORTEST else Prefix(number, 0)


def _common(owner: TokenizedExample, example: TokenizedExample) -> int:
    end = len(example.ids) if example.learns_prompt else example.prompt_length
    most = min(len(owner.ids), end - 1)
    differ = np.not_equal(owner.ids[:most], example.ids[:most])
    return int(differ.argmax()) if differ.any() else most
