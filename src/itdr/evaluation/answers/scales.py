"""Mentions of a scale of ratings: "/5", "out of 5", "(0.5-5)", "on a 5-star scale"."""

import re

from itdr.evaluation.answers.numbers import VALUE, value_of

_TOP = r"(?P<top>\d+(?:[.,]\d+)?)"
_OUT_OF = re.compile(
    rf"(?P<value>{VALUE})\s*+(?:stars?\s)?\(?\s*+(?:/|\b(?:out\s+of(?:\s+an?\s+\w+(?:\s+of)?)?|of|sur|de|von)\b)"
    rf"\s*{_TOP}",
    re.ASCII | re.IGNORECASE,
)
_WHOLE_SCALE = re.compile(
    r"(?:\b(?:(?:on|in)\s+(?:a|the)\s+)?(?:scale|range)?\s?(?:of|from|between)\s+)?"
    r"(?<![\w.,/])(?:0(?:[.,]5)?|1)(?:[.,]0)?\s*(?:-|\N{EN DASH}|\b(?:to|and|through)\b)\s*"
    rf"{_TOP}(?!\w)",
    re.ASCII | re.IGNORECASE,
)
_NAMED_TOP = re.compile(
    rf"(?:\bscale\s+of\s+|满分\s*){_TOP}|{_TOP.replace('top', 'stars')}[- ](?:stars?|points?)\s+"
    r"(?:scale|system)",
    re.ASCII | re.IGNORECASE,
)
_EXTREME = re.compile(
    rf"\b(?:lowest|highest|maximum|minimum|max|min|best|worst)\b\W{{0,3}}(?:is\s+|of\s+)?{VALUE}|"
    rf"{VALUE}\s*(?:=|is|being|means)\s*(?:the\s+)?(?:lowest|highest|best|worst)\b",
    re.ASCII | re.IGNORECASE,
)


class AnotherScaleError(Exception):
    """The text rates on another scale than the one asked for."""


def without_scale(text: str, highest: float) -> tuple[str, bool]:
    """Return the text without mentions of its scale, and whether a value was of another.

    highest: the end of the asked-for scale. A value of another scale ("8.1/10") is taken out.

    Raises:
        AnotherScaleError: the text names another scale as the one that it uses.
    """
    for pattern in (_WHOLE_SCALE, _NAMED_TOP):
        for match in pattern.finditer(text):
            if value_of(next(filter(None, match.groups()))) != highest:
                raise AnotherScaleError
        text = pattern.sub(" ", text)
    others = 0

    def own_value(match: re.Match[str]) -> str:
        nonlocal others
        own = value_of(match["top"]) == highest
        others += not own
        return match["value"] if own else " "

    return _EXTREME.sub(" ", _OUT_OF.sub(own_value, text)), others > 0
