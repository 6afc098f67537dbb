"""Finding which candidate a piece of text names.

Strict: the title, character for character, but for space around it.

Lenient, the first rule that gives exactly one candidate:
1. the same words: case, accents, punctuation and kinds of quotes do not matter, "&" is "and", and
   "Matrix, The" is "The Matrix";
2. the same, where the text leaves out the year in brackets at the title's end;
3. the number of a candidate ("3", "#3", "Candidate 3", "[3]"), where candidates were numbered;
4. a small difference: 8 to 1,000 letters, the same numbers (II, III, ... included, so that a sequel
   never stands for another), at least 0.9 alike by difflib's ratio, and the next candidate at
   least 0.05 less alike;
5. one candidate's words (at least 4 letters) within the text; a title inside another title that is
   also named does not count.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import cached_property

_NUMBERED = re.compile(
    r"(?:candidates?|items?|options?|numbers?|no\.?)?\s*+[#(\[]*+\s*+(\d{1,4})\s*[)\].:]*",
    re.ASCII | re.IGNORECASE,
)
_ARTICLE = re.compile(r"^(.*), (the|a|an|le|la|les|l'|il|el|der|die|das)(?= \(|$)", re.IGNORECASE)
_YEAR = re.compile(r"\s*\(\d{4}\)\s*$", re.ASCII)
_ROMAN = {"ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x"}
_WRAPPING = " \t\r\n\"'`*_<>[]{}.,;:!\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}"
_WRAPPING += "\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}"

_FEWEST_LETTERS_ALIKE = 8
_MOST_LETTERS_ALIKE = 1000  # comparing takes their square
_FEWEST_LETTERS_WITHIN = 4
_ALIKE = 0.9
_MARGIN = 0.05


def words(text: str) -> str:
    """Return the words of a title as they are compared: lower case, one space between."""
    return _words(_ARTICLE.sub(r"\2 \1", text.strip()))


def _words(text: str) -> str:
    text = unicodedata.normalize("NFKD", text.casefold())
    text = "".join(char for char in text if not unicodedata.combining(char))
    text = re.sub(r"['\N{RIGHT SINGLE QUOTATION MARK}]", "", text.replace("&", " and "))
    return " ".join(re.findall(r"\w+", text))


class Titles:
    """The candidates of one example. A title that stands twice can be named twice."""

    def __init__(self, candidates: Sequence[str]) -> None:
        self.candidates = [title.strip() for title in candidates]
        self._exact = _positions(self.candidates)

    def exact(self, text: str) -> list[int]:
        """Return the positions of the candidates with this very title."""
        return self._exact.get(text.strip(), [])

    def alike(self, text: str) -> list[int]:
        """Return the positions that a piece of text names by rules 1 to 4."""
        exact = self.exact(text)
        if exact:
            return exact
        bare = text.strip(_WRAPPING)
        form = words(bare)
        if not form:
            return []
        return (
            self._unique(self._by_words.get(form, []))
            or self._unique(self._without_year.get(form, []))
            or self._by_number(text)
            or self._nearly(form)
        )

    def within(self, text: str) -> list[int]:
        """Return the candidates whose words stand in the text, in the text's order (rule 5)."""
        padded = f" {_words(text)} "
        found = []
        for form in sorted(self._inside, key=lambda form: (-len(form), form)):
            place = padded.find(f" {form} ") if len(form) >= _FEWEST_LETTERS_WITHIN else -1
            if place >= 0:
                found.append((place, form))
                # So that "Alien" is not found again inside "Alien Nation"; places stay the same.
                padded = padded.replace(f" {form} ", f" {'|' * len(form)} ")
        return [position for _, form in sorted(found) for position in self._inside[form]]

    @cached_property
    def _by_words(self) -> dict[str, list[int]]:
        found = _positions([words(title) for title in self.candidates])
        found.pop("", None)
        return found

    @cached_property
    def _inside(self) -> dict[str, list[int]]:
        """Return the words of the titles with the article in front and as they are written."""
        return _positions([_words(title) for title in self.candidates]) | self._by_words

    @cached_property
    def _without_year(self) -> dict[str, list[int]]:
        return _positions([words(_YEAR.sub("", title)) for title in self.candidates])

    def _by_number(self, text: str) -> list[int]:
        match = _NUMBERED.fullmatch(text.strip(" \t\r\n\"'`*_"))
        position = int(match[1]) - 1 if match else -1
        return [position] if 0 <= position < len(self.candidates) else []

    def _nearly(self, form: str) -> list[int]:
        if not _FEWEST_LETTERS_ALIKE <= len(form) <= _MOST_LETTERS_ALIKE:
            return []
        numbers = _numbers(form)
        scored = []
        matcher = SequenceMatcher(autojunk=False, b=form)
        for other in self._by_words:
            matcher.set_seq1(other)
            if matcher.real_quick_ratio() >= _ALIKE - _MARGIN and (
                matcher.quick_ratio() >= _ALIKE - _MARGIN
            ):
                scored.append((matcher.ratio(), other))
        scored.sort(reverse=True)
        if not scored or scored[0][0] < _ALIKE or _numbers(scored[0][1]) != numbers:
            return []
        if len(scored) > 1 and scored[0][0] - scored[1][0] < _MARGIN:
            return []
        return self._by_words[scored[0][1]]

    def _unique(self, positions: list[int]) -> list[int]:
        """Return the positions if all have one title: the same words may stand for two films."""
        return positions if len({self.candidates[at] for at in positions}) == 1 else []


def _positions(forms: Sequence[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for position, form in enumerate(forms):
        found[form].append(position)
    return dict(found)


def _numbers(form: str) -> list[str]:
    return [word for word in form.split() if word.isdigit() or word in _ROMAN]
