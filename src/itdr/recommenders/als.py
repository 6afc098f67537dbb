"""Matrix factorisation of who chose what, by alternating least squares."""

from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from itdr.recommenders.interactions import Array, History, Interactions


class Als:
    """User and item vectors fitted to 1 for each interaction and, with less weight, 0 for the rest.

    Source: Hu, Koren and Volinsky 2008, "Collaborative Filtering for Implicit Feedback Datasets"
    (ICDM), as the library implicit has it.
    """

    def __init__(
        self, seed: int, factors: int = 16, weight: float = 10.0, penalty: float = 0.01
    ) -> None:
        """Take the seed of the first vectors, their length, the weight of a 1 and the penalty."""
        self._settings: dict[str, Any] = {
            "factors": factors,
            "alpha": weight,
            "regularization": penalty,
            "iterations": 15,
            "random_state": seed,
            "num_threads": 1,
        }

    def fit(self, interactions: Interactions) -> None:
        """Fit the vectors."""
        from implicit.cpu.als import AlternatingLeastSquares
        from threadpoolctl import threadpool_limits

        self._n_items = interactions.n_items
        with threadpool_limits(1, "blas"):  # the library's own loops lose to a pool within them
            self._model = AlternatingLeastSquares(**self._settings)
            self._model.fit(interactions.matrix(), show_progress=False)

    def score(self, history: History, candidates: Array) -> Array:
        """Return the products with the vector that fits the history best."""
        ones = np.ones(len(history.items), np.float32)
        ends = np.array([0, len(ones)])
        chosen = csr_matrix((ones, history.items, ends), shape=(1, self._n_items))
        user = self._model.recalculate_user(0, chosen)
        return (self._model.item_factors[candidates] @ user).astype(float)
