"""Finding the candidates that a text names among other words.

A candidate is named where the words of its title stand in the text, its year included, or at least
two words without the year. A title inside another one that is also named does not count, and
neither does one that is denied ("not Heat (1995)") or compared with ("rather than", "similar to").
"""

import re
from collections.abc import Iterator

from itdr.evaluation.answers.titles import Titles, numerals, parts, words

_DENIES = re.compile(
    r"not|never|dont|doesnt|didnt|isnt|wont|wouldnt|cannot|cant|except|unlike|without|than|similar|"
    r"instead|excluding|avoid"
)
_WISHES = {"would", "will", "might", "may", "could", "should", "to", "also", "probably"}
_NEW_THOUGHT = {"but", "so", "then"}
_OF_A_SERIES = {"part", "episode", "vol", "volume", "chapter", "season"}
_WORDS_BEFORE = 4
_EXPLANATION = re.compile(
    r":|\s[-\N{EN DASH}\N{EM DASH}]\s|\s?\((?!\d{4}\))|[.;]\s|"
    r",?\s(?:because|since|as|by|due)\s|,\snot\s"
)
_DATED = re.compile(r"\((?:18|19|20)\d\d\)", re.ASCII)
_YEAR_BEHIND = re.compile(r" (?:18|19|20)\d\d$", re.ASCII)
_MOST_BOUNDS = 6


def leading(text: str, titles: Titles) -> list[int]:
    """Return the candidate with which a text begins that goes on to explain it."""
    found: list[int] = []
    for number, match in enumerate(_EXPLANATION.finditer(text)):
        if number == _MOST_BOUNDS:
            break
        head = text[: match.start()]
        # "Alien: Resurrection (1997)" does not begin with "Alien (1979)".
        if parts(head)[2] or not _DATED.search(text, match.end()):
            found = titles.alike(head) or found
    return found


def mentions(text: str, titles: Titles) -> tuple[list[int], list[str]]:
    """Return the candidates that a text names, in its order, and the words from the first on.

    The words of a candidate that is named are left out.
    """
    padded = f" {words(text)} "
    found = []
    for form in titles.mentionable:
        for place in _places(padded, form):
            if not _denied(padded, place) and not _of_a_series(padded, place, form, titles):
                found.append((place, form))
                break
        # So that "Alien" is not found again inside "Alien Nation"; places stay the same.
        padded = padded.replace(f" {form} ", f" {'|' * len(form)} ")
    first = min(found)[0] if found else len(padded)
    between = [word for word in padded[first:].split() if word.strip("|")]
    return [position for _, form in sorted(found) for position in titles.mentionable[form]], between


def only_mention(text: str, titles: Titles) -> list[int]:
    """Return the one candidate that a text names; empty where it names none or several."""
    named, _ = mentions(text, titles)
    return named if len({titles.candidates[at] for at in named}) == 1 else []


def _places(padded: str, form: str) -> Iterator[int]:
    place = padded.find(f" {form} ")
    while place >= 0:
        yield place
        place = padded.find(f" {form} ", place + len(form))


def _denied(padded: str, place: int) -> bool:
    before = padded[max(0, place - 60) : place].split()[-_WORDS_BEFORE:]
    for at, word in reversed(list(enumerate(before))):
        if word in _NEW_THOUGHT or not word.strip("|"):
            return False
        if _DENIES.fullmatch(word) or (word == "like" and not _WISHES & set(before[:at])):
            return True
    return False


def _of_a_series(padded: str, place: int, form: str, titles: Titles) -> bool:
    """Say whether what is named without its year goes on as another part of a series."""
    if form in titles.by_words or _YEAR_BEHIND.search(form):
        return False
    following = padded[place + len(form) + 1 :][:20].split()[:1]
    return bool(following) and (bool(numerals(following[0])) or following[0] in _OF_A_SERIES)
