"""Reading a ranked list of the candidates, and the choice of one.

A ranked list is asked for as lines "1. TITLE", numbered from 1, with every candidate once. Strict
reads such lines alone, with titles to the letter and numbers that begin at 1 and never fall. A
candidate named again counts as duplicated and its later entry is left out; an entry that is no
candidate keeps its place. Lenient takes the entries in the order in which they stand:
- lines with a number or bullet are the entries; where no line has one, every line is;
- a single line is divided at its numbers ("1. A 2. B"), else, where every part then names a
  candidate, at ">", ";", "|" or commas; else the candidates within it are taken in their order;
- a text of candidate numbers alone ("3, 1, 2") is read as such;
- an entry names a candidate by the rules of `titles`; a marked line that names none is out of list
  and keeps its place, an unmarked one is taken for talk and left out;
- what is named again is left out as above.
The answer is readable when at least one candidate is named; candidates not named are missing.

A choice is asked for as the title alone. Strict reads exactly that. Lenient reads the whole text,
then its first line, by the rules of `titles`, then looks for one candidate within the text; a text
that names several is unreadable.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from itdr.evaluation.answers.answer import Answer
from itdr.evaluation.answers.titles import Titles

_STRICT_LINE = re.compile(r"(\d{1,6})\. (.*\S)\s*", re.ASCII)
_MARKER = re.compile(
    r"^\s*(?:\*{0,2}[#(\[]?\d{1,4}[.):\]]+\*{0,2}(?:\s+|$)|\d{1,4}\s+[-\N{EN DASH}]\s+|"
    r"[-*+\N{BULLET}]\s+)",
    re.ASCII,
)
_INLINE = re.compile(r"(?:^|(?<=\s))[(\[]?\d{1,4}[.)\]]\s+", re.ASCII)
_NUMBERS_ALONE = re.compile(r"[\s\[\]()#]*\d{1,4}(?:[\s\[\]()#,>;]+\d{1,4})+[\s\[\]().]*", re.ASCII)
_FENCE = re.compile(r"^[^\S\n]*```\w*[^\S\n]*$", re.MULTILINE)


def read_ranking(text: str, candidates: Sequence[str], lenient: bool) -> Answer:
    """Return the order in which the text puts the candidates."""
    if not text.strip():
        return Answer("empty", missing=len(candidates))
    titles = Titles(candidates)
    strict = _read_strictly(text.strip(), titles)
    flawless = strict.readable and not (strict.duplicated or strict.out_of_list or strict.missing)
    if flawless or not lenient:
        return strict
    return _rank(_entries(_FENCE.sub("", text).strip(), titles), titles)


def read_choice(text: str, candidates: Sequence[str], lenient: bool) -> Answer:
    """Return the candidate that the text names."""
    if not text.strip():
        return Answer("empty", missing=1)
    titles = Titles(candidates)
    exact = titles.exact(text)
    if exact:
        return Answer(ranking=(exact[0],))
    if not lenient:
        return Answer("not a candidate's title alone", out_of_list=1, missing=1)
    return _choose(_FENCE.sub("", text).strip(), titles)


def _choose(text: str, titles: Titles) -> Answer:
    first = text.partition("\n")[0]
    for piece in (text, first, _MARKER.sub("", first)):
        found = titles.alike(piece)
        if found:
            return Answer(ranking=(found[0],))
    named = titles.within(text)
    if len({titles.candidates[at] for at in named}) == 1:
        return Answer(ranking=(named[0],))
    if named:
        return Answer("several candidates", missing=1)
    return Answer("no candidate", out_of_list=1, missing=1)


def _read_strictly(text: str, titles: Titles) -> Answer:
    ranking: list[int | None] = []
    duplicated = 0
    numbers = []
    lines = text.split("\n")
    for match in filter(None, map(_STRICT_LINE.fullmatch, lines)):
        numbers.append(int(match[1]))
        found = titles.exact(match[2])
        unused = [at for at in found if at not in ranking]
        duplicated += bool(found) and not unused
        if unused or not found:
            ranking.append(unused[0] if unused else None)
    answer = _answer(ranking, duplicated, titles)
    if len(numbers) == len(lines) and numbers[0] == 1 and numbers == sorted(numbers):
        return answer
    return replace(answer, problem='not a list "1. TITLE"', ranking=())


def _entries(text: str, titles: Titles) -> list[tuple[str, bool]]:
    """Return the text's entries in order, each with whether it bore a number or bullet."""
    if _NUMBERS_ALONE.fullmatch(text):
        return [(number, True) for number in re.findall(r"\d+", text, re.ASCII)]
    lines = [line for line in text.split("\n") if line.strip()]
    if len(lines) == 1 and not titles.alike(text):
        lines = _divide(lines[0], titles)
    marked = [line for line in lines if _MARKER.match(line)]
    if marked:
        return [(_MARKER.sub("", line, count=1), True) for line in marked]
    return [(line, False) for line in lines]


def _divide(line: str, titles: Titles) -> list[str]:
    starts = [match.start() for match in _INLINE.finditer(line)]
    if len(starts) > 1:
        ends = [*starts[1:], len(line)]
        return [line[start:end] for start, end in zip(starts, ends, strict=True)]
    for separator in (r"\s>\s|;|\|", r",\s"):
        parts = [part for part in re.split(separator, line) if part.strip()]
        if len(parts) > 1 and all(titles.alike(part) for part in parts):
            return parts
    return [titles.candidates[at] for at in titles.within(line)]


def _rank(entries: list[tuple[str, bool]], titles: Titles) -> Answer:
    ranking: list[int | None] = []
    duplicated = 0
    for entry, marked in entries:
        if not entry.strip():
            continue
        found = titles.alike(entry)
        if not found:
            named = titles.within(entry)
            found = named if len({titles.candidates[at] for at in named}) == 1 else []
        unused = [at for at in found if at not in ranking]
        if unused:
            ranking.append(unused[0])
        elif found:
            duplicated += 1
        elif marked:
            ranking.append(None)
    return _answer(ranking, duplicated, titles)


def _answer(ranking: list[int | None], duplicated: int, titles: Titles) -> Answer:
    named = sum(at is not None for at in ranking)
    return Answer(
        problem=None if named else "no candidate",
        ranking=tuple(ranking) if named else (),
        duplicated=duplicated,
        out_of_list=len(ranking) - named,
        missing=len(titles.candidates) - named,
    )
