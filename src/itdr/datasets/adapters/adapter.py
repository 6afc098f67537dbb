"""What a module about one raw format has to say."""

from collections.abc import Callable
from dataclasses import dataclass

from itdr.datasets.readers.context import NormalisationContext
from itdr.datasets.tables.schema import Scale


@dataclass(frozen=True)
class Adapter:
    """How the raw files of a dataset become its tables.

    load: stages the raw files and makes in the context's database the views `interactions`, and
        `items` and `users` where the dataset has files of them. Each view has columns of the
        tables in itdr.datasets.tables.schema (those left out are null), and `file` and `line` of
        the raw row that a row came from. Ids are text or BIGINT, times are TIMESTAMP in UTC.
    scale: of the ratings; None where there are none.
    unique_pairs: whether a user and an item meet once. Then a repeated pair is rejected.
    attributes: columns of text that the view `users` has beyond those of the schema.
    several_lines: in words, which rows are made of several raw lines, of which `file` and `line`
        are the first; "" where each row is made of one.
    """

    load: Callable[[NormalisationContext], None]
    scale: Scale | None
    unique_pairs: bool = True
    attributes: tuple[str, ...] = ()
    several_lines: str = ""
