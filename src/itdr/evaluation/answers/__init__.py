"""Reading the answers of a model: strictly as asked for, and leniently."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from itdr.evaluation.answers.answer import Answer, Reading
from itdr.evaluation.answers.attributes import read_attributes
from itdr.evaluation.answers.numbers import read_number
from itdr.evaluation.answers.rankings import read_choice, read_ranking

__all__ = ["Answer", "Form", "Reading", "read", "read_text"]

_QUOTES = "\"'`\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}"
_FENCE = re.compile(r"^```\w*\n(.*?)\n?```$", re.DOTALL)


@dataclass(frozen=True)
class Form:
    """The form of answer that one example asks for.

    scale: lowest and highest rating (number); candidates: titles in the order shown (ranked_list,
    title); attributes: the asked names, numeric: those of them that are numbers (attributes).
    """

    kind: Literal["number", "ranked_list", "title", "attributes", "text"]
    scale: tuple[float, float] = (0.0, 0.0)
    candidates: Sequence[str] = ()
    attributes: Sequence[str] = ()
    numeric: frozenset[str] = frozenset()


def read(text: str, form: Form, reading: Reading) -> Answer:
    """Return what an answer says; no text whatever raises an error."""
    lenient = reading == Reading.LENIENT
    match form.kind:
        case "number":
            return read_number(text, form.scale, lenient)
        case "ranked_list":
            return read_ranking(text, form.candidates, lenient)
        case "title":
            return read_choice(text, form.candidates, lenient)
        case "attributes":
            return read_attributes(text, form.attributes, form.numeric, lenient)
        case "text":
            return read_text(text, lenient)


def read_text(text: str, lenient: bool) -> Answer:
    """Return the text; leniently without the code fence or the quotes around the whole of it."""
    text = text.strip()
    if lenient:
        fenced = _FENCE.match(text)
        text = (fenced[1] if fenced else text).strip()
        if len(text) > 1 and text[0] in _QUOTES and text[-1] in _QUOTES:
            text = text[1:-1].strip()
    return Answer(text=text) if text else Answer("empty")
