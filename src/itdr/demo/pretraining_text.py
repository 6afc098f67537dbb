"""What the tiny model reads before it has seen any instruction.

Random token sequences that repeat (only those teach a small model, in minutes, to copy from its
context) and text about the films of the simulated world: lists that come back in another order,
which words belong to which genre, and diaries whose ratings follow from the genres that the writer
likes. Half of the lists and diaries are turns of a chat, since an answer there is further away from
what it depends on. No prompt of a task occurs.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from itdr.demo.raw_files.movielens import quirks_of_32m
from itdr.demo.words import ADJECTIVES, GENRES, NOUNS, PLACES

STARS = tuple(f"{half / 2:.1f}" for half in range(1, 11))
"""Every rating as text, "0.5" to "5.0"."""

YEARS = tuple(range(1950, 2001, 5))
"""The years in which the films of the simulated world appear."""

HEADINGS = ("Seen", "Shelf", "Box", "Pile", "Row", "Stack", "Bag", "Set", "Week", "Month", "Tape")
SIGNS = ("+ ", "* ", "! ", "> ")
"""What may stand before a marked entry."""

START, END = "<|im_start|>", "<|im_end|>"
"""What a turn of a chat begins and ends with."""

_MARKS = ("\n", "\n- ", "; ", " / ", ", ")
_QUIRKS = quirks_of_32m()
_NUMBERED = 0.75  # share of lists with numbers instead of marks


class Film(NamedTuple):
    """A made-up film: title with year, and the positions of its main and second genre."""

    title: str
    main: int
    second: int


class Style(NamedTuple):
    """What the entries of a document look like.

    bare: share of the documents whose entries are single words: more choices in fewer tokens.
    odd: share of the titles that are written in one of the odd ways of the raw files.
    """

    bare: float
    odd: float = 0.0

    def settled(self, rng: np.random.Generator) -> "Style":
        """Return the style of one document, whose entries are all single words or all titles."""
        return self._replace(bare=float(rng.random() < self.bare))


TITLES = Style(0.0)


class Part(NamedTuple):
    """A stretch of a document: learnt where it can be foreseen, only read elsewhere."""

    words: str
    learnt: bool


def random_sequence(rng: np.random.Generator, tokens: np.ndarray) -> list[int]:
    """Return 4 to 40 of the tokens, each drawn by itself."""
    return rng.choice(tokens, rng.integers(4, 41)).tolist()


def random_film(rng: np.random.Generator, main: int, style: Style) -> Film:
    """Return a film of a genre; like the world's films, two in five have a second genre.

    A bare title is its first word alone.
    """
    second = int(rng.integers(len(GENRES))) if rng.random() < 0.4 else main
    adjective = ADJECTIVES[main][rng.integers(len(ADJECTIVES[0]))]
    noun = NOUNS[second][rng.integers(len(NOUNS[0]))]
    place = f" of {PLACES[rng.integers(len(PLACES))]}" if rng.random() < 0.08 else ""
    title, year = f"{adjective} {noun}{place}", YEARS[rng.integers(len(YEARS))]
    if style.bare:
        return Film(adjective, main, second)
    if style.odd and rng.random() < style.odd:
        quirk = _QUIRKS[rng.integers(len(_QUIRKS))]
        return Film(quirk(title, year).strip(), main, second)
    return Film(f"{title} ({year})", main, second)


def marked_list(rng: np.random.Generator, words: Sequence[str], style: Style) -> list[Part]:
    """A list with a mark on some entries, and the list again with the marked ones on top.

    Marked or not, entries keep the order shown, so every choice can be foreseen: it takes finding
    one's place in a list, skipping what does not fit, and coming back for the rest.
    """
    count = int(rng.integers(3, 12))
    if rng.random() < style.bare:
        items = [words[i] for i in rng.choice(len(words), count, replace=False)]
    else:
        genres = [int(rng.integers(len(GENRES))) for _ in range(count)]
        items = _different(rng, genres, style._replace(bare=0))
    chosen = rng.random(count) < 0.5
    sign = SIGNS[rng.integers(len(SIGNS))]
    mark = _mark(rng)
    given = [sign + item if on else item for item, on in zip(items, chosen, strict=True)]
    again = [items[i] for i in sorted(range(count), key=lambda i: not chosen[i])]
    return _with_reply(rng, _listed(rng, given, mark), _relisted(rng, again, mark), mark)


def grouped_list(rng: np.random.Generator, words: Sequence[str], style: Style) -> list[Part]:
    """A few films, a pile of films, and the pile with what is akin to the first ones on top."""
    del words
    return _grouped(rng, style, doubt=0.0)


def doubtful_list(rng: np.random.Generator, words: Sequence[str], style: Style) -> list[Part]:
    """The same, but one entry in five is on the wrong side.

    Whoever loses the thread after a surprise begins to list entries twice.
    """
    del words
    return _grouped(rng, style, doubt=0.2)


def choice(rng: np.random.Generator, words: Sequence[str], style: Style) -> list[Part]:
    """A few films, a pile of films, and the only one of the pile that is akin to the first ones."""
    del words
    style = style.settled(rng)
    seen, akin, others = _seen(rng, style)
    genres = [int(rng.choice(akin)), *(int(rng.choice(others)) for _ in range(rng.integers(2, 6)))]
    pile = _different(rng, genres, style)
    mark = _mark(rng)
    shown = [pile[i] for i in rng.permutation(len(pile))]
    first, _, rest = pile[0].partition(" ")
    given = _listed(rng, seen, mark) + _listed(rng, shown, mark)
    reply = [Part(first, True), *([Part(f" {rest}", True)] if rest else [])]
    return _with_reply(rng, given, reply, mark)


def glossary(rng: np.random.Generator, words: Sequence[str], style: Style) -> list[Part]:
    """Lines that say to which genre a word or a film belongs, or which words a genre has."""
    del words, style
    parts = []
    for genre in rng.integers(0, len(GENRES), 8):
        name = GENRES[genre]
        own = [*NOUNS[genre], *ADJECTIVES[genre], *ADJECTIVES[genre]]
        some = [own[i] for i in rng.choice(len(own), 4, replace=False)]
        film = random_film(rng, int(genre), TITLES)
        lines = (
            [Part(f"{some[0]}:", False), Part(f"{name}\n", True)],
            [Part(f"a {some[0]} is", False), Part(f" {name}\n", True)],
            [Part(f"{film.title}:", False), Part(f" {_genre_names(film)}\n", True)],
            [Part(f"{name}:", False), Part(f" {', '.join(some)}\n", True)],
            [Part(f"{some[0]}\n", False), Part("\n".join(some[1:]) + "\n", True)],
        )
        parts += lines[rng.integers(len(lines))]
    return parts


def diary(rng: np.random.Generator, words: Sequence[str], style: Style) -> list[Part]:
    """What one person saw and how many stars each film got, by the genres that person likes.

    A rating is learnt where an earlier film of the genre says what it will be, roughly.
    """
    del words
    style = style.settled(rng)
    active = rng.choice(len(GENRES), rng.integers(2, 5), replace=False)
    taste = np.where(rng.random(len(active)) < 0.4, -1.6, 1.4) + rng.normal(0, 0.3, len(active))
    before, after = ((" [", "]\n"), (" (", " stars)\n"), (":", " stars\n"), (" =", "\n"))[
        rng.integers(4)
    ]
    parts = []
    met = set()
    for _ in range(rng.integers(5, 15)):
        slot, film, stars = _watched(rng, active, taste, style)
        parts += [Part(film + before, False), Part(stars, slot in met), Part(after, False)]
        met.add(slot)
    slot, film, stars = _watched(rng, active, taste, style)
    if rng.random() < 0.5:
        return _in_turns([*parts, Part(film, False)], [Part(stars, slot in met)])
    return [*parts, Part(film + before, False), Part(stars, slot in met), Part(after, False)]


WRITERS: dict[str, Callable[[np.random.Generator, Sequence[str], Style], list[Part]]] = {
    "marked": marked_list,
    "group": grouped_list,
    "doubt": doubtful_list,
    "choice": choice,
    "glossary": glossary,
    "diary": diary,
}
"""Every sort of document that is text, with its writer.

A writer takes the words to use where no film is needed, and the style.
"""


def _grouped(rng: np.random.Generator, style: Style, doubt: float) -> list[Part]:
    style = style.settled(rng)
    seen, akin, others = _seen(rng, style)
    count = int(rng.integers(1, 7))
    genres = [int(rng.choice(akin)) for _ in range(count)]
    genres += [int(rng.choice(others)) for _ in range(rng.integers(2, 7))]
    pile = _different(rng, genres, style)
    order = rng.permutation(len(pile))
    below = np.arange(len(pile)) >= count
    if doubt:
        below ^= rng.random(len(pile)) < doubt
    # Akin ones first, otherwise in the order shown: the one order that can be foreseen.
    again = [pile[i] for i in sorted(order, key=lambda i: below[i])]
    mark = _mark(rng)
    given = _listed(rng, seen, mark) + _listed(rng, [pile[i] for i in order], mark)
    return _with_reply(rng, given, _relisted(rng, again, mark), mark)


def _seen(rng: np.random.Generator, style: Style) -> tuple[list[str], list[int], list[int]]:
    """Return films of one to three genres as text, these genres, and all others."""
    active = rng.choice(len(GENRES), rng.integers(1, 4), replace=False)
    films = [random_film(rng, int(rng.choice(active)), style) for _ in range(rng.integers(2, 8))]
    akin = sorted({film.main for film in films})
    others = [genre for genre in range(len(GENRES)) if genre not in akin]
    shown = [film.title if style.bare else _with_genres(rng, film) for film in films]
    return shown, akin, others


def _different(rng: np.random.Generator, genres: Sequence[int], style: Style) -> list[str]:
    """Return a film of each genre, no two with the same name."""
    names: list[str] = []
    for genre in genres:
        name = random_film(rng, genre, style).title
        while name in names:
            name = random_film(rng, genre, style).title
        names.append(name)
    return names


def _watched(
    rng: np.random.Generator, active: np.ndarray, taste: np.ndarray, style: Style
) -> tuple[int, str, str]:
    """Return which active genre a film has that someone saw, its name, and its stars."""
    slot = int(rng.integers(len(active)))
    half = round(2 * (3 + taste[slot] + rng.normal(0, 0.3)))
    stars = STARS[int(np.clip(half, 1, 10)) - 1]
    return slot, random_film(rng, int(active[slot]), style).title, stars


def _with_reply(rng: np.random.Generator, given: str, reply: list[Part], mark: str) -> list[Part]:
    """Return a text and what follows from it, under a heading or as the answer in a chat."""
    if rng.random() < 0.5:
        return _in_turns([Part(given, False)], reply)
    return [Part(f"{given}{_heading(rng)}:{_gap(mark)}", False), *reply, Part("\n", True)]


def _in_turns(given: list[Part], reply: list[Part]) -> list[Part]:
    return [
        Part(f"{START}user\n", False),
        *given,
        Part(f"{END}\n{START}assistant\n", False),
        *reply,
        Part(END, True),
        Part("\n", False),
    ]


def _genre_names(film: Film) -> str:
    return ", ".join(sorted({GENRES[film.main], GENRES[film.second]}))


def _with_genres(rng: np.random.Generator, film: Film) -> str:
    return f"{film.title} [{_genre_names(film)}]" if rng.random() < 0.3 else film.title


def _heading(rng: np.random.Generator) -> str:
    return HEADINGS[rng.integers(len(HEADINGS))]


def _mark(rng: np.random.Generator) -> str:
    """Return what stands before each item of a list, or "" for its number."""
    return "" if rng.random() < _NUMBERED else _MARKS[rng.integers(len(_MARKS))]


def _relisted(rng: np.random.Generator, items: Sequence[str], mark: str) -> list[Part]:
    """Return a list whose choices are learnt: mark and first word of every item.

    The rest of an item only continues what is chosen. It is learnt in one document of four, since
    the many tokens that are easy would drown the few that are hard.
    """
    whole = rng.random() < 0.25
    parts = []
    for place, item in enumerate(items, 1):
        first, _, rest = item.partition(" ")
        parts.append(Part(_before(place, mark) + first, True))
        if rest:
            parts.append(Part(f" {rest}", whole))
    return parts


def _listed(rng: np.random.Generator, items: Sequence[str], mark: str) -> str:
    lines = "".join(_before(place, mark) + item for place, item in enumerate(items, 1))
    return f"{_heading(rng)}:{_gap(mark)}{lines}\n"


def _gap(mark: str) -> str:
    """Return what stands between a heading and the first item."""
    return "\n" if not mark or mark.startswith("\n") else " "


def _before(place: int, mark: str) -> str:
    """Return what stands before an item: its number where there is no mark."""
    if not mark:
        return f"\n{place}. " if place > 1 else "1. "
    return mark if place > 1 else mark.removeprefix("\n") if mark.startswith("\n") else ""
