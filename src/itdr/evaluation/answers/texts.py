"""Reading a text.

Asked for: the text alone. Lenient takes away what a chat model puts around it: reasoning, a first
line such as "Here is the text:", a code fence, bold or quotes around the whole of it, or an object
that holds it. Strict does not read a text with any of these. A refusal is no text in either.
"""

import json
import re

from itdr.evaluation.answers.cleaning import without_reasoning
from itdr.evaluation.answers.parsed import ParsedAnswer

_PREFACE = re.compile(
    r"(?:(?:sure|certainly|okay|ok|of course|absolutely|here)\b[^\n]{0,200}:[ \t]*\n|"
    r"(?:final )?(?:answer|output|response)\s?:)\s*",
    re.IGNORECASE,
)
_REFUSAL = re.compile(
    r"(?:(?:i'?m |i am )?sorry, (?:but )?i\b|i (?:can't|cannot|am unable|am not able)\b|"
    r"as an? (?:ai|language model)\b|unfortunately, i (?:can|do)\b)",
    re.IGNORECASE,
)
_WRAPS = (
    ('"', '"'),
    ("'", "'"),
    ("`", "`"),
    ("\N{LEFT DOUBLE QUOTATION MARK}", "\N{RIGHT DOUBLE QUOTATION MARK}"),
)


def read_text(text: str, lenient: bool) -> ParsedAnswer:
    """Return the text that the answer gives."""
    text = text.strip()
    alone = _unwrapped(_PREFACE.sub("", without_reasoning(text), count=1))
    if not re.search(r"\w", alone):
        return ParsedAnswer("empty" if not text else "no text")
    if _REFUSAL.match(alone.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")):
        return ParsedAnswer("a refusal")
    if alone != text and not lenient:
        return ParsedAnswer("not a text alone")
    return ParsedAnswer(text=alone)


def _unwrapped(text: str) -> str:
    """Return a text without bold, quotes or an object around the whole of it."""
    if text.startswith("{"):
        try:
            values = list(json.loads(text).values())
        except (ValueError, RecursionError):
            values = []
        text = values[0] if len(values) == 1 and isinstance(values[0], str) else text
    if text.startswith("**") and text.endswith("**") and text.count("**") == 2:
        text = text[2:-2].strip()
    for opening, closing in _WRAPS:
        inner = text[1:-1]
        if text[:1] == opening and text[-1:] == closing and not {opening, closing} & set(inner):
            return inner.strip()
    return text
