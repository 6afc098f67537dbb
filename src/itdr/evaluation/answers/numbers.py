"""Reading a rating.

Asked for: the number alone, within the dataset's scale, with any number of decimals.

Lenient, in this order, after removing what repeats the scale ("/5", "out of 5", "from 1 to 5",
"on a scale of 1-5") and reading a comma between digits as a decimal point:
1. the first line, where it is a number alone (what follows is an explanation or a run-on);
2. the number after "rating", "score", "answer", "prediction" or "predict", where there is one;
3. the only number that the text holds within the scale ("four" counts as 4).
Several different numbers within the scale are unreadable: a reader could not tell which is meant.
So is a number out of another scale ("7/10" where the scale ends at 5).
"""

import re
import unicodedata

from itdr.evaluation.answers.answer import Answer

_PLAIN = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_VALUE = r"(?<![\w.,])[+-]?\d+(?:[.,]\d+)?(?!\.?\w)"
_NUMBER = re.compile(_VALUE, re.ASCII)
_NAMED = re.compile(
    r"\b(?:ratings?|score|answer|prediction|predict(?:ed)?)\b[^\d\n+-]{0,30}?(" + _VALUE + ")",
    re.ASCII | re.IGNORECASE,
)
_SCALE = re.compile(
    r"\(?\b(?:(?:on|in)\s+(?:a|the)\s+)?(?:scale|range)?\s*(?:of|from)\s+\d+(?:\.\d+)?\s*"
    r"(?:to|[-\N{EN DASH}])\s*\d+(?:\.\d+)?\)?|\bout\s+of\s+\d+(?:\.\d+)?|"
    r"(?<=\d)\s*/\s*\d+(?:\.\d+)?",
    re.ASCII | re.IGNORECASE,
)
_SANE = 1e6
_WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_WORD = re.compile(rf"\b({'|'.join(_WORDS)})\b", re.ASCII | re.IGNORECASE)
_TOP = re.compile(r"(?:\bout\s+of|(?<=\d)\s*/)\s*(\d+(?:\.\d+)?)", re.ASCII | re.IGNORECASE)
_STARS = re.compile(r"(?<=\d)[\s-]*stars?\b", re.IGNORECASE)
_BULLET = re.compile(r"^[^\S\n]*[-*\N{BULLET}]\s+", re.MULTILINE)


def read_number(text: str, scale: tuple[float, float], lenient: bool) -> Answer:
    """Return the rating that the text gives."""
    text = text.strip()
    if not text:
        return Answer("empty")
    if _PLAIN.fullmatch(text):
        return _in_scale(float(text), scale)
    if not lenient:
        return Answer("not a number alone")
    if any(float(top) != scale[1] for top in _TOP.findall(text)):
        return Answer("another scale")
    return _find(_simplify(text), scale)


def lenient_number(text: str) -> float | None:
    """Return the only number in a text, such as 25 in "about 25 years", or None."""
    values = {_value(found) for found in _NUMBER.findall(_simplify(text))}
    return _sane(values.pop()) if len(values) == 1 else None


def plain_number(text: str) -> float | None:
    """Return the number that the text is, or None."""
    return _sane(float(text)) if _PLAIN.fullmatch(text) else None


def _sane(value: float) -> float | None:
    """Return the value, or None from a million up: one such answer would be all of an rmse."""
    return value if abs(value) < _SANE else None


def _simplify(text: str) -> str:
    text = unicodedata.normalize("NFKC", text)
    text = _BULLET.sub("", text)
    text = _STARS.sub(" ", text)
    text = _SCALE.sub(" ", text)
    text = re.sub(r"[*_`\"'$]", " ", text)
    return _WORD.sub(lambda match: str(_WORDS.index(match[1].lower())), text)


def _find(text: str, scale: tuple[float, float]) -> Answer:
    first = text.strip().partition("\n")[0].strip(" .()[]")
    if _PLAIN.fullmatch(first):
        return _in_scale(float(first), scale)
    named = {_value(found) for found in _NAMED.findall(text)}
    if len(named) == 1:
        return _in_scale(named.pop(), scale)
    values = {_value(found) for found in _NUMBER.findall(text)}
    inside = {value for value in values if scale[0] <= value <= scale[1]}
    if len(inside) == 1:
        return Answer(number=inside.pop())
    if inside:
        return Answer("several numbers")
    return Answer("out of scale" if values else "no number")


def _value(found: str) -> float:
    return float(found.replace(",", "."))


def _in_scale(value: float, scale: tuple[float, float]) -> Answer:
    if scale[0] <= value <= scale[1]:
        return Answer(number=value)
    return Answer("out of scale")
