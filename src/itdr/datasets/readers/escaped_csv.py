r"""Separated cells, all in quotes, in which a backslash escapes a quote: "A \"good\" one"."""

import re
from dataclasses import dataclass, fields

from itdr.datasets.readers.delimited import Delimited, Parsed
from itdr.datasets.readers.lines import Block

_ESCAPED = re.compile(rb'\\(["\\])')


@dataclass(frozen=True)
class EscapedCsv(Delimited):
    """The form of such a file.

    Its header has quotes, too: a copy that some program saved again has none, and in such copies
    ids have lost their leading zeros and escaped quotes are spoilt.
    """

    def header_error(self, line: bytes) -> str | None:
        """Return what is wrong with the header line, None if nothing is."""
        wrong = super().header_error(line)
        quoted = self.separator.join(f'"{field.name}"' for field in self.fields)
        if wrong is None and line.decode(self.encoding, "replace").strip() != quoted:
            return (
                f"the first line is {line[:200]!r} without quotes; the original has {quoted}, and "
                "such copies have lost the leading zeros of ids and the quotes inside cells"
            )
        return wrong

    def parse(self, block: Block) -> Parsed:
        """Read a block. Raises NeedsTextError if an id cannot be held as a number."""
        doubled = _AllQuoted(**{field.name: getattr(self, field.name) for field in fields(self)})
        if b"\\" not in block.data:
            return doubled.parse(block)
        data = _ESCAPED.sub(lambda found: found[1].replace(b'"', b'""'), block.data)
        return doubled.parse(Block(data, block.first))


class _AllQuoted(Delimited):
    """Cells in quotes, quotes inside doubled; a line with a stray quote is still read if it can be.

    As every cell stands in quotes, a separator between two quotes parts cells. That is taken for
    the truth only where the rules of quotes fail, and if it gives the right number of cells.
    """

    def _split(self, line: str) -> list[str] | None:
        cells = super()._split(line)
        if cells is not None and len(cells) == len(self.fields):
            return cells
        mark = re.escape(self.separator)
        parts = re.split(f'(?:(?<=")|(?<=NULL)){mark}(?="|NULL)', line)
        if len(parts) != len(self.fields):
            return cells
        return [_unquoted(part) for part in parts]


def _unquoted(cell: str) -> str:
    if len(cell) > 1 and cell.startswith('"') and cell.endswith('"'):
        return cell[1:-1].replace('""', '"')
    return cell
