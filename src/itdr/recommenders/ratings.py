"""Rating prediction by means and biases."""

import numpy as np

from itdr.recommenders.interactions import Array, History, Interactions


class ItemMean:
    """The mean of the item's ratings; of an item without any, the mean of all ratings."""

    def fit(self, interactions: Interactions) -> None:
        """Take the means."""
        rated = interactions.rated()
        sums = np.bincount(rated.items, rated.ratings, rated.n_items)
        counts = rated.counts()
        self._means = np.where(counts > 0, sums / np.maximum(counts, 1), rated.ratings.mean())

    def score(self, history: History, candidates: Array) -> Array:
        """Return the items' means, whoever asks."""
        return self._means[candidates]


class UserItemBias:
    """mean + b_item + b_user, each bias a mean of what is left, drawn towards 0 by a constant.

    b_item = sum over its ratings of (r - mean) / (25 + their number);
    b_user = sum over the history of (r - mean - b_item) / (10 + its ratings).

    Source: Koren 2010, "Factor in the Neighbors" (TKDD 4:1), section 2.1, constants included.
    """

    item_damping, user_damping = 25.0, 10.0

    def fit(self, interactions: Interactions) -> None:
        """Take the mean and the items' biases."""
        rated = interactions.rated()
        self._mean = float(rated.ratings.mean())
        sums = np.bincount(rated.items, rated.ratings - self._mean, rated.n_items)
        self._biases = sums / (self.item_damping + rated.counts())

    def score(self, history: History, candidates: Array) -> Array:
        """Return the ratings, the user's bias taken from the history."""
        known = ~np.isnan(history.ratings)
        left = history.ratings[known] - self._mean - self._biases[history.items[known]]
        user = left.sum() / (self.user_damping + known.sum())
        return self._mean + self._biases[candidates] + user
