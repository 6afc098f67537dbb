"""Sorting rows by keys packed into 64-bit numbers: many times as fast as comparing cell by cell.

Text is replaced by its rank among the texts of its column. Whole numbers are counted from their
smallest. Keys that together need few enough bits become one number, so that most tables are sorted
by one or two.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_UNITS = (1_000_000, 1_000)  # times in whole seconds or milliseconds need fewer bits
_PLACE = ["file", "line"]
_WORD = 64

Ranks = tuple[np.ndarray, int]
"""A whole number from 0 per row that orders as the key does, and the bits that it needs."""


def order_of(table: pa.Table, order: list[str], unique: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the row numbers in the order of the columns `order`, and those of repeated rows.

    Rows that are the same in all columns `unique` stand once, the first by `file` and `line`; the
    others are the repeated ones. Rows alike in all columns `order` stand by file and line. Nulls
    come last, of two texts the shorter one first. Keys are text, times or whole numbers.
    """
    keys = {name: _ranks(table.column(name)) for name in dict.fromkeys([*order, *unique])}
    repeated = _repeated(table, [keys[name] for name in unique])
    rows = _sorted(_packed([keys[name] for name in order]), table)
    if len(repeated):
        kept = np.ones(table.num_rows, bool)
        kept[repeated] = False
        rows = rows[kept[rows]]
    return rows, repeated


def _repeated(table: pa.Table, unique: list[Ranks]) -> np.ndarray:
    none = np.empty(0, np.int64)
    if not unique or not table.num_rows:
        return none
    words = _packed(unique)
    if len(words) == 1:
        ordered = np.sort(words[0])
        if not (ordered[1:] == ordered[:-1]).any():
            return none
    rows = _sorted(words, table)
    return np.sort(rows[1:][_alike(words, rows)])


def _sorted(words: list[np.ndarray], table: pa.Table) -> np.ndarray:
    """Return the row numbers in the order of the words; rows alike in all stand by their place.

    By the first word alone they are sorted quickly, and few rows are left that are alike in it.
    """
    first = words[0]
    in_order = bool((first[1:] >= first[:-1]).all())
    rows = np.arange(len(first)) if in_order else np.argsort(first)
    again = _alike([first], rows)
    if again.any():
        among = np.concatenate([again, [False]])
        among[1:] |= again
        some = rows[among]
        keys = [word[some] for word in words] + _places(table.select(_PLACE).take(pa.array(some)))
        rows[among] = some[np.lexsort(keys[::-1])]
    return rows


def _alike(words: list[np.ndarray], rows: np.ndarray) -> np.ndarray:
    """Say of each row but the first whether it has the same keys as the one before."""
    same = np.ones(max(len(rows) - 1, 0), bool)
    for word in words:
        ordered = word[rows]
        same &= ordered[1:] == ordered[:-1]
    return same


def _places(table: pa.Table) -> list[np.ndarray]:
    return _packed([_ranks(table.column(name)) for name in _PLACE])


def _ranks(column: pa.ChunkedArray) -> Ranks:
    is_text = pa.types.is_dictionary(column.type) or pa.types.is_string(column.type)
    numbers = _text_ranks(column) if is_text else _counted(column)
    if column.null_count:
        known = column.is_valid().to_numpy()
        numbers = np.where(known, numbers, numbers.max(initial=0, where=known) + 1)
    return numbers.astype(np.uint64, copy=False), int(numbers.max(initial=0)).bit_length()


def _text_ranks(column: pa.ChunkedArray) -> np.ndarray:
    """Return the rank of each text; any number for a null."""
    encoded = column.combine_chunks()
    if not pa.types.is_dictionary(encoded.type):
        encoded = encoded.dictionary_encode()
    texts = encoded.dictionary
    table = pa.table({"size": pc.binary_length(texts), "text": texts})
    rank = np.empty(len(texts), np.int64)
    rank[pc.sort_indices(table, [("size", "ascending"), ("text", "ascending")])] = np.arange(
        len(texts)
    )
    places = pc.fill_null(encoded.indices, 0).to_numpy()
    return rank[places] if len(rank) else np.zeros(len(places), np.int64)


def _counted(column: pa.ChunkedArray) -> np.ndarray:
    """Return each number less the smallest one, in the largest unit; any number for a null."""
    is_time = pa.types.is_timestamp(column.type)
    if is_time:
        column = column.cast(pa.timestamp("us")).cast(pa.int64())
    lowest = pc.min(column).as_py()
    if lowest is None:
        return np.zeros(len(column), np.int64)
    numbers = pc.fill_null(column, lowest).to_numpy().astype(np.int64, copy=False)
    for unit in _UNITS if is_time else ():
        whole = numbers // unit
        if np.array_equal(whole * unit, numbers):
            numbers, lowest = whole, lowest // unit
            break
    # Differences of any two 64-bit numbers fit into 64 bits without a sign.
    return numbers.view(np.uint64) - np.uint64(lowest % (1 << _WORD))


def _packed(keys: list[Ranks]) -> list[np.ndarray]:
    """Return as few numbers per row as hold all keys; they order as the keys do."""
    words: list[np.ndarray] = []
    free = 0
    for numbers, bits in keys:
        if words and bits <= free:
            words[-1] = words[-1] << np.uint64(bits) | numbers
            free -= bits
        else:
            words.append(numbers)
            free = _WORD - bits
    return words
