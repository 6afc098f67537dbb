"""Reading a free text."""

import re

from itdr.evaluation.answers.answer import Answer

_QUOTES = "\"'`\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}"
_FENCE = re.compile(r"^```\w*\n(.*?)\n?```$", re.DOTALL)


def read_text(text: str, lenient: bool) -> Answer:
    """Return the text; leniently without the code fence or the quotes around the whole of it."""
    text = text.strip()
    if lenient:
        fenced = _FENCE.match(text)
        text = (fenced[1] if fenced else text).strip()
        if len(text) > 1 and text[0] in _QUOTES and text[-1] in _QUOTES:
            text = text[1:-1].strip()
    return Answer(text=text) if text else Answer("empty")
