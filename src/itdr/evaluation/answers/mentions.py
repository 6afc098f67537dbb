"""Finding the candidates that a text names among other words.

A candidate is named where the words of its title stand in the text, its year included, or at least
two words without the year. A title inside another one that is also named does not count, and
neither does one that its clause denies ("not Heat (1995)", "Heat (1995) is unlikely", "rule out")
or only compares with ("rather than", "similar to").
"""

import re

from itdr.evaluation.answers.titles import Titles, numerals, parts, words

_NT = r"(?:do|does|did|is|are|was|wo|would|ca|could|should|have|has)nt|cannot"
_DENIES = re.compile(
    rf"\b(?:not|never|{_NT}|except|unlike|without|than|over|similar|instead|ignor\w+|avoid\w*|"
    r"skip\w*|exclud\w+|eliminat\w+|discard\w*|dismiss\w*|reject\w*|remov\w+|"
    r"rul(?:e|es|ed|ing) out|dislik\w+|hate\w*|unlikely|least|less|worst|lowest|neither|nor|"
    r"hardly)\b|"
    r"(?<!would )(?<!will )(?<!might )(?<!may )(?<!could )(?<!should )(?<!to )(?<!also )"
    r"(?<!probably )\blike\b"
)
_DENIES_BEHIND = re.compile(
    rf" (?:\w+ ){{0,3}}?(?:(?:is|was|will|would|may|might|can|could|should|does|seems|has|be) "
    rf"(?:\w+ ){{0,2}}?(?:not|never|less|least|hardly|out|excluded|eliminated)|{_NT}|unlikely)\b"
)
_NEW_THOUGHT = re.compile(r".*\b(?:but|so|then)\b")
_CLAUSE = re.compile(r"[.,;:!?\u2013\u2014](?=\s|$)|\s-\s|[\n()\[\]\u3002\u3001\uff0c]")
_NAMED = "#"
_OF_A_SERIES = {"part", "episode", "vol", "volume", "chapter", "season"}
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
    padded = f" {' | '.join(filter(None, map(words, _CLAUSE.split(text))))} "
    named = []
    for form in titles.mentionable:
        for start, end in _places(padded, form):
            # So that "Alien" is not found again inside "Alien Nation"; places stay the same.
            padded = f"{padded[:start]}{_NAMED * (end - start)}{padded[end:]}"
            named.append((start, end, form))
    found: dict[str, int] = {}
    for start, end, form in sorted(named):
        if not _denied(padded, start, end) and not _of_a_series(padded, end, form, titles):
            found.setdefault(form, start)
    first = min(found.values(), default=len(padded))
    between = [word for word in padded[first:].split() if word.strip(f"|{_NAMED}")]
    return [position for form in found for position in titles.mentionable[form]], between


def only_mention(text: str, titles: Titles) -> list[int]:
    """Return the one candidate that a text names; empty where it names none or several."""
    named, _ = mentions(text, titles)
    return named if len({titles.candidates[at] for at in named}) == 1 else []


def denies(text: str) -> bool:
    """Say whether a clause denies what it goes on to name."""
    return _DENIES.search(_NEW_THOUGHT.sub("", words(text))) is not None


def _places(padded: str, form: str) -> list[tuple[int, int]]:
    """Return where the words of a title stand, whatever punctuation stands between them."""
    if f" {form} " not in padded.replace(" |", ""):
        return []
    pattern = re.compile(rf"(?<= ){'(?: [|])? '.join(map(re.escape, form.split()))}(?= )")
    return [match.span() for match in pattern.finditer(padded)]


def _denied(padded: str, start: int, end: int) -> bool:
    before = padded[:start].rpartition("|")[2]
    behind = padded[end:].partition("|")[0].partition(_NAMED)[0]
    return (
        _DENIES.search(_NEW_THOUGHT.sub("", before)) is not None
        or _DENIES_BEHIND.match(behind) is not None
    )


def _of_a_series(padded: str, end: int, form: str, titles: Titles) -> bool:
    """Say whether what is named without its year goes on as another part of a series."""
    if form in titles.by_words or _YEAR_BEHIND.search(form):
        return False
    following = padded[end:][:20].replace("|", " ").split()[:1]
    return bool(following) and (bool(numerals(following[0])) or following[0] in _OF_A_SERIES)
