"""Models of the library cornac that learn a vector for each user and item by stochastic descent."""

from collections import OrderedDict
from typing import Any

import numpy as np

from itdr.recommenders.interactions import Array, History, Interactions


class MatrixFactorisation:
    """Ratings as mean + b_item + b_user + product of the two vectors.

    Source: Koren, Bell and Volinsky 2009, "Matrix Factorization Techniques for Recommender Systems"
    (Computer 42:8), as cornac's MF.
    """

    def __init__(
        self, seed: int, factors: int = 32, passes: int = 20, penalty: float = 0.05
    ) -> None:
        """Take the seed, the length of the vectors, the passes over the data and the penalty."""
        from cornac.models import MF

        self._seed = seed
        self._model = MF(
            k=factors, max_iter=passes, learning_rate=0.01, lambda_reg=penalty, seed=seed
        )

    def fit(self, interactions: Interactions) -> None:
        """Learn from the ratings."""
        rated = interactions.rated()
        # The descent takes the rows as they stand, and these are ordered by user.
        shuffled = np.random.default_rng(self._seed).permutation(len(rated))
        self._model.fit(_dataset(rated, rated.ratings, shuffled))

    def score(self, history: History, candidates: Array) -> Array:
        """Return the ratings; a stranger has no bias and no vector."""
        model = self._model
        ratings = model.global_mean + model.i_biases[candidates]
        if history.user is not None:
            ratings += model.u_biases[history.user]
            ratings += model.i_factors[candidates] @ model.u_factors[history.user]
        return ratings.astype(float)


class Bpr:
    """Vectors for which chosen items score above others drawn at random.

    Source: Rendle, Freudenthaler, Gantner and Schmidt-Thieme 2009, "BPR: Bayesian Personalized
    Ranking from Implicit Feedback" (UAI), as cornac's BPR.
    """

    def __init__(
        self, seed: int, factors: int = 64, passes: int = 50, penalty: float = 0.01
    ) -> None:
        """Take the seed, the length of the vectors, the passes over the data and the penalty."""
        from cornac.models import BPR

        self._model = BPR(
            k=factors, max_iter=passes, learning_rate=0.05, lambda_reg=penalty, seed=seed
        )

    def fit(self, interactions: Interactions) -> None:
        """Learn from the pairs."""
        ones = np.ones(len(interactions), np.float32)
        self._model.fit(_dataset(interactions, ones, np.arange(len(interactions))))

    def score(self, history: History, candidates: Array) -> Array:
        """Return the products with the user's vector; to a stranger, the items' biases."""
        scores = self._model.i_biases[candidates].astype(float)
        if history.user is not None:
            scores += self._model.i_factors[candidates] @ self._model.u_factors[history.user]
        return scores


def _dataset(interactions: Interactions, ratings: Array, order: Array) -> Any:
    """Return cornac's form of the interactions, with our numbers for users and items."""
    from cornac.data import Dataset

    columns = (
        interactions.users[order].astype(np.int64),
        interactions.items[order].astype(np.int64),
        ratings[order],
    )
    users, items = (
        OrderedDict.fromkeys(range(count)) for count in (interactions.n_users, interactions.n_items)
    )
    return Dataset(interactions.n_users, interactions.n_items, users, items, columns)
