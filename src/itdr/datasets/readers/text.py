"""Text as people wrote it, out of what files made of it: no markup, no broken letters, sane blanks.

Each repair stands once as a function of one text; `texts` applies one to a whole Arrow column and
leaves alone, at the speed of compiled code, the cells in which there is nothing to repair. Inside
SQL the same functions are there after `add_text_functions(connection)`.
"""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import duckdb
import ftfy
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from duckdb.func import FunctionNullHandling, PythonUDFType
from duckdb.sqltypes import VARCHAR

from itdr.datasets.readers.fields import Field

_INLINE = (
    "a|abbr|acronym|b|big|cite|code|del|em|font|i|ins|q|s|small|span|strike|strong|sub|sup|tt|u"
)
_BLOCKS = (
    "address|article|aside|audio|blockquote|body|br|center|dd|div|dl|dt|embed|figure|footer|form|"
    "h1|h2|h3|h4|h5|h6|head|header|hr|html|iframe|img|input|li|link|main|meta|nav|object|ol|"
    "option|p|param|pre|section|select|source|table|tbody|td|tfoot|th|thead|title|tr|ul|video|wbr"
)
_TAG = re.compile(r"</?([a-z][a-z0-9]*)(?:\s[^<>]*)?/?>", re.IGNORECASE)
_HIDING = re.compile(r"<!--|<(?:script|style)\b", re.IGNORECASE)
_END_OF_HIDDEN = {
    "<!--": re.compile("-->"),
    "<script": re.compile(r"</script\s*>", re.IGNORECASE),
    "<style": re.compile(r"</style\s*>", re.IGNORECASE),
}
_FREQUENT_TAG = "<br />"
# Only what HTML knows is a tag: people also write "x<y" and "<sigh>".
_IN_PLACE_OF_TAG = dict.fromkeys(_INLINE.split("|"), "") | dict.fromkeys(_BLOCKS.split("|"), " ")
# Without its semicolon a named entity counts only if it is a common one: "?a=1&copy=2" has none.
_ENTITY = re.compile(
    r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
    r"|&(?:#[0-9]{1,7}|quot|amp|lt|gt|nbsp)(?![A-Za-z0-9;])"
)
_ENTITY_ROUNDS = 3  # "&amp;amp;quot;" is as deep as files go

_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u200b\u2060\ufeff]")


def tidy(text: str) -> str:
    """Return the text in one line: runs of blanks and line ends as one blank, none at its ends."""
    if not text.isprintable():  # quick, and true for nearly every text
        text = _INVISIBLE.sub("", text)
    return " ".join(text.split())


def without_entities(text: str) -> str:
    """Return the text with HTML entities resolved, also those escaped up to three times."""
    for _ in range(_ENTITY_ROUNDS):
        if "&" not in text:
            break
        text = _ENTITY.sub(_character, text)
    return text


@lru_cache(4096)
def _unescaped(entity: str) -> str:
    return html.unescape(entity)


def _character(entity: re.Match[str]) -> str:
    return _unescaped(entity[0])


def without_tags(text: str) -> str:
    """Return the text without HTML tags; those of blocks and line breaks leave a blank."""
    text = text.replace(_FREQUENT_TAG, " ")
    if "<" not in text:
        return text
    return _TAG.sub(_in_place_of_tag, _without_hidden(text))


def _in_place_of_tag(tag: re.Match[str]) -> str:
    return _IN_PLACE_OF_TAG.get(tag[1].lower(), tag[0])


def _without_hidden(text: str) -> str:
    """Return the text without comments, scripts and styles; those that never end stay.

    One pattern for all of it would look for the end of each of many comments without one, up to the
    end of the text.
    """
    parts, start, place = [], 0, 0
    endless: set[str] = set()
    while opening := _HIDING.search(text, place):
        kind = opening[0].lower()
        end = None if kind in endless else _END_OF_HIDDEN[kind].search(text, opening.end())
        if end is None:
            endless.add(kind)
            place = opening.end()
        else:
            parts.append(text[start : opening.start()])
            start = place = end.end()
    return " ".join([*parts, text[start:]])


def plain_text(text: str) -> str:
    """Return the words of a piece of HTML in one line: no tags, no entities, sane blanks.

    Tags that were escaped as entities go as well.
    """
    return tidy(without_tags(without_entities(without_tags(text))))


_SUSPECT = re.compile("[\x80-\x9fÂ-ð]")
_HALF_LOST = re.compile("Ã\\?Â?([\xa0-\xbf])")
_LOST = re.compile("Ã\\?(?:Â\\?|(?=\\w))")
_WITHOUT_LOSSES = ftfy.TextFixerConfig(replace_lossy_sequences=False, explain=False)


def repair_letters(text: str) -> str:
    """Return the text with letters restored that were encoded as UTF-8 twice ("MÃ¼ller"), by ftfy.

    Where the first of four bytes became a question mark on the way ("MÃ?Â¼ller", Book-Crossing),
    the letter follows from the last one; where that was lost too ("Ã?Â?", "Ã?ngel"), "?" stays.
    Both are beyond ftfy, which takes them for lost. Invisible characters that are letters or quotes
    in Windows-1252 become these.
    """
    if not _SUSPECT.search(text):
        return text
    text = ftfy.fix_encoding(text, _WITHOUT_LOSSES)
    text = _HALF_LOST.sub(lambda found: chr(ord(found[1]) + 0x40), text)
    return _LOST.sub("?", text)


def repaired_text(text: str) -> str:
    """Return `plain_text` of the text with its letters repaired."""
    return plain_text(repair_letters(text))


_UNTIDY = r"^\s|\s$|[\x00-\x1f\x7f-\x9f\x{a0}\x{200b}\x{2060}\x{feff}\x{2000}-\x{200a}\x{3000}]|  "
_MARKED_UP = rf"{_UNTIDY}|[&<\x{{1680}}\x{{2028}}\x{{2029}}\x{{202f}}\x{{205f}}]"
_BROKEN = rf"{_MARKED_UP}|[Â-ð]"
_WORTH_A_LOOK: dict[Callable[[str], str], str] = {
    tidy: _MARKED_UP,
    plain_text: _MARKED_UP,
    repaired_text: _BROKEN,
}
"""For each function a pattern (RE2) without which a text is left as it is."""


def texts(cells: pa.Array, repair: Callable[[str], str] = plain_text) -> pa.Array:
    """Return a column of text (with nulls) after `repair`; what becomes empty is null.

    repair: tidy, plain_text or repaired_text.
    """
    # An empty cell has nothing to look at, but it is null all the same.
    empty = pc.equal(cells, "")
    if pc.any(empty).as_py():
        cells = pc.if_else(empty, pa.scalar(None, cells.type), cells)
    doubtful = _odd(cells)
    odd = cells.filter(pa.array(doubtful))
    doubtful[doubtful] = pc.match_substring_regex(odd, _WORTH_A_LOOK[repair])
    if not doubtful.any():
        return cells
    mask = pa.array(doubtful)
    return pc.replace_with_mask(cells, mask, _repaired(cells.filter(mask), repair))


def _repaired(cells: pa.Array, repair: Callable[[str], str]) -> pa.Array:
    """Return texts after `repair`; what becomes empty is null.

    Most have nothing but blanks and the most frequent tag, which compiled code repairs.
    """
    found = cells if repair is tidy else pc.replace_substring(cells, _FREQUENT_TAG, " ")
    found = pc.utf8_trim(pc.replace_substring_regex(found, "  +", " "), " ")
    found = pc.if_else(pc.equal(found, ""), pa.scalar(None, found.type), found)
    others = pc.fill_null(pc.match_substring_regex(found, _WORTH_A_LOOK[repair]), False)
    if not pc.any(others).as_py():
        return found
    rest = [repair(cell) or None for cell in cells.filter(others).to_pylist()]
    return pc.replace_with_mask(found, others, pa.array(rest, cells.type))


_BLANK, _LAST_PLAIN, _AMPERSAND, _LESS = b" ~&<"
_AT_ONCE = 1 << 17  # bytes, which stay in the processor's cache


def _odd(cells: pa.Array) -> np.ndarray:
    """Return which cells (bool) hold anything but printable ASCII, single blanks and no markup.

    Says in a few passes over the bytes of all cells what takes a pattern many times as long.
    """
    odd = np.zeros(len(cells), bool)
    if not len(cells):
        return odd
    offsets = np.frombuffer(cells.buffers()[1], np.int32)[cells.offset :][: len(cells) + 1]
    if offsets[0] == offsets[-1]:
        return odd
    starts, ends = offsets[:-1], offsets[1:]
    chars = np.frombuffer(cells.buffers()[2], np.uint8)
    filled = np.flatnonzero(ends > starts)
    odd[filled] = (chars[starts[filled]] == _BLANK) | (chars[ends[filled] - 1] == _BLANK)
    for start in range(offsets[0], offsets[-1], _AT_ONCE):
        piece = chars[start : min(start + _AT_ONCE + 1, offsets[-1])]
        found = piece - _BLANK > _LAST_PLAIN - _BLANK  # numbers below 0 become large ones
        found |= piece == _AMPERSAND
        found |= piece == _LESS
        blank = piece == _BLANK
        found[:-1] |= blank[1:] & blank[:-1]
        odd[np.searchsorted(ends, np.flatnonzero(found) + start, side="right")] = True
    return odd


def add_text_functions(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the SQL functions tidy, plain_text and repaired_text; what becomes empty is null."""
    for repair in _WORTH_A_LOOK:
        connection.create_function(
            repair.__name__,
            _of_columns(repair),
            [VARCHAR],
            VARCHAR,
            type=PythonUDFType.ARROW,
            null_handling=FunctionNullHandling.SPECIAL,
        )


def _of_columns(repair: Callable[[str], str]) -> Callable[[pa.Array], pa.Array]:
    def column(cells: pa.Array) -> pa.Array:
        if isinstance(cells, pa.ChunkedArray):
            cells = pa.concat_arrays([cell.cast(pa.string()) for cell in cells.chunks])
        return texts(cells, repair)

    return column


@dataclass(frozen=True)
class Text(Field):
    """A cell of text that is repaired while it is read; `nothing` are words that mean no value."""

    repair: Callable[[str], str] = plain_text
    nothing: tuple[str, ...] = ()

    def read(self, cell: str) -> str | None:
        """Return the repaired text."""
        text = super().read(self.repair(cell))
        return None if text in self.nothing else text

    def convert(self, cells: pa.Array) -> pa.Array | None:
        """Return the repaired texts."""
        values = super().convert(texts(cells, self.repair))
        if values is None or not self.nothing:
            return values
        absent = pc.is_in(values, pa.array(self.nothing, pa.string()))
        return pc.if_else(absent, pa.scalar(None, pa.string()), values)
