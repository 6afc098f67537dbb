"""Dividing an answer into the entries of a list, in the order in which they stand.

Lines with a number are the entries; where no line has one, lines with a bullet; else every line. A
table gives its rows, JSON its strings. A line alone is divided at its numbers ("1. A 2. B"), at
">", "->", "|", ";" or "/", or at commas where every part then names a candidate.
"""

import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from itdr.evaluation.answers.mentions import leading, mentions
from itdr.evaluation.answers.titles import Titles

_NUMBER = re.compile(
    r"\s*+(?:#{2,6}\s+)?[\s*_>]*+(?P<word>#|(?:rank|no\.?|number|place|第)\s?#?)?[(\[]?"
    r"(?P<number>\d{1,3})(?P<nth>st|nd|rd|th|位)?"
    r"(?P<end>[.,):\]、]+[*_]*+(?!\d)|\s[-\N{EN DASH}]\s|\s|$)\s*+",
    re.ASCII | re.IGNORECASE,
)
_CIRCLED = re.compile("[\u2460-\u2473]")
_BULLET = re.compile(
    r"\s*+(?:[-*+\N{BULLET}\N{EN DASH}]|(?P<letter>[a-hA-H])[.)]|[ivxIVX]{1,4}[.)])\s++"
)
_INLINE = re.compile(r"(?:^|(?<=[\s,;]))[(\[]?(\d{1,3})[.):\]]\s*", re.ASCII)
_COMMA = re.compile(r",\s(?:and\s)?")
_SEPARATORS = [
    *(re.compile(pattern) for pattern in (r"[-=]?>+|[\u2192\u27f6]", r"\|", r";", r"\s/\s")),
    _COMMA,
]
_IN_TURN = re.compile(r"then|and|next|followed|by|finally|last|lastly|the|first|second|third")
_CANDIDATE_NUMBERS = re.compile(r"\W*\d{1,4}(?:[\s\[\]()#,>;|-]+\d{1,4})+\W*", re.ASCII)
_TABLE_RULE = re.compile(r"[\s|:+-]+")
_MOST_LINES = 2000
_TITLE_KEYS = ("title", "name", "item", "candidate")


@dataclass(frozen=True)
class Entry:
    """One entry: what it says, and the number before it; marked: it bears a number or bullet."""

    text: str
    number: int | None = None
    marked: bool = True


def entries_of(text: str, titles: Titles) -> list[Entry]:
    """Return the entries of a text in order."""
    text = _CIRCLED.sub(lambda match: f"{int(unicodedata.numeric(match[0]))}. ", text)
    text = unicodedata.normalize("NFKC", text)
    if _CANDIDATE_NUMBERS.fullmatch(text):
        numbers = [int(number) for number in re.findall(r"\d+", text, re.ASCII)]
        if len(set(numbers)) == len(numbers) and 0 < min(numbers) <= max(numbers) <= len(
            titles.candidates
        ):
            return [Entry(titles.candidates[number - 1]) for number in numbers]
    found = _of_json(text)
    if found:
        return [Entry(item) for item in found]
    rows = [_row(line, titles) for line in text.split("\n")[:_MOST_LINES]]
    lines = [row for row in rows if re.search(r"\w", row)]
    numbered = [_numbered(line) for line in lines]
    if any(numbered):
        if len(lines) == 1:
            return _divided(lines[0], titles) or [entry for entry in numbered if entry]
        return [entry for entry in numbered if entry]
    bulleted = _bulleted(lines)
    if bulleted:
        return bulleted
    return [
        entry
        for line in lines
        for entry in (
            [Entry(line, marked=False)]
            if titles.alike(line)
            else _divided(line, titles) or [Entry(line, marked=False)]
        )
    ]


def _bulleted(lines: list[str]) -> list[Entry]:
    """Return the lines with a bullet; letters are numbers."""
    found = [(match, line) for line in lines if (match := _BULLET.match(line))]
    lettered = all(match["letter"] for match, _ in found)
    return [
        Entry(
            line[match.end() :], ord(match["letter"].lower()) - ord("a") + 1 if lettered else None
        )
        for match, line in found
    ]


def _row(line: str, titles: Titles) -> str:
    """Return the cell of a table's row that names a candidate; the line, if it is no row."""
    if not line.lstrip().startswith("|"):
        return line
    if _TABLE_RULE.fullmatch(line):
        return ""
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    named = next((cell for cell in cells if not cell.isdigit() and titles.alike(cell)), None)
    if named is None:
        return f"{cells[0]}. {cells[-1]}" if cells[0].isdigit() else ""
    score = f": {cells[-1]}" if re.fullmatch(r"[\d.]+", cells[-1]) else ""
    return f"{cells[0]}. {named}" if cells[0].isdigit() else named + score


def _numbered(line: str) -> Entry | None:
    match = _marker(line)
    return Entry(line[match.end() :].strip(), int(match["number"])) if match else None


def _marker(line: str) -> re.Match[str] | None:
    """Return the number that a line begins with, unless it may be a word of a title."""
    match = _NUMBER.match(line)
    return match if match and (match["end"].strip() or match["word"] or match["nth"]) else None


def _divided(line: str, titles: Titles) -> list[Entry]:
    inline = _at_numbers(line)
    if len(inline) > 1:
        return inline
    for separator in _SEPARATORS:
        parts = [part for part in separator.split(line) if part.strip()]
        if len(parts) < 2:
            continue
        alike = [bool(titles.alike(part)) for part in parts]
        bare = {part.strip().isdigit() and not titles.whole(part) for part in parts}
        sentence = any(
            not one and mentions(part, titles)[0] and not leading(part, titles)
            for one, part in zip(alike, parts, strict=True)
        )
        if len(bare) > 1 or sentence:
            continue
        if all(alike) or (separator is not _COMMA and 1 < sum(alike) >= len(parts) / 2):
            return [Entry(part.strip()) for part in parts]
    named_in_turn, between = mentions(line, titles)
    if len(named_in_turn) > 1 and all(map(_IN_TURN.fullmatch, between)):
        return [Entry(titles.candidates[at]) for at in named_in_turn]
    return []


def _at_numbers(line: str) -> list[Entry]:
    """Return the entries behind 1., 2., ... in one line; other numbers do not count."""
    starts: list[re.Match[str]] = []
    for match in _INLINE.finditer(line):
        if int(match[1]) == len(starts) + 1:
            starts.append(match)
    ends = [*(match.start() for match in starts), len(line)][1:]
    return [
        Entry(line[match.end() : end].strip(" ,;"), int(match[1]))
        for match, end in zip(starts, ends, strict=True)
    ]


def _of_json(text: str) -> list[str]:
    """Return the titles in a JSON list, or in an object that holds one or has numbers as keys."""
    start = min((at for at in (text.find("["), text.find("{")) if at >= 0), default=-1)
    if start < 0 or text[:start].strip():
        return []
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return list(_titles(found))


def _titles(found: Any) -> Iterable[str]:
    if isinstance(found, dict):
        lists = [value for value in found.values() if isinstance(value, list)]
        found = lists[0] if lists else list(found.values()) if all(map(str.isdigit, found)) else []
    if isinstance(found, list) and all(isinstance(i, dict) and i.get("rank") for i in found):
        found = sorted(found, key=lambda item: str(item["rank"]).zfill(3))
    for item in found if isinstance(found, list) else []:
        named = (
            [item[key] for key in _TITLE_KEYS if key in item] if isinstance(item, dict) else [item]
        )
        yield from (str(title) for title in named[:1] if isinstance(title, str | int))


def without_marker(line: str) -> str:
    """Return a line without the number or bullet before it."""
    match = _marker(line) or _BULLET.match(line)
    return line[match.end() :] if match else line
