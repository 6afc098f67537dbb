"""A linear model of each item on all others, in closed form."""

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from itdr.recommenders.interactions import Array, History, Interactions


class Ease:
    """score = sum over the history of B[item, candidate], B the ridge regression with diagonal 0.

    With G = X'X + penalty I and P = inverse of G, B[i, j] = -P[i, j] / P[j, j] off the diagonal.
    G is dense, so it has at most `most_items` items; others score 0.

    Source: Steck 2019, "Embarrassingly Shallow Autoencoders for Sparse Data" (WWW), equation 8.
    """

    def __init__(self, penalty: float = 500.0, most_items: int = 10_000) -> None:
        """Take the penalty and the size of the dense matrix."""
        self._penalty, self._most = penalty, most_items

    def fit(self, interactions: Interactions) -> None:
        """Solve for B."""
        some, self._numbers = interactions.most_useful(self._most)
        matrix = some.matrix()
        gram = (matrix.T @ matrix).toarray()
        gram[np.diag_indices_from(gram)] += self._penalty
        factor = cho_factor(gram, lower=True, overwrite_a=True, check_finite=False)
        inverse = cho_solve(factor, np.eye(len(gram), dtype=np.float32), overwrite_b=True)
        self._weights = inverse / -np.diag(inverse)
        np.fill_diagonal(self._weights, 0.0)

    def score(self, history: History, candidates: Array) -> Array:
        """Return the summed weights."""
        known = self._numbers[history.items]
        taste = self._weights[known[known >= 0]].sum(axis=0, dtype=float)
        numbers = self._numbers[candidates]
        return np.where(numbers >= 0, taste[numbers], 0.0)
