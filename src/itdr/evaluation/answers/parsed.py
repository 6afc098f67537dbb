"""What an answer may be asked to look like, and what reading one gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from itdr.instructions.choices import ChoiceLikelihood


class Reading(StrEnum):
    """How much an answer may differ from the asked-for form."""

    STRICT = "strict"
    LENIENT = "lenient"


@dataclass(frozen=True)
class Form:
    """The form of answer that one example asks for; kind: as `answer` in task files.

    scale: lowest and highest rating (number); candidates: titles in the order shown (ranked_list,
    title), or the choices (choice); attributes: the asked names, ranges: lowest and highest value
    of those of them that are numbers (attributes).
    """

    kind: str
    scale: tuple[float, float] = (0.0, 0.0)
    candidates: Sequence[str] = ()
    attributes: Sequence[str] = ()
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class ParsedAnswer:
    """One answer as far as it could be read; the fields of other kinds stay empty.

    problem: why nothing could be read; None when the answer is readable.
    number: the rating.
    ranking: positions among the candidates, best first; None is an entry that is no candidate. It
        keeps its place, because a user would meet it there. A chosen title is a ranking of one.
    attributes: the values by name, those that could be read.
    text: the text.
    likelihoods: of the choices, in the order of the form's candidates.
    duplicated, out_of_list, missing: entries given again, entries that were not asked for, and
        asked entries not given. They are also counted in an answer that is not readable.
    """

    problem: str | None = None
    number: float | None = None
    ranking: tuple[int | None, ...] = ()
    attributes: dict[str, str] = field(default_factory=dict)
    text: str | None = None
    likelihoods: tuple[ChoiceLikelihood, ...] = ()
    duplicated: int = 0
    out_of_list: int = 0
    missing: int = 0

    @property
    def readable(self) -> bool:
        """Say whether anything could be read."""
        return self.problem is None
