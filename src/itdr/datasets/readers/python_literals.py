"""Files with one Python dictionary a line, as `print(dict)` of Python 2 or 3 writes it.

A block of lines is rewritten to JSON with whole-array operations: where strings begin and end is
found for all lines at once, and then single bytes are exchanged. Lines in which there is anything
that Python and JSON might read differently are left out of that and read by ast.literal_eval, one
by one; both ways give the same values. Nothing is ever evaluated.
"""

import ast
import json
import re
import threading
import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from itdr.datasets.readers.json_lines import JsonLines, lines_of_text, valid_json
from itdr.datasets.readers.lines import Block

_LF, _SINGLE, _DOUBLE, _BACKSLASH = (ord(char) for char in "\n'\"\\")

# Control characters stand for what JSON spells in another length until all is in its place. Lines
# that hold any of their own are doubtful.
_INNER_DOUBLE, _GONE, _SINGLE_INSIDE, _DOUBLE_INSIDE, _TWO_DIGITS, _EIGHT_DIGITS = range(1, 7)
_IN_PLACE = bytes.maketrans(bytes([_SINGLE_INSIDE, _DOUBLE_INSIDE]), b"'\"")
_LONG_ESCAPE = re.compile(bytes([_EIGHT_DIGITS]) + rb"U([0-9a-fA-F]{8})")

_MOST_STRINGS = 4000  # in a line that is rewritten; the steps are taken for all lines together

_SURROGATE = re.compile(r"[\ud800-\udfff]")

_warnings_are_global = threading.Lock()


def _set(chars: bytes) -> np.ndarray:
    """Return a table that is true for these bytes."""
    table = np.zeros(256, bool)
    table[np.frombuffer(chars, np.uint8)] = True
    return table


_ESCAPES = _set(b"ntrbfuxU\\'\"")
_HEX = _set(b"0123456789abcdefABCDEF")
# Exponents are left to Python, which may make infinity of them.
_OUTSIDE = _set(b"{}[]:, 0123456789.-+\n")
_WORDS = ((b"True", b"true"), (b"False", b"false"), (b"None", b"null"))


@dataclass(frozen=True)
class PythonLiterals(JsonLines):
    """The form of a file of Python dictionaries; their keys are as those of JSON lines."""

    what: ClassVar[tuple[str, str]] = ("not a Python literal", "not a dictionary")

    def objects(self, block: Block, every_line: bool = False) -> tuple[pa.Array, dict[int, str]]:
        """Return the lines as JSON, and the reasons for those that are no dictionaries."""
        text, doubtful = to_json(block.data)
        lines, rejected = lines_of_text(Block(text, block.first))
        if every_line:
            doubtful = np.union1d(doubtful, np.flatnonzero(~valid_json(lines)))
        if not len(doubtful):
            return lines, rejected
        originals = block.lines()
        found = []
        for place in doubtful.tolist():
            line, reason = line_to_json(originals[place])
            found.append(line)
            rejected.pop(block.first + place, None)
            if reason:
                rejected[block.first + place] = reason
        mask = np.zeros(len(lines), bool)
        mask[doubtful] = True
        return pc.replace_with_mask(lines, pa.array(mask), pa.array(found, lines.type)), rejected


def to_json(data: bytes) -> tuple[bytes, np.ndarray]:
    """Return lines of Python dictionaries as lines of JSON, and the numbers of doubtful lines.

    data: whole lines that end with a line feed. The result has as many; of those that are doubtful
    (int64, from 0, ascending) it must not be used. Other lines mean what they mean in Python if
    they are JSON, and need ast.literal_eval if they are not.
    """
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    chars = np.frombuffer(bytearray(data), np.uint8)
    low = np.flatnonzero(chars < 32)
    is_end = chars[low] == _LF
    ends = low[is_end]
    odd_escapes = _set_escapes_aside(chars)
    doubtful = np.zeros(len(ends), bool)
    for places in (low[~is_end], odd_escapes, _rewrite(chars, ends)):
        doubtful[np.searchsorted(ends, places)] = True
    return _spelled_out(chars.tobytes()), np.flatnonzero(doubtful)


def _set_escapes_aside(chars: np.ndarray) -> np.ndarray:
    """Put marks in place of escapes that JSON spells otherwise; return places of those it lacks."""
    slashes = np.flatnonzero(chars == _BACKSLASH)
    # Of backslashes in a row the first, third, ... begin an escape.
    place = np.arange(len(slashes))
    begins_row = np.diff(slashes, prepend=-2) != 1
    row = np.maximum.accumulate(np.where(begins_row, place, 0))
    at = slashes[(place - row) % 2 == 0]
    kind = chars[at + 1]
    chars[at[kind == _SINGLE]] = _GONE
    chars[at[kind == _SINGLE] + 1] = _SINGLE_INSIDE
    chars[at[kind == _DOUBLE] + 1] = _DOUBLE_INSIDE
    chars[at[kind == ord("x")]] = _TWO_DIGITS
    chars[at[kind == ord("x")] + 1] = _GONE
    odd = [at[~_ESCAPES[kind]]]
    # Halves of a surrogate pair may stand alone, which JSON does not allow.
    short = at[kind == ord("u")]
    short = short[np.minimum(short + 3, len(chars) - 1) == short + 3]
    high = (chars[short + 2] | 32) == ord("d")
    odd.append(short[high & (chars[short + 3] >= ord("8"))])
    long = at[kind == ord("U")]
    code = np.zeros(len(long), np.int64)
    fine = np.ones(len(long), bool)
    for step in range(2, 10):
        digit = chars[np.minimum(long + step, len(chars) - 1)].astype(np.int64)
        fine &= _HEX[digit]
        code = code * 16 + np.where(digit > ord("9"), (digit | 32) - 87, digit - 48)
    fine &= (code <= 0x10FFFF) & (code // 0x800 != 0xD800 // 0x800)
    chars[long[fine]] = _EIGHT_DIGITS
    return np.concatenate([*odd, long[~fine]])


def _spelled_out(text: bytes) -> bytes:
    """Return the text with JSON's spelling in place of the marks."""
    if bytes([_EIGHT_DIGITS]) in text:
        text = _LONG_ESCAPE.sub(_short_escapes, text)
    if any(bytes([mark]) in text for mark in (_GONE, _SINGLE_INSIDE, _DOUBLE_INSIDE)):
        text = text.translate(_IN_PLACE, bytes([_GONE]))
    text = text.replace(bytes([_TWO_DIGITS]), b"\\u00")
    return text.replace(bytes([_INNER_DOUBLE]), b'\\"')


def _short_escapes(found: re.Match[bytes]) -> bytes:
    """Return a long escape (8 digits) as JSON has it: a short one (4 digits), or two."""
    units = chr(int(found[1], 16)).encode("utf-16-be").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4)).encode()


def _rewrite(chars: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Put JSON's quotes and words in place of Python's; return places that are doubtful."""
    quotes = np.flatnonzero((chars == _SINGLE) | (chars == _DOUBLE))
    kinds = chars[quotes]
    opening, closing, unclosed = _strings(kinds, np.searchsorted(quotes, ends))
    role = np.zeros(len(quotes), np.uint8)
    role[opening], role[closing] = 1, 2
    first, last = quotes[role == 1], quotes[role == 2]
    chars[quotes[(role == 0) & (kinds == _DOUBLE)]] = _INNER_DOUBLE
    chars[first] = chars[last] = _DOUBLE
    before = chars[first - 1]
    chars[first[before == ord("u")] - 1] = ord(" ")
    return np.concatenate([quotes[unclosed], _rewrite_words(chars, _outside(first, last, chars))])


def _outside(first: np.ndarray, last: np.ndarray, chars: np.ndarray) -> np.ndarray:
    """Return the places outside strings, which begin at `first` and end at `last`."""
    starts = np.concatenate([[0], last + 1])
    lengths = np.concatenate([first, [len(chars)]]) - starts
    before = np.cumsum(lengths) - lengths
    return np.repeat(starts - before, lengths) + np.arange(lengths.sum())


def _rewrite_words(chars: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """Rewrite True, False and None outside strings; return the places of other odd characters."""
    text = chars[outside]
    for python, other in _WORDS:
        at = np.flatnonzero(text[: len(text) - len(python) + 1] == python[0])
        for step, char in enumerate(python):
            at = at[text[at + step] == char]
        at = at[outside[at + len(python) - 1] - outside[at] == len(python) - 1]
        for step, char in enumerate(other):
            text[at + step] = ord(" ")
            chars[outside[at] + step] = char
    return outside[~_OUTSIDE[text]]


def _strings(kinds: np.ndarray, upto: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return which quotes open and which close a string, and which opens one without an end.

    kinds: the quotes of all lines, " or '. upto: for each line the number of quotes up to its end.

    A string ends at the next quote of its own kind, and the next quote behind it opens another one.
    That is followed from string to string in all lines at the same time.
    """
    following = np.full(len(kinds), len(kinds))
    for kind in (_SINGLE, _DOUBLE):
        same = np.flatnonzero(kinds == kind)
        following[same[:-1]] = same[1:]
    at, end = np.concatenate([[0], upto[:-1]]), upto
    opening, closing, unclosed = [], [], []
    for _ in range(_MOST_STRINGS):
        more = at < end
        at, end = at[more], end[more]
        if not len(at):
            break
        close = following[at]
        closed = close < end
        unclosed.append(at[~closed])
        at, close, end = at[closed], close[closed], end[closed]
        opening.append(at)
        closing.append(close)
        at = close + 1
    unclosed.append(at[at < end])
    nothing = [np.zeros(0, np.int64)]
    opens, closes, open_ends = (
        np.concatenate([*nothing, *parts]) for parts in (opening, closing, unclosed)
    )
    return opens, closes, open_ends


def line_to_json(line: bytes) -> tuple[str | None, str | None]:
    """Return a line of a Python dictionary as JSON, or None and why it is none."""
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return None, "not UTF-8 text"
    if not text.strip():
        return None, "empty line"
    try:
        with _warnings_are_global, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that Python does not know
            value = ast.literal_eval(text)
        if not isinstance(value, dict):
            return None, "not a dictionary"
        found = json.dumps(value, ensure_ascii=False, skipkeys=True, default=str)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None, "not a Python literal"
    if _SURROGATE.search(found):
        # Two that belong together become one character, one that stands alone a question mark.
        found = found.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return found, None
