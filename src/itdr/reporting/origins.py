"""Where the data of a run come from, and which published values may stand beside ours."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from itdr.vocabulary import Origin

Place = tuple[str, str]
"""Task and dataset."""


@dataclass(frozen=True)
class Origins:
    """Where the examples of each task and dataset come from; nothing where nobody said."""

    of: Mapping[Place, frozenset[Origin]] = field(default_factory=dict)

    @cached_property
    def simulated(self) -> frozenset[Place]:
        """The cells with simulated examples."""
        return frozenset(place for place, found in self.of.items() if Origin.SIMULATED in found)

    def comparable(self, place: Place) -> bool:
        """Say whether published values of a cell may stand in the report.

        They are of real data. In a run with simulated ones they stand only where its own are real,
        so that nobody takes theirs and ours for values of the same thing.
        """
        return not self.simulated or (place in self.of and place not in self.simulated)
