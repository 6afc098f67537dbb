"""Training examples as token ids, and what happens to those that are too long."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from itdr.errors import DataError
from itdr.instructions.record import RECORD
from itdr.models.prompt import PromptRenderer, TokenizedExample
from itdr.settings.training import TrainingSettings

_AT_A_TIME = 1000
COLUMNS = pa.schema(
    [RECORD.field(name) for name in ("id", "task", "instruction", "input", "output")]
)
"""What training needs of RECORD."""


@dataclass
class Tokenized:
    """Examples that are short enough, and how many of each task were too long.

    Attributes:
        examples: ids as arrays of 32-bit integers, which take a tenth of the memory of lists.
        names: the id of each of them in the mixture.
        dropped: task to the number of its examples that are left out.
        cut: task to the number of its examples whose input lost its beginning.
    """

    examples: list[TokenizedExample] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    cut: Counter[str] = field(default_factory=Counter)

    def add(self, name: str, example: TokenizedExample, *, learns_prompt: bool) -> None:
        """Keep an example."""
        ids: Any = np.asarray(example.ids, dtype=np.int32)
        self.examples.append(TokenizedExample(ids, example.prompt_length, learns_prompt))
        self.names.append(name)


def tokenize(mixture: pa.Table, renderer: PromptRenderer, settings: TrainingSettings) -> Tokenized:
    """Return the examples of a mixture (columns: COLUMNS) as token ids.

    Raises:
        DataError: no example is left, or one is too long and the settings refuse that.
    """
    done, whole = Tokenized(), settings.loss_on == "text"
    for row, example in _tokenized(mixture, renderer):
        name, task, *texts = row
        if len(example.ids) <= settings.max_length:
            done.add(name, example, learns_prompt=whole)
            continue
        if settings.too_long == "refuse":
            raise DataError(
                f"example {name!r} has {len(example.ids)} tokens; max_length is "
                f"{settings.max_length}. Raise it, or set too_long to drop or cut."
            )
        shorter = None
        if settings.too_long == "cut":
            shorter = _cut(renderer, (texts[0], texts[1], texts[2]), settings.max_length)
        if shorter:
            done.add(name, shorter, learns_prompt=whole)
        (done.cut if shorter else done.dropped)[task] += 1
    if not done.examples:
        raise DataError(f"no example has at most {settings.max_length} tokens; raise max_length.")
    return done


def _tokenized(
    mixture: pa.Table, renderer: PromptRenderer
) -> Iterator[tuple[tuple[str, ...], TokenizedExample]]:
    for batch in mixture.select(COLUMNS.names).to_batches(max_chunksize=_AT_A_TIME):
        rows = list(zip(*(batch[name].to_pylist() for name in COLUMNS.names), strict=True))
        yield from zip(rows, renderer.examples([row[2:] for row in rows]), strict=True)


def _cut(
    renderer: PromptRenderer, row: tuple[str, str, str], length: int
) -> TokenizedExample | None:
    """Return an example whose input lost as much of its beginning as it must, or None.

    The beginning holds the oldest items; the question and the candidates stand at the end. An
    example whose input would vanish cannot be cut.
    """
    instruction, text, answer = row

    def without(count: int) -> TokenizedExample:
        return renderer.example(instruction, text[count:], answer)

    fewest, most = 1, len(text)  # characters to leave out
    while fewest < most:
        middle = (fewest + most) // 2
        if len(without(middle).ids) <= length:
            most = middle
        else:
            fewest = middle + 1
    return without(most) if most < len(text) else None
