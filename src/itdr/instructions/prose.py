"""Fitting people's texts into an example without cutting a sentence."""

import re

_END = re.compile(r"[.!?…]+[\"'\u201d\u2019)\]]*(?=\s|$)")

_ABBREVIATED = re.compile(r"\b(?:mrs?|ms|dr|st|jr|sr|vs|vol|no|approx|e\.g|i\.e|[A-Z])$", re.I)
"""What stands before a full stop that does not end a sentence."""

_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[A-Z])(?=[A-Z][a-z])")


def one_line(text: str | None) -> str:
    """Return the text with each run of blanks as one blank, "" for None."""
    return " ".join((text or "").split())


def spaced(name: str) -> str:
    """Return an identifier such as "GoodForKids" or "beer_and_wine" as words in small letters."""
    return " ".join(_HUMP.sub(" ", name).replace("_", " ").split()).lower()


def sentences(text: str | None, limit: int) -> str:
    """Return the text in one line if it has at most `limit` characters, else its first sentences.

    These are as many whole sentences as fit; of a list without full stops, as many entries up to a
    semicolon. "" where not even the first one fits.
    """
    line = one_line(text)
    if len(line) <= limit:
        return line
    ends = [
        match.end()
        for match in _END.finditer(line, 0, limit + 1)
        if match.end() <= limit and not _ABBREVIATED.search(line, 0, match.start())
    ]
    return line[: ends[-1]] if ends else line[: max(line.rfind("; ", 0, limit + 2), 0)]
