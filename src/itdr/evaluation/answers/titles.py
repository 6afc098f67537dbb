"""Finding which candidate a piece of text names.

Strict: the title, character for character, but for space around it.

Lenient, the first rule that gives exactly one candidate:
1. the same words: case, accents, punctuation, articles and kinds of quotes do not matter, "&" is
   "and", and "Matrix, The" is "The Matrix";
2. some of the title's parts, which stand between brackets, colons and dashes: "Seven (1995)" is
   "Seven (a.k.a. Se7en) (1995)", but "The Godfather" is not "The Godfather: Part II";
3. the number of a candidate ("3", "#3", "Candidate 3", "[3]");
4. the beginning of one long title without a year, as shops have them: at least three words or a
   code ("Sony WH-1000XM4"), and no number behind it;
5. slips of the pen: 8 to 1,000 letters, at least 0.9 alike (twice the length of the longest common
   subsequence over the sum of the lengths), the next candidate at least 0.05 less alike, and word
   for word the same but for a letter or two, so that neither a sequel, a code nor a colour stands
   for another.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property, lru_cache

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

_NUMBERED = re.compile(
    r"(?:candidates?|items?|options?|numbers?|no\.?)?\s*+[#(\[]*+\s*+(\d{1,4})\s*[)\].:]*",
    re.ASCII | re.IGNORECASE,
)
_ARTICLES = "the|a|an|le|la|les|l'|il|el|der|die|das"
_ARTICLE_BEHIND = re.compile(rf"^(.*), ({_ARTICLES})(?= \(|\)|$)", re.IGNORECASE)
_ARTICLE = re.compile(rf"^(?:{_ARTICLES})\b ?(?=\w)", re.IGNORECASE)
_DENIALS = ("not ", "never ", "except ", "anything but ")
_BRACKETED = re.compile(r"[(\[]([^()\[\]]*)[)\]]?")
_PART_ENDS = re.compile(r":\s|:$| - | \N{EN DASH} | or: ")
_AKA = re.compile(r"^a\.?k\.?a\.?:? ", re.IGNORECASE)
_YEAR = re.compile(r"(?:18|19|20)\d\d", re.ASCII)
_CUT_YEAR = re.compile(r"\s?\(\d{0,3}$", re.ASCII)
_WRAPPING = " \t\r\n\"'`*_<>{}.,;:!"
_WRAPPING += "\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}"
_WRAPPING += "\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}"
_ROMAN = {"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9"}

_SERIES = {"part", "episode", "vol", "volume", "chapter", "season", "book"}
_SMALL_WORDS = {
    "a",
    "an",
    "and",
    "at",
    "by",
    "for",
    "from",
    "in",
    "of",
    "on",
    "or",
    "the",
    "to",
    "with",
}
_FEWEST_WORDS_BEGINNING = 3
_FEWEST_LETTERS_ALIKE = 8
_FEWEST_LETTERS_WITHIN = 4
_MOST_LETTERS = 1000
_ALIKE = 90
_MARGIN = 5


def words(text: str) -> str:
    """Return the words of a text as they are compared: lower case, one space between, II as 2."""
    text = text.casefold()
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
        text = "".join(char for char in text if not unicodedata.combining(char))
    text = re.sub(r"['\N{RIGHT SINGLE QUOTATION MARK}]", "", text.replace("&", " and "))
    return " ".join(_ROMAN.get(word, word) for word in re.findall(r"\w+", text))


def title_words(title: str) -> str:
    """Return the words of a title, its article left out wherever it stands."""
    return words(_ARTICLE.sub("", _ARTICLE_BEHIND.sub(r"\2 \1", title.strip())))


@lru_cache(1 << 14)
def parts(title: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Return the words of a title's parts outside brackets and inside, and its years."""
    outside = _PART_ENDS.split(_BRACKETED.sub(" ", title).strip(" ,"))
    inside = [title_words(_AKA.sub("", part)) for part in _BRACKETED.findall(title)]
    return (
        tuple(filter(None, map(title_words, outside))),
        tuple(part for part in inside if part and not _YEAR.fullmatch(part)),
        tuple(part for part in inside if _YEAR.fullmatch(part)),
    )


class Titles:
    """The candidates of one example. A title that stands twice can be named twice."""

    def __init__(self, candidates: Sequence[str]) -> None:
        self.candidates = [title.strip() for title in candidates]
        self._exact = _positions(self.candidates)
        self._alike: dict[str, list[int]] = {}

    def exact(self, text: str) -> list[int]:
        """Return the positions of the candidates with this very title."""
        return self._exact.get(text.strip(), [])

    def alike(self, text: str) -> list[int]:
        """Return the positions that a piece of text names by the rules above."""
        if text not in self._alike:
            self._alike[text] = self.exact(text) or self._nearest(text)
        return self._alike[text]

    def whole(self, text: str) -> bool:
        """Say whether a text is a title, or one without its year, and not a part of one."""
        form = title_words(text.strip(_WRAPPING))
        return form in self._dated_or_not or bool(self._beginning(form))

    def _nearest(self, text: str) -> list[int]:
        bare = _CUT_YEAR.sub("", text.strip(_WRAPPING).lstrip("([" + _WRAPPING))
        if bare.endswith("]") and "[" not in bare:
            bare = bare.rstrip("]" + _WRAPPING)
        form = title_words(bare)
        same = self._unique(self.by_words.get(form, []))
        if same or not form or len(form) > _MOST_LETTERS:
            return same
        return (
            self._unique(self._by_parts(bare))
            or self.numbered(text)
            or self._beginning(form)
            or self._nearly(form, dated=bool(parts(bare)[2]))
        )

    def numbered(self, text: str) -> list[int]:
        """Return the position that a candidate's number stands for."""
        match = _NUMBERED.fullmatch(text.strip(" \t\r\n\"'`*_"))
        position = int(match[1]) - 1 if match else -1
        return [position] if 0 <= position < len(self.candidates) else []

    def beginning_with(self, text: str) -> list[int]:
        """Return the positions of the candidates whose words begin as this cut text does."""
        form = title_words(text.strip(_WRAPPING))
        whole = re.fullmatch(_ARTICLES, form) is not None
        return [
            position
            for title, positions in self.by_words.items()
            if whole or title.startswith(form)
            for position in positions
        ]

    @cached_property
    def by_words(self) -> dict[str, list[int]]:
        """Return the positions of each title's words."""
        found = _positions([title_words(title) for title in self.candidates])
        found.pop("", None)
        return found

    @cached_property
    def _undated(self) -> dict[str, list[int]]:
        return _positions([" ".join(parts(title)[0]) for title in self.candidates])

    @cached_property
    def _dated_or_not(self) -> dict[str, list[int]]:
        return self._undated | self.by_words

    @cached_property
    def mentionable(self) -> dict[str, list[int]]:
        """Return the words by which one candidate can be named within a text, longest first."""
        forms = defaultdict(list)
        for position, title in enumerate(self.candidates):
            outside, inside, years = parts(title)
            undated = " ".join(outside)
            written = words(_BRACKETED.sub(" ", title))
            of_title = {words(title), title_words(title), *({undated, written} if years else ())}
            of_title -= {form for form in (undated, written) if years and " " not in form}
            names = (undated, written, *outside, *inside)
            of_title |= {f"{name} {year}" for name in names for year in years}
            for form in of_title:
                forms[form].append(position)
        return {
            form: self._unique(forms[form])
            for form in sorted(forms, key=lambda form: (-len(form), form))
            if len(form) >= _FEWEST_LETTERS_WITHIN and self._unique(forms[form])
        }

    def _by_parts(self, text: str) -> list[int]:
        outside, inside, years = parts(text)
        named = {*outside, *inside}
        found = []
        for position, title in enumerate(self.candidates):
            its_outside, its_inside, its_years = parts(title)
            unnamed = [part for part in its_outside if part not in named]
            sequel = not years and len(named) == 1 and any(map(of_a_series, unnamed))
            if not its_years:  # "Fullmetal Alchemist" is not "Fullmetal Alchemist: Brotherhood"
                sequel |= any(len(part.split()) < _FEWEST_WORDS_BEGINNING for part in unnamed)
            other_year = its_years and not set(years) <= set(its_years)
            if named and named <= {*its_outside, *its_inside} and not sequel and not other_year:
                found.append(position)
        return found

    def _beginning(self, form: str) -> list[int]:
        found = form.split()
        coded = any(not word.isalpha() and not word.isdigit() for word in found)
        if len(form) > _MOST_LETTERS or (len(found) < _FEWEST_WORDS_BEGINNING and not coded):
            return []
        found = [
            title
            for title in self.by_words
            if title.startswith(f"{form} ") and not _YEAR.search(title)
        ]
        if len(found) != 1 or of_a_series(found[0][len(form) :].split()[0]):
            return []
        return self._unique(self.by_words[found[0]])

    def _nearly(self, form: str, dated: bool) -> list[int]:
        if len(form) < _FEWEST_LETTERS_ALIKE or form.startswith(_DENIALS):
            return []
        pool = self.by_words if dated else self._dated_or_not
        found = process.extract(form, pool.keys(), scorer=fuzz.ratio, score_cutoff=_ALIKE - _MARGIN)
        if not found or found[0][1] < _ALIKE or not _misspelt(form, found[0][0]):
            return []
        (title, score, _), *others = found
        rivals = [other for name, other, _ in others if pool[name] != pool[title]]
        return [] if rivals and score - rivals[0] < _MARGIN else pool[title]

    def _unique(self, positions: list[int]) -> list[int]:
        """Return the positions if all have one title: the same words may stand for two films."""
        return positions if len({self.candidates[at] for at in positions}) == 1 else []


def _misspelt(form: str, title: str) -> bool:
    """Say whether two titles differ in slips of the pen alone, word by word."""
    one, other = (
        [word for word in words.split() if word not in _SMALL_WORDS] for words in (form, title)
    )
    if len(one) != len(other):  # "Spiderman" and "Spider-Man"
        return "".join(one) == "".join(other)
    return all(
        a == b
        or (
            a.isalpha()
            and b.isalpha()
            and a[0] == b[0]
            and len(a) > 3
            and OSA.distance(a, b) <= (1 if len(b) < 8 else 2)
        )
        for a, b in zip(one, other, strict=True)
    )


def of_a_series(part: str) -> bool:
    """Say whether words tell one part of a series from another."""
    return (
        any(map(str.isdigit, part)) or bool(numerals(part)) or not _SERIES.isdisjoint(part.split())
    )


def numerals(form: str) -> list[str]:
    """Return the numbers among the words of a title."""
    return [word for word in form.split() if word.isdigit() or word in ("v", "x")]


def _positions(forms: Sequence[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for position, form in enumerate(forms):
        found[form].append(position)
    return dict(found)
