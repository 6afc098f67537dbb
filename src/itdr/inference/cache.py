"""Keys and values of prompts that share a forward pass, in memory that is taken once."""

from typing import Any

from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer


def roomy_cache(model: Any, rows: int, room: int) -> tuple[DynamicCache, bool]:
    """Return an empty cache, and whether padding may stand anywhere in it.

    Layers of another kind than full attention stay as transformers has them. Those that see a
    window of the last tokens count the padding, so it must stand before everything else.

    rows: prompts; room: most tokens of a prompt and its answer.
    """
    cache = DynamicCache(config=model.config)
    full = [type(layer) is DynamicLayer for layer in cache.layers]
    cache.layers = [
        _RoomyLayer(rows, room) if plain else layer
        for plain, layer in zip(full, cache.layers, strict=True)
    ]
    return cache, all(full)


class _RoomyLayer(DynamicLayer):
    """The keys and values of one layer, shape (prompts, heads, tokens, width of a head)."""

    def __init__(self, rows: int, room: int) -> None:
        super().__init__()
        self._rows, self._room = rows, room

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Take the memory."""
        super().lazy_initialization(key_states, value_states)
        self._whole = [
            states.new_empty((self._rows, states.shape[1], self._room, states.shape[3]))
            for states in (key_states, value_states)
        ]

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Write states behind those that are there; return all of the prompts that were given.

        The states of one prompt are written for all: what they all begin with.
        """
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        begin = self.get_seq_length()
        end = begin + key_states.shape[2]
        for whole, states in zip(self._whole, (key_states, value_states), strict=True):
            whole[: self._rows, :, begin:end] = states
        keys, values = self._show(end)
        return keys[: len(key_states)], values[: len(key_states)]

    def batch_select_indices(self, indices: Tensor) -> None:
        """Keep these prompts, in this order; those that keep their place are not copied."""
        places = indices.new_tensor(range(len(indices)))
        moved = (indices != places).nonzero().flatten()
        for states in self._show(self.get_seq_length()):
            states[moved] = states[indices[moved]]
        self._rows = len(indices)
        self._show(self.get_seq_length())

    def _show(self, end: int) -> tuple[Tensor, Tensor]:
        """Return the keys and values of the first tokens; transformers finds them here too."""
        self.keys, self.values = (whole[: self._rows, :, :end] for whole in self._whole)
        return self.keys, self.values
