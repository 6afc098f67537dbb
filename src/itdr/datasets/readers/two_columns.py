"""Files of two cells a line, parted by the first separator; nothing is quoted."""

import re
from dataclasses import dataclass, replace

from itdr.datasets.readers.delimited import Delimited, Parsed
from itdr.datasets.readers.lines import Block

_UNIT_SEPARATOR = b"\x1f"


@dataclass(frozen=True)
class TwoColumns(Delimited):
    """The form of such a file; the second cell may hold the separator (one character), too."""

    quoted: bool = False
    header: bool = False

    def parse(self, block: Block) -> Parsed:
        """Read a block. Raises NeedsTextError if an id cannot be held as a number."""
        mark = re.escape(self.separator.encode())
        # A unit separator in a text is a blank that nobody sees.
        data = block.data.replace(_UNIT_SEPARATOR, b" ")
        data = re.sub(rb"(?m)^([^\n" + mark + rb"]*)" + mark, rb"\1" + _UNIT_SEPARATOR, data)
        form = Delimited(self.fields, separator="\x1f", quoted=False, header=False)
        return replace(form, encoding=self.encoding).parse(Block(data, block.first))
