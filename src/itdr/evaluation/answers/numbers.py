"""Numbers in text: digits of any script, halves, and words from zero to a hundred.

A number that the text only compares with ("less than 3", "4+"), denies ("not 25") or gives in
percent is none that it states.
"""

import re
import unicodedata

VALUE = r"(?<![\w.,])[+-]?\d+(?:[.,]\d+)?(?![.,]?\w)"
NUMBER = re.compile(VALUE, re.ASCII)
_PLAIN = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_SANE = 1e6

_ONES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_ONES += ["eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"]
_ONES += ["eighteen", "nineteen"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_NAMES = {name: number for number, name in enumerate(_ONES)}
_NAMES |= {name: 10 * number for number, name in enumerate(_TENS, start=2)}
_WORDS = re.compile(
    # Elsewhere a number's name counts something else: "one of the best", "Four Weddings".
    rf"\b(?P<first>{'|'.join(_NAMES)})(?:[ -](?P<ones>{'|'.join(_ONES[1:10])}|hundred))?"
    rf"(?:[ -]point[ -](?P<tenths>{'|'.join(_ONES[:10])}))?\b"
    r"(?=\s*(?:$|[.,;:!?)\]*\"'/\n-])|[ -]+(?:stars?|points?|out\s+of|or|to|"
    r"and\s+(?:an?\s+|one\s+)?half|years?|because|since|for|on|in)\b|\s+of\s+(?:\d|five|ten)\b)",
    re.IGNORECASE,
)
_AND_A_HALF = re.compile(
    r"(?<![\w.,])(\d+)[ -]+(?:and[ -]+(?:an?[ -]+|one[ -]+)?half\b|1/2(?!\d))", re.ASCII | re.I
)
_HALF_A = re.compile(r"\bhalf[ -]a(?=[ -]star)", re.IGNORECASE)
_VULGAR = re.compile(r"(?<!\d)(\d{0,3})\s?([\xbc-\xbe])")

_COMPARED = re.compile(
    r"(?:\b(?:(?:less|more|lower|higher|greater|fewer|better|worse|other|rather|older|younger)\s+"
    r"than|instead\s+of|below|under|above|over|before|after|beyond|at\s+(?:least|most)|up\s+to|"
    rf"exceeds|exceeding|no\s+more)|(?<![-=])[<>\u2264\u2265]=?)\s*(?:an?\s+)?(?:{VALUE})",
    re.ASCII | re.IGNORECASE,
)
_COMPARED_BEHIND = re.compile(
    rf"{VALUE}\s*(?:\+|-?(?:ish|something|odd)\b|['\N{{RIGHT SINGLE QUOTATION MARK}}]s\b|"
    r"stars?\s+or\s+(?:more|less)\b|(?:or|and)\s+(?:more|less|higher|lower|above|below|better|"
    r"worse|older|younger|over|under|up)\b|at\s+(?:the\s+)?(?:very\s+)?(?:least|most|best|worst)\b|"
    r"(?:tops|max|min|(?:at\s+)?(?:minimum|maximum)|plus)\b)",
    re.ASCII | re.IGNORECASE,
)
_DENIED = re.compile(
    r"(?:\bnot|\bnever|n['\N{RIGHT SINGLE QUOTATION MARK}]t)\s+"
    rf"(?:(?!but\b|so\b|sure\b|instead\b)[a-z]+\s+){{0,4}}{VALUE}",
    re.ASCII | re.IGNORECASE,
)
_PERCENT = re.compile(
    rf"{VALUE}\s*(?:%|per\s?cent\b)|(?:\xb1|\+/-)\s*{VALUE.replace('[+-]?', '')}", re.ASCII
)


def plain_number(text: str) -> float | None:
    """Return the number below a million that the text is, or None."""
    if not _PLAIN.fullmatch(text):
        return None
    return value if abs(value := float(text)) < _SANE else None


def with_digits(text: str) -> str:
    """Return the text with its numbers in plain digits: "four and a half" becomes "4.5"."""
    text = _VULGAR.sub(lambda match: _plus(match[1], unicodedata.numeric(match[2])), text)
    text = unicodedata.normalize("NFKC", text)
    text = re.sub(r"\d", lambda match: str(unicodedata.digit(match[0])), text)
    text = _HALF_A.sub("0.5", text)
    text = _WORDS.sub(_number_of_words, text)
    return _AND_A_HALF.sub(lambda match: _plus(match[1], 0.5), text)


def without_unstated(text: str) -> str:
    """Return the text without the numbers that it compares with or denies, and percentages."""
    for pattern in (_PERCENT, _COMPARED, _COMPARED_BEHIND, _DENIED):
        text = pattern.sub(" ", text)
    return text


def values_in(text: str) -> list[float]:
    """Return the numbers of a text in plain digits in their order."""
    return [value_of(found) for found in NUMBER.findall(text)]


def value_of(digits: str) -> float:
    """Return the value of a number with a point or a comma."""
    return float(digits.replace(",", "."))


def only_number(text: str, low: float, high: float) -> tuple[float | None, str | None]:
    """Return the only number from low to high that a text states, or None and the problem."""
    values = values_in(without_unstated(with_digits(text)))
    inside = {value for value in values if low <= value <= high}
    if len(inside) == 1:
        return inside.pop(), None
    return None, "several numbers" if inside else "out of range" if values else "no number"


def _plus(whole: str, part: float) -> str:
    return str(int(whole or 0) + part)


def _number_of_words(match: re.Match[str]) -> str:
    first, ones, tenths = (match[name] and match[name].lower() for name in match.groupdict())
    number = _NAMES[first]
    if ones == "hundred":
        number *= 100
    elif ones:
        if number < 20:
            return match[0]  # "nineteen five" is no number
        number += _NAMES[ones]
    return f"{number}.{_NAMES[tenths]}" if tenths else str(number)
