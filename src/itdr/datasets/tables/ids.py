"""Columns of ids as places in a dictionary: Parquet files hold them so, and places sort quickly."""

import numpy as np
import pyarrow as pa

_SPREAD = 8  # numbers are counted in an array while it has at most so many cells per row


def encoded(ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return ids that are text with a dictionary, and whole numbers as they are."""
    return ids if pa.types.is_integer(ids.type) else ids.combine_chunks().dictionary_encode()


def ids_of(ids: pa.ChunkedArray) -> pa.DictionaryArray:
    """Return ids (text with dictionaries, or whole numbers; none null) as text with a dictionary.

    The dictionary has only ids that occur, in the order in which they first do, so that it does not
    depend on how the ids were held.
    """
    if pa.types.is_integer(ids.type):
        whole = ids.combine_chunks()
        numbers = whole.to_numpy()
        low, high = (int(numbers.min()), int(numbers.max())) if len(numbers) else (0, 0)
        if high - low < _SPREAD * len(numbers):
            places, used = _used(numbers - low, high - low + 1)
            return pa.DictionaryArray.from_arrays(places, pa.array(used + low).cast(pa.string()))
        whole = whole.dictionary_encode()
        return pa.DictionaryArray.from_arrays(whole.indices, whole.dictionary.cast(pa.string()))
    whole = ids.unify_dictionaries().combine_chunks()
    places, used = _used(whole.indices.to_numpy(), len(whole.dictionary))
    return pa.DictionaryArray.from_arrays(places, whole.dictionary.take(pa.array(used)))


def _used(places: np.ndarray, size: int) -> tuple[pa.Array, np.ndarray]:
    """Return places in a dictionary of those that are used, in their order, and which these are."""
    rows = len(places)
    first = np.full(size, rows, np.int32)
    # Of cells set again the last value stays.
    first[places[::-1]] = np.arange(rows - 1, -1, -1, dtype=np.int32)
    used = np.flatnonzero(first < rows)
    used = used[np.argsort(first[used])]
    place = np.empty(size, np.int32)
    place[used] = np.arange(len(used), dtype=np.int32)
    return pa.array(place[places]), used
