"""Self-attention over the last items of a user, trained to name the next one."""

from copy import deepcopy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from itdr.recommenders.interactions import Array, History, Interactions

_IGNORED = -100  # what cross_entropy passes over


class SasRec:
    """Self-attention over a user's last items; every next item is predicted among all items.

    The loss is cross-entropy over all items at every step, not one sampled negative. Users' last
    steps are held out to choose the epoch: training ends when `patience` epochs bring no lower loss
    on them, and the best epoch counts. At most `most_items` items have a vector; others score
    lowest.

    Source: Kang and McAuley 2018, "Self-Attentive Sequential Recommendation" (ICDM); the loss as in
    Klenitskiy and Vasilev 2023, "Turning Dross Into Gold Loss" (RecSys).
    """

    def __init__(
        self,
        seed: int,
        *,
        width: int = 64,
        blocks: int = 2,
        heads: int = 2,
        dropout: float = 0.2,
        steps: int = 50,
        rate: float = 1e-3,
        batch_size: int = 128,
        least_steps: int = 32,
        most_epochs: int = 200,
        patience: int = 10,
        held_out: int = 1000,
        most_items: int = 20_000,
    ) -> None:
        """Take the seed and the settings.

        steps: items of a user that are looked at. batch_size, least_steps: rows to an optimiser
        step, less where an epoch would else have fewer steps. held_out: most users whose last step
        is held out.
        """
        self._seed, self._steps, self._most_items = seed, steps, most_items
        self._batch_size, self._least_steps, self._rate = batch_size, least_steps, rate
        self._most_epochs, self._patience, self._held_out = most_epochs, patience, held_out
        self._shape: dict[str, Any] = {
            "width": width,
            "blocks": blocks,
            "heads": heads,
            "dropout": dropout,
        }
        self._device = "cuda" if torch.cuda.is_available() else "cpu"

    def fit(self, interactions: Interactions) -> None:
        """Train until the held-out steps are predicted no better."""
        some, self._numbers = interactions.most_useful(self._most_items)
        with torch.random.fork_rng():
            torch.manual_seed(self._seed)
            self._network = _Network(some.n_items, self._steps, **self._shape).to(self._device)
            rows, held_out = self._sequences(some)
            if len(rows):  # else nobody has three items, and the first vectors stay
                self._train(rows, held_out)
            self._network.eval()

    def score(self, history: History, candidates: Array) -> Array:
        """Return the log-odds of the candidates as the next item."""
        known = self._numbers[history.items]
        numbers = self._numbers[candidates]
        if not (known >= 0).any():
            return np.zeros(len(candidates))
        row = self._row(known[known >= 0])
        with torch.inference_mode():
            inputs = torch.from_numpy(row[None]).to(self._device)
            scores = self._network.scores(self._network(inputs)[:, -1])[0].cpu().numpy()
        return np.where(numbers >= 0, scores[np.maximum(numbers, 0)], scores.min() - 1).astype(
            float
        )

    def _row(self, items: Array) -> Array:
        """Return the last items, counted from 1, with zeros in front."""
        row = np.zeros(self._steps, np.int64)
        last = items[-self._steps :]
        row[len(row) - len(last) :] = last + 1
        return row

    def _sequences(self, interactions: Interactions) -> tuple[Tensor, Tensor]:
        """Return rows to train on and rows whose last step is held out, (users, steps + 1).

        A long life gives several rows, cut from its end, each with the item before its first.
        """
        starts = np.flatnonzero(np.diff(interactions.users, prepend=-1))
        lives = [life for life in np.split(interactions.items, starts[1:]) if len(life) > 1]
        order = np.random.default_rng(self._seed).permutation(len(lives))
        few = set(order[: self._held_out].tolist())
        rows: list[Array] = []
        held_out: list[Array] = []
        for number, life in enumerate(lives):
            seen = len(life)
            if number in few:
                held_out.append(self._with_next(life))
                seen -= 1
            for end in range(seen, 1, -self._steps):
                rows.append(self._with_next(life[max(0, end - self._steps - 1) : end]))
        shape = (-1, self._steps + 1)
        return (
            torch.from_numpy(np.array(rows, np.int64).reshape(shape)),
            torch.from_numpy(np.array(held_out, np.int64).reshape(shape)),
        )

    def _with_next(self, items: Array) -> Array:
        """Return the row of all items but the last, and behind it the last, counted from 1."""
        return np.append(self._row(items[:-1]), items[-1] + 1)

    def _train(self, rows: Tensor, held_out: Tensor) -> None:
        network = self._network
        optimizer = torch.optim.Adam(network.parameters(), lr=self._rate, betas=(0.9, 0.98))
        batch_size = min(self._batch_size, max(1, len(rows) // self._least_steps))
        best, best_weights, since = np.inf, deepcopy(network.state_dict()), 0
        for _ in range(self._most_epochs):
            network.train()
            for batch in rows[torch.randperm(len(rows))].split(batch_size):
                optimizer.zero_grad()
                self._loss(batch).backward()
                optimizer.step()
            network.eval()
            with torch.inference_mode():
                loss = float(self._loss(held_out, last_alone=True))
            since += 1
            if loss < best:
                best, best_weights, since = loss, deepcopy(network.state_dict()), 0
            if since == self._patience:
                break
        network.load_state_dict(best_weights)

    def _loss(self, rows: Tensor, last_alone: bool = False) -> Tensor:
        rows = rows.to(self._device)
        inputs, targets = rows[:, :-1], rows[:, 1:] - 1
        states = self._network(inputs)
        if last_alone:
            states, targets = states[:, -1:], targets[:, -1:]
        else:
            targets = targets.masked_fill(inputs == 0, _IGNORED)
        asked = targets != _IGNORED
        return cross_entropy(self._network.scores(states[asked]), targets[asked])


class _Network(nn.Module):
    """Item and position vectors through self-attention that sees no later step."""

    def __init__(
        self, items: int, steps: int, *, width: int, blocks: int, heads: int, dropout: float
    ):
        super().__init__()
        self.heads = heads
        self.items = nn.Embedding(items + 1, width, padding_idx=0)
        self.positions = nn.Parameter(torch.empty(steps, width))
        block = nn.TransformerEncoderLayer(
            width, heads, width, dropout, batch_first=True, norm_first=True
        )
        self.blocks = nn.TransformerEncoder(
            block, blocks, nn.LayerNorm(width), enable_nested_tensor=False
        )
        self.dropout = nn.Dropout(dropout)
        nn.init.normal_(self.items.weight, std=0.02)
        nn.init.normal_(self.positions, std=0.02)
        with torch.no_grad():
            self.items.weight[0] = 0

    def forward(self, rows: Tensor) -> Tensor:
        """Return the state behind each step, shape (rows, steps, width); rows: items from 1."""
        steps = torch.arange(rows.shape[1], device=rows.device)
        later = steps[None, :] > steps[:, None]
        # An empty step sees itself, because attention to nothing is not a number.
        empty = (rows == 0)[:, None, :] & (steps[None, :] != steps[:, None])
        states = self.dropout(self.items(rows) + self.positions)
        return self.blocks(states, mask=(later | empty).repeat_interleave(self.heads, dim=0))

    def scores(self, states: Tensor) -> Tensor:
        """Return the log-odds of every item, shape (..., items)."""
        return states @ self.items.weight[1:].T
