"""What recommenders learn from and are asked about: users and items as whole numbers from 0."""

from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from scipy.sparse import csr_matrix

Array = np.ndarray


@dataclass(frozen=True)
class History:
    """What is known of a user when candidates are scored.

    user: the user's number in the interactions that were learnt from; None for a stranger.
    items: shape (steps,), oldest first. ratings: shape (steps,), NaN where there is none.
    """

    user: int | None
    items: Array
    ratings: Array


@dataclass(frozen=True)
class Interactions:
    """Who did what, ordered by user and for each user oldest first; a pair stands once.

    users, items: shape (n,), int32. ratings: shape (n,), float32, NaN where there is none.
    n_users, n_items: how many there are, those without any interaction included.
    asked: the items that candidates and histories will name, without repetition.
    """

    users: Array
    items: Array
    ratings: Array
    n_users: int
    n_items: int
    asked: Array = field(default_factory=lambda: np.empty(0, np.int32))

    def __len__(self) -> int:
        """Return the number of interactions."""
        return len(self.users)

    def counts(self) -> Array:
        """Return how often each item stands, shape (n_items,)."""
        return np.bincount(self.items, minlength=self.n_items)

    def matrix(self) -> csr_matrix:
        """Return 1 for each interaction, shape (n_users, n_items), float32."""
        ones = np.ones(len(self), np.float32)
        return csr_matrix((ones, (self.users, self.items)), shape=(self.n_users, self.n_items))

    def rated(self) -> "Interactions":
        """Return those with a rating."""
        return self._where(~np.isnan(self.ratings))

    def history(self, user: int) -> History:
        """Return all interactions of one user."""
        first, end = np.searchsorted(self.users, [user, user + 1])
        return History(user, self.items[first:end], self.ratings[first:end])

    def most_useful(self, most: int) -> tuple["Interactions", Array]:
        """Return the interactions with at most so many items, numbered anew, for dense models.

        Items that are asked about stay first of all, true candidates and negatives alike, then
        those that stand most often; of equally frequent ones the lower number stays.

        Returns:
            The interactions, and each item's new number or -1, shape (n_items,).
        """
        asked = np.zeros(self.n_items, bool)
        asked[self.asked] = True
        order = np.lexsort((np.arange(self.n_items), -self.counts(), ~asked))
        numbers = np.full(self.n_items, -1, np.int32)
        kept = np.sort(order[:most])
        numbers[kept] = np.arange(len(kept))
        some = self._where(numbers[self.items] >= 0)
        some = replace(some, items=numbers[some.items], n_items=len(kept))
        return replace(some, asked=numbers[self.asked][numbers[self.asked] >= 0]), numbers

    def _where(self, kept: Array) -> "Interactions":
        return replace(
            self, users=self.users[kept], items=self.items[kept], ratings=self.ratings[kept]
        )


class Recommender(Protocol):
    """A conventional recommender."""

    def fit(self, interactions: Interactions) -> None:
        """Learn from interactions."""

    def score(self, history: History, candidates: Array) -> Array:
        """Return a score for each candidate, shape (candidates,); higher goes better with the user.

        Recommenders for rating prediction return the rating, on the scale that they learnt from.
        """
