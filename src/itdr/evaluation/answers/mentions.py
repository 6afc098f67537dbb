"""Finding the candidates that a text names among other words.

A candidate is named where the words of its title stand in the text, its year included, or at least
two words without the year. A title inside another one that is also named does not count.

What is named is meant where the words of its clause are `harmless` and what follows does not take
it back. So "I believe Heat (1995) is next" means it, and "fans of Heat (1995)", "not Heat (1995)"
or "Heat (1995): no" do not.
"""

import re

from itdr.evaluation.answers.harmless import harmless
from itdr.evaluation.answers.titles import Titles, numerals, parts, words

_SENTENCE = re.compile(
    r"[.;!?\u2013\u2014](?=\s|$)|\s-\s|(?<!:)\n|[\[\]\u3002]|\((?!\d{4}\))|(?<!\(\d{4})\)|"
    r"(?=\b(?:(?<!anything )(?<!everything )(?<!nothing )but|so|because|since|rather than|"
    r"instead of)\b)",
    re.IGNORECASE,
)
_COMMA = re.compile(r",(?=\s|$)|[\u3001\uff0c]")
_COLON = re.compile(r":(?=\s|$)|\uff1a")
_NAMED = "#"
_MARKS = re.compile(rf"[|,:{_NAMED}]")
_BETWEEN = {"and", "or", "then", ":"}
_AROUND = 300
_PLACES = frozenset(
    ("first", "second", "third", "fourth", "fifth", "runner", "lastly", "finally", "start",
     "rank", *map(str, range(1, 21)))
)  # fmt: skip
_TAKES_BACK = re.compile(
    r"\b(?:no|not|never|already|too|low|lower|poor|weak|unlikely|least|less|second|third|last|wrong|"
    r"percent|excluded|skip|avoid|unsuitable|soundtrack|trailer|sequel|remake|novel|isnt|wont|cannot|"
    r"doesnt|wouldnt|rejected|out|sorry|correction|actually|instead|both)\b"
)
_OF_THE_NEXT = re.compile(r"\b(?:not|less|least|never|second|last|then)(?: [a-z]+){0,2} #")
_OF_A_SERIES = {"part", "episode", "vol", "volume", "chapter", "season"}
_EXPLANATION = re.compile(
    r":|\s[-\N{EN DASH}\N{EM DASH}]\s|\s?\((?!\d{4}\))|[.;]\s|"
    r",?\s(?:because|since|as|by|due)\s|,\snot\s"
)
_DATED = re.compile(r"\((?:18|19|20)\d\d\)", re.ASCII)
_SUBTITLE = re.compile(r"\s*(?:(?:[A-Z]\w*|a|an|and|of|the|in|to)\s+){0,4}[A-Z]\w*\s*")
_YEAR_BEHIND = re.compile(r" (?:18|19|20)\d\d$", re.ASCII)
_MOST_BOUNDS = 6
_WORDS_BEHIND = 4


def leading(text: str, titles: Titles) -> list[int]:
    """Return the candidate with which a text begins that goes on to explain it."""
    found: list[int] = []
    for number, match in enumerate(_EXPLANATION.finditer(text)):
        if number == _MOST_BOUNDS:
            break
        head = text[: match.start()]
        # "Alien: Resurrection (1997)" does not begin with "Alien (1979)", nor "Half-Life 2: Episode
        # One" with "Half-Life 2: Episode Two".
        behind = words(text[match.end() : match.end() + _AROUND]).split()[:1]
        if behind and _is_of_a_series(behind[0]):
            continue
        if not parts(head)[2] and _SUBTITLE.fullmatch(text, match.end()):
            continue
        if parts(head)[2] or (not _DATED.search(text, match.end()) and titles.whole(head)):
            found = titles.alike(head) or found
    return found


def mentions(text: str, titles: Titles) -> tuple[list[int], list[str]]:
    """Return the candidates that a text names, in its order, and the words from the first on.

    The words of a candidate that is named are left out.
    """
    padded, named = _named(text, titles)
    found = dict.fromkeys(form for _, _, form in named)
    first = named[0][0] if named else len(padded)
    between = [word for word in padded[first:].split() if word.strip(f"|,:{_NAMED}")]
    return [position for form in found for position in titles.mentionable[form]], between


def meant(text: str, titles: Titles) -> list[int]:
    """Return the candidates that a text names and means, in its order."""
    padded, named = _named(text, titles)
    found = dict.fromkeys(form for start, end, form in named if _is_meant(padded, start, end))
    return [position for form in found for position in titles.mentionable[form]]


def entry_means(text: str, titles: Titles) -> list[int]:
    """Return the one candidate that an entry of a list names among `harmless` words alone."""
    padded, named = _named(text, titles)
    alone = harmless(_MARKS.sub(" ", padded), _PLACES)
    return titles.mentionable[named[0][2]] if named and alone else []


def takes_back(text: str) -> bool:
    """Say whether what follows a title takes it back: "already seen", "40%"."""
    return _TAKES_BACK.search(words(text.replace("%", " percent "))) is not None


def _named(text: str, titles: Titles) -> tuple[str, list[tuple[int, int, str]]]:
    """Return the words of a text and where they name a candidate, in order.

    Clauses are divided by "|", "," and ":"; the words of a candidate are blotted out.
    """
    text = text.replace("%", " percent ").replace("_", " ")
    padded = " | ".join(
        " , ".join(" : ".join(map(words, _COLON.split(part))) for part in _COMMA.split(sentence))
        for sentence in _SENTENCE.split(text)
    )
    padded = f" {' '.join(padded.split())} "
    named = []
    for form in titles.mentionable:
        for start, end in _places(padded, form):
            # So that "Alien" is not found again inside "Alien Nation"; places stay the same.
            padded = f"{padded[:start]}{_NAMED * (end - start)}{padded[end:]}"
            if not _of_a_series(padded, end, form, titles):
                named.append((start, end, form))
    return padded, sorted(named)


def _is_meant(padded: str, start: int, end: int) -> bool:
    before, behind = padded[max(0, start - _AROUND) : start], padded[end : end + _AROUND]
    first, _, second = behind.partition("|")
    around = f"{re.split('[|,]', before)[-1]} {re.split('[|,:]', behind, maxsplit=1)[0]}"
    if not set(around.split()) - _BETWEEN:  # one of several, or the whole of a line
        around = before.rpartition("|")[2]
    following = _OF_THE_NEXT.sub(" ", f"{first} {' '.join(second.split()[:_WORDS_BEHIND])}")
    return (
        harmless(_MARKS.sub(" ", around))
        and _TAKES_BACK.search(following.partition(_NAMED)[0]) is None
    )


def _places(padded: str, form: str) -> list[tuple[int, int]]:
    """Return where the words of a title stand, whatever punctuation stands between them."""
    if f" {form} " not in re.sub(" [|,:]", "", padded):
        return []
    pattern = re.compile(rf"(?<= ){'(?: [|,:])* '.join(map(re.escape, form.split()))}(?= )")
    return [match.span() for match in pattern.finditer(padded)]


def _of_a_series(padded: str, end: int, form: str, titles: Titles) -> bool:
    """Say whether what is named without its year goes on as another part of a series."""
    if _YEAR_BEHIND.search(form):
        return False
    following = padded[end:][:20].strip(" |,:").split()[:1]
    return bool(following) and _is_of_a_series(following[0])


def _is_of_a_series(word: str) -> bool:
    return bool(numerals(word)) or word in _OF_A_SERIES
