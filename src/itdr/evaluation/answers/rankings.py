"""Reading a ranked list of the candidates.

Asked for: lines "1. TITLE", numbered from 1, with every candidate once. Strict reads such lines
alone, with titles to the letter and numbers that begin at 1 and never fall. A candidate named again
counts as duplicated and its later entry is left out; an entry that is no candidate keeps its place.

Lenient reads the entries of `entries`. Each names a candidate by the rules of `titles`, or as the
only one of `mentions`, or, where the text was cut off within it, as the only one that begins so. Of
several lists the one behind "final answer:" or "Ranking:" counts, and a list of all candidates as
they were shown is an echo. Lists that contradict each other, entries that name several candidates
and numbers out of order are unreadable; a countdown to 1 and a list "from least to most" are
turned. An entry without a mark that names none is taken for talk. The answer is readable when at
least one candidate is named; candidates not named are missing.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from itdr.evaluation.answers.cleaning import labelled_answer, without_reasoning
from itdr.evaluation.answers.entries import Entry, entries_of
from itdr.evaluation.answers.mentions import entry_means, leading, mentions
from itdr.evaluation.answers.parsed import ParsedAnswer
from itdr.evaluation.answers.titles import Titles, of_a_series, title_words

_LINE = re.compile(r"(\d{1,6})\. (.*\S)\s*", re.ASCII)
_WORST_FIRST = re.compile(
    r"\b(?:(?:from\s+)?(?:the\s+)?(?:least|worst|lowest)\b[^\n]{0,40}\bto\s+(?:the\s+)?"
    r"(?:most|best|highest)|(?:in\s+)?ascending\s+order|worst\s+first)\b",
    re.IGNORECASE,
)
_UNSUITED = re.compile(
    r"^[^\w\n]{0,9}(?:the\s+)?(?:least|worst|lowest|bottom|unlikely|less|avoid|skip|exclud\w+|not)\b"
    r"[^\n:]{0,40}:",
    re.IGNORECASE | re.MULTILINE,
)
_SCORE = re.compile(
    r"[\s:=|#(-](?:rank\s?)?#?(?!\d{4}\))(\d+(?:\.\d+)?)\)?\s?(?:/\s?\d+|%)?$|"
    r"\b(first|second|third|fourth|fifth)\b",
    re.ASCII | re.IGNORECASE,
)
_TIED = re.compile(r"<|(?<![=-])=(?![=>])\s*(?=[^\W\d])")
_DRAWN = re.compile("[\u2605\u2b50]+")
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5}
_CONCLUDES = re.compile(r"^\W*(?:so|therefore|thus|hence|overall|in conclusion)\b", re.IGNORECASE)
_OF_OTHERS = re.compile(
    r"^[^\w\n]{0,9}(?:the\s+|user(?:'s|s)?\s+|my\s+)*"
    r"(?:history|watched|seen|liked|original|previous\w*|input|reverse\w*|unordered|shown)\b"
    r"(?![^\n:]{0,40}\b(?:rank\w*|recommend\w*)\b)[^\n:]{0,40}:",
    re.IGNORECASE | re.MULTILINE,
)
_ECHO = re.compile(
    r"^(?![^\n]{0,60}\b(?:rank|order|sort))[^\n]{0,60}\bcandidates?\b[^\n]{0,20}(?:\bare\b|:)",
    re.IGNORECASE | re.MULTILINE,
)
_FEWEST_LETTERS_CUT = 3


class UnclearListError(Exception):
    """The text gives a list that can be read in several ways; the message says how."""


def read_ranking(text: str, candidates: Sequence[str], lenient: bool) -> ParsedAnswer:
    """Return the order in which the text puts the candidates."""
    if not text.strip():
        return ParsedAnswer("empty", missing=len(candidates))
    titles = Titles(candidates)
    strict = _read_strictly(text.strip(), titles)
    flawless = strict.readable and not (strict.duplicated or strict.out_of_list or strict.missing)
    if flawless or not lenient:
        return strict
    try:
        return _answer(*_read_leniently(labelled_answer(without_reasoning(text)), titles), titles)
    except UnclearListError as error:
        return ParsedAnswer(str(error), missing=len(candidates))


def _read_strictly(text: str, titles: Titles) -> ParsedAnswer:
    lines = text.split("\n")
    matches = [match for match in map(_LINE.fullmatch, lines) if match]
    numbers = [int(match[1]) for match in matches]
    answer = _answer(*_placed([titles.exact(match[2]) for match in matches]), titles)
    strangers = [match[2] for match in matches if not titles.exact(match[2])]
    if any(_several(mentions(entry, titles)[0], titles) for entry in strangers):
        return replace(answer, problem="an entry with several candidates", ranking=())
    if len(numbers) == len(lines) and numbers[0] == 1 and numbers == sorted(numbers):
        return answer
    return replace(answer, problem='not a list "1. TITLE"', ranking=())


def _read_leniently(text: str, titles: Titles) -> tuple[list[int | None], int]:
    """Return the ranking of a text and how often a candidate was named again."""
    entries = _without_cut(entries_of(text, titles), titles)
    bare = [entry.text for entry in entries if entry.text.strip().isdigit()]
    if len({bool(titles.whole(number)) for number in bare}) > 1:
        raise UnclearListError("titles or numbers of candidates")
    lists = [
        _placed([found for entry in part if (found := _named(entry, titles)) is not None])
        for part in _lists(entries)
    ]
    shown = list(range(len(titles.candidates)))
    lists = [one for one in lists if 2 * _count(one) >= len(one[0])] or lists
    lists = [one for one in lists if one[0] != shown] or lists
    longest = max(lists, key=lambda one: len(one[0]), default=([], 0))
    if any(one[0] != longest[0][: len(one[0])] for one in lists):
        raise UnclearListError("several lists")
    if _ECHO.search(text) and longest[0] == shown[: len(longest[0])]:
        raise UnclearListError("the candidates as they were shown")
    if _UNSUITED.search(text):
        raise UnclearListError("candidates that do not suit")
    if _OF_OTHERS.search(text) or _TIED.search(text):
        raise UnclearListError("a list of something else")
    _check_scores(entries, titles)
    last = text.strip().rpartition("\n")[2]
    if _CONCLUDES.match(last) and mentions(last, titles)[0]:
        raise UnclearListError("a conclusion behind the list")
    if _WORST_FIRST.search(text):
        return longest[0][::-1], longest[1]
    return longest


def _check_scores(entries: list[Entry], titles: Titles) -> None:
    """Refuse lines whose own numbers put them in another order than they stand in."""
    found = [
        _SCORE.search(_DRAWN.sub(lambda drawn: str(len(drawn[0])), entry.text))
        for entry in entries
        if not entry.marked and not titles.whole(_DRAWN.sub("1", entry.text))
    ]
    scores = [float(match[1] or _ORDINALS[match[2].lower()]) for match in found if match]
    if scores not in (sorted(scores, reverse=True), list(range(1, len(scores) + 1))):
        raise UnclearListError("numbers in another order")


def _lists(entries: list[Entry]) -> list[list[Entry]]:
    """Return the entries divided where the numbers begin anew, a countdown turned."""
    numbers = [entry.number for entry in entries if entry.number is not None]
    if len(numbers) < len(entries) or not numbers:
        return [entries]
    if len(numbers) > 1 and numbers == list(range(len(numbers), 0, -1)):
        return [entries[::-1]]
    anew = [at for at, (one, two) in enumerate(pairwise(numbers), 1) if two <= 1 < one]
    bounds = list(pairwise([0, *anew, len(entries)]))
    if any(numbers[i:j] != sorted(numbers[i:j]) for i, j in bounds):
        raise UnclearListError("numbers out of order")
    return [entries[i:j] for i, j in bounds]


def _without_cut(entries: list[Entry], titles: Titles) -> list[Entry]:
    """Return the entries, the last one in full or left out where the text was cut within it."""
    if not entries or titles.alike(entries[-1].text):
        return entries
    *others, last = entries
    form = title_words(last.text)
    found = titles.beginning_with(last.text) if form else []
    used = {position for entry in others for position in titles.alike(entry.text)}
    found = [position for position in found if position not in used] if others else found
    if not found:
        return entries
    title = titles.candidates[found[0]]
    rest = title_words(title).removeprefix(form)
    sequel = rest.startswith(" ") and of_a_series(rest.split()[0])
    if len(found) > 1 or sequel or len(form) < _FEWEST_LETTERS_CUT:
        return others
    return [*others, replace(last, text=title)]


def _named(entry: Entry, titles: Titles) -> list[int] | None:
    """Return the candidate that an entry names, none for a stranger; None if it is no entry."""
    if not title_words(entry.text):
        return None
    found = titles.alike(entry.text) or leading(entry.text, titles)
    if found:
        return found
    if _several(mentions(entry.text, titles)[0], titles):
        if entry.marked:
            raise UnclearListError("an entry with several candidates")
        return None
    found = entry_means(entry.text, titles)
    return found or ([] if entry.marked else None)


def _several(positions: list[int], titles: Titles) -> bool:
    return len({titles.candidates[at] for at in positions}) > 1


def _placed(named: Sequence[list[int]]) -> tuple[list[int | None], int]:
    """Return the ranking, where what is named again is left out, and how often that was so."""
    ranking: list[int | None] = []
    duplicated = 0
    for positions in named:
        unused = [at for at in positions if at not in ranking]
        duplicated += bool(positions) and not unused
        if unused or not positions:
            ranking.append(unused[0] if unused else None)
    return ranking, duplicated


def _count(one: tuple[list[int | None], int]) -> int:
    return sum(at is not None for at in one[0])


def _answer(ranking: list[int | None], duplicated: int, titles: Titles) -> ParsedAnswer:
    named = sum(at is not None for at in ranking)
    return ParsedAnswer(
        problem=None if named else "no candidate",
        ranking=tuple(ranking) if named else (),
        duplicated=duplicated,
        out_of_list=len(ranking) - named,
        missing=len(titles.candidates) - named,
    )
