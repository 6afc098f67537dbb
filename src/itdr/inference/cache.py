"""Keys and values of prompts that share a forward pass, in memory that is taken once."""

from typing import Any

from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer


class PreallocatedKVCache(DynamicCache):
    """A cache for so many prompts, with room for so many tokens of each.

    Layers of another kind than full attention stay as transformers has them.

    Attributes:
        full: whether there are none of another kind. Layers that see a window of the last tokens
            count the padding, so there it must stand before everything else, and all prompts must
            be computed together.
    """

    def __init__(self, config: Any, rows: int, room: int) -> None:
        """config: the model's."""
        super().__init__(config=config)
        plain = [type(layer) is DynamicLayer for layer in self.layers]
        self.full = all(plain)
        self.layers = [
            _PreallocatedLayer(rows, room) if is_plain else layer
            for is_plain, layer in zip(plain, self.layers, strict=True)
        ]

    def write_at(self, rows: slice, begin: int) -> None:
        """Put what comes next into these rows, at this place; only full layers can choose."""
        for layer in self.layers:
            if isinstance(layer, _PreallocatedLayer):
                layer.write_at(rows, begin)


class _PreallocatedLayer(DynamicLayer):
    """The keys and values of one layer, shape (prompts, heads, tokens, width of a head)."""

    def __init__(self, rows: int, room: int) -> None:
        super().__init__()
        self._shape = rows, room
        self._rows, self._end = slice(0, rows), 0

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Take the memory. What is never written counts for nothing, but must not be infinite."""
        super().lazy_initialization(key_states, value_states)
        rows, room = self._shape
        self._whole = [
            states.new_zeros((rows, states.shape[1], room, states.shape[3]))
            for states in (key_states, value_states)
        ]
        self.keys, self.values = self._whole

    def write_at(self, rows: slice, begin: int) -> None:
        """Put what comes next into these rows, at this place."""
        self._rows, self._end = rows, begin

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Write states; return all up to them, of as many prompts as they are of.

        The states of one prompt are written for all the rows.
        """
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        begin, self._end = self._end, self._end + key_states.shape[2]
        shown = []
        for whole, states in zip(self._whole, (key_states, value_states), strict=True):
            rows = whole[self._rows]
            rows[:, :, begin : self._end] = states
            shown.append(rows[: len(states), :, : self._end])
        return shown[0], shown[1]

    def get_seq_length(self) -> int:
        """Return the place that is written next."""
        return self._end

    def batch_select_indices(self, indices: Tensor) -> None:
        """Keep these prompts, in this order; those that keep their place are not copied."""
        places = indices.new_tensor(range(len(indices)))
        moved = (indices != places).nonzero().flatten()
        for whole in self._whole:
            written = whole[:, :, : self._end]
            written[moved] = written[indices[moved]]
        self._rows = slice(0, len(indices))
