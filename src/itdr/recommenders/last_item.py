"""What follows the last item: sequential rules of order one."""

import numpy as np

from itdr.recommenders.interactions import Array, History, Interactions


class LastItem:
    """How often a candidate follows the user's last item, a step d later counting 1/d.

    Steps further off than 10 do not count. Candidates alike in that stand by popularity, whose
    share of the score is too small to change any other order.

    Source: sequential rules (SR) of Kamehkhosh, Jannach and Ludewig 2017, "A Comparison of Frequent
    Pattern Techniques and a Deep Learning Method for Session-Based Recommendation", with the weight
    1/d and the 10 steps of that paper.
    """

    steps = 10

    def fit(self, interactions: Interactions) -> None:
        """Note where each item stands."""
        self._items, self._users = interactions.items, interactions.users
        self._places = np.argsort(interactions.items, kind="stable")
        counts = interactions.counts()
        self._starts = np.concatenate([[0], np.cumsum(counts)])
        # The least difference between two sums of 1/d is 1/lcm(1, ..., 10) = 1/2520.
        self._popularity = counts / (counts.max(initial=0) + 1) / 2521

    def score(self, history: History, candidates: Array) -> Array:
        """Return the weights of the candidates behind the last item of the history."""
        weights = np.zeros(len(self._popularity))
        if len(history.items):
            last = history.items[-1]
            places = self._places[self._starts[last] : self._starts[last + 1]]
            for step in range(1, self.steps + 1):
                places = places[places + step < len(self._items)]
                same = self._users[places + step] == self._users[places]
                np.add.at(weights, self._items[places[same] + step], 1 / step)
        return weights[candidates] + self._popularity[candidates]
