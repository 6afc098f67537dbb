"""The same list for everybody."""

from itdr.recommenders.interactions import Array, History, Interactions


class MostPopular:
    """How many users an item has, over all interactions that may be seen."""

    def fit(self, interactions: Interactions) -> None:
        """Count."""
        self._counts = interactions.counts().astype(float)

    def score(self, history: History, candidates: Array) -> Array:
        """Return the counts, whoever asks."""
        return self._counts[candidates]
