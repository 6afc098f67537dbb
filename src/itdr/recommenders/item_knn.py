"""Items alike by who chose them."""

import numpy as np

from itdr.recommenders.interactions import Array, History, Interactions


class ItemKnn:
    """The sum over the history of cos(item, candidate) = |U_i and U_c| / sqrt(|U_i| |U_c|).

    U_i is the set of users of item i. Candidates are few, so every item of the history is a
    neighbour and nothing is cut off at the K most similar ones.

    Source: Deshpande and Karypis 2004, "Item-Based Top-N Recommendation Algorithms" (TOIS 22:1).
    """

    def fit(self, interactions: Interactions) -> None:
        """Bring each item's users to length 1."""
        lengths = np.sqrt(np.maximum(interactions.counts(), 1)).astype(np.float32)
        matrix = interactions.matrix().tocsc()
        matrix.data /= np.repeat(lengths, np.diff(matrix.indptr))
        self._items = matrix.T.tocsr()

    def score(self, history: History, candidates: Array) -> Array:
        """Return the summed cosines."""
        taste = self._items[history.items].sum(axis=0)
        return np.asarray(self._items[candidates] @ np.asarray(taste).ravel(), float)
