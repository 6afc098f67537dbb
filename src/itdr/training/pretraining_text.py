"""What the tiny model reads before it has seen any instruction.

Three sorts of documents: random token sequences that repeat (only those teach a small model, in
minutes, to copy from its context), lists that come back in another order, and plain text about the
films of the simulated world: which words belong to which genre, and diaries whose ratings follow
from the genres that the writer likes. No prompt of a task and no answer in a task's format occurs.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from itdr.synthetic.words import ADJECTIVES, GENRES, NOUNS, PLACES

STARS = tuple(f"{half / 2:.1f}" for half in range(1, 11))
"""Every rating as text, "0.5" to "5.0"."""

YEARS = tuple(range(1950, 2001, 5))
"""The years in which the films of the simulated world appear."""

HEADINGS = ("Seen", "Shelf", "Box", "Pile", "Row", "Stack", "Bag", "Set", "Week", "Month", "Tape")
_MARKS = ("\n", "\n- ", "; ", " / ", ", ")


class Film(NamedTuple):
    """A made-up film: title with year, and the positions of its main and second genre."""

    title: str
    main: int
    second: int


class Part(NamedTuple):
    """A stretch of a document: learnt where it can be foreseen, only read elsewhere."""

    words: str
    learnt: bool


def random_sequence(rng: np.random.Generator, tokens: np.ndarray) -> list[int]:
    """Return 4 to 40 of the tokens, each drawn by itself."""
    return rng.choice(tokens, rng.integers(4, 41)).tolist()


def random_film(rng: np.random.Generator, main: int) -> Film:
    """Return a film of a genre; like the world's films, two in five have a second genre."""
    second = int(rng.integers(len(GENRES))) if rng.random() < 0.4 else main
    adjective = ADJECTIVES[second][rng.integers(len(ADJECTIVES[0]))]
    noun = NOUNS[main][rng.integers(len(NOUNS[0]))]
    place = f" of {PLACES[rng.integers(len(PLACES))]}" if rng.random() < 0.08 else ""
    return Film(f"{adjective} {noun}{place} ({YEARS[rng.integers(len(YEARS))]})", main, second)


def word_list(rng: np.random.Generator, words: Sequence[str]) -> list[Part]:
    """A short list of single words and the same list twice more in other orders.

    Nowhere else does so large a part of the text depend on what a list holds and what is left.
    """
    items = [words[i] for i in rng.choice(len(words), rng.integers(3, 10), replace=False)]
    return _with_reorderings(rng, items, _mark(rng))


def shuffled_list(rng: np.random.Generator, words: Sequence[str]) -> list[Part]:
    """A list of films or of made-up names, and the same list twice more in other orders."""
    count = int(rng.integers(3, 13))
    if rng.random() < 0.6:
        items = [random_film(rng, int(rng.integers(len(GENRES)))).title for _ in range(count)]
    else:
        dated = rng.random() < 0.5
        items = [_random_name(rng, words, dated) for _ in range(count)]
    mark = "" if rng.random() < 0.4 else _mark(rng)
    return _with_reorderings(rng, items, mark)


def grouped_list(rng: np.random.Generator, words: Sequence[str]) -> list[Part]:
    """A few films, a pile of films, and the pile with what is akin to the first ones on top."""
    del words
    bare = rng.random() < 0.5  # nouns alone: more choices in fewer tokens
    active = rng.choice(len(GENRES), rng.integers(1, 4), replace=False)
    seen = [random_film(rng, int(rng.choice(active))) for _ in range(rng.integers(2, 8))]
    akin = sorted({film.main for film in seen})
    others = [genre for genre in range(len(GENRES)) if genre not in akin]
    count = int(rng.integers(1, 7))
    pile = [random_film(rng, int(rng.choice(akin))) for _ in range(count)]
    pile += [random_film(rng, int(rng.choice(others))) for _ in range(rng.integers(2, 7))]
    order = rng.permutation(len(pile))
    names = [_name(film, bare) for film in pile]
    # Akin ones first, otherwise in the order shown: the one order that can be foreseen.
    again = [names[i] for i in sorted(order, key=lambda i: i >= count)]
    mark = _mark(rng)
    shown = [_name(film, bare) if bare else _with_genres(rng, film) for film in seen]
    given = _listed(rng, shown, mark) + _listed(rng, [names[i] for i in order], mark)
    return [Part(given, False), *_relisted(rng, again, mark)]


def glossary(rng: np.random.Generator, words: Sequence[str]) -> list[Part]:
    """Lines that say to which genre a word or a film belongs, or which words a genre has."""
    del words
    parts = []
    for genre in rng.integers(0, len(GENRES), 8):
        name = GENRES[genre]
        own = [*NOUNS[genre], *NOUNS[genre], *ADJECTIVES[genre]]
        some = [own[i] for i in rng.choice(len(own), 4, replace=False)]
        film = random_film(rng, int(genre))
        lines = (
            [Part(f"{some[0]}:", False), Part(f"{name}\n", True)],
            [Part(f"a {some[0]} is", False), Part(f" {name}\n", True)],
            [Part(f"{film.title}:", False), Part(f" {_genre_names(film)}\n", True)],
            [Part(f"{name}:", False), Part(f" {', '.join(some)}\n", True)],
            [Part(f"{some[0]}\n", False), Part("\n".join(some[1:]) + "\n", True)],
        )
        parts += lines[rng.integers(len(lines))]
    return parts


def diary(rng: np.random.Generator, words: Sequence[str]) -> list[Part]:
    """What one person saw and how many stars each film got, by the genres that person likes."""
    del words
    active = rng.choice(len(GENRES), rng.integers(2, 5), replace=False)
    taste = np.where(rng.random(len(active)) < 0.4, -1.6, 1.4) + rng.normal(0, 0.3, len(active))
    before, after = ((" [", "]\n"), (" (", " stars)\n"), (":", " stars\n"), (" =", "\n"))[
        rng.integers(4)
    ]
    parts = []
    for _ in range(rng.integers(6, 16)):
        slot = int(rng.integers(len(active)))
        film = random_film(rng, int(active[slot]))
        half = round(2 * (3 + taste[slot] + rng.normal(0, 0.3)))
        stars = STARS[int(np.clip(half, 1, 10)) - 1]
        parts += [Part(film.title + before, False), Part(stars, True), Part(after, False)]
    return parts


WRITERS: dict[str, Callable[[np.random.Generator, Sequence[str]], list[Part]]] = {
    "words": word_list,
    "shuffle": shuffled_list,
    "group": grouped_list,
    "glossary": glossary,
    "diary": diary,
}
"""Every sort of document that is text, with its writer."""


def _with_reorderings(rng: np.random.Generator, items: Sequence[str], mark: str) -> list[Part]:
    parts = [Part(_listed(rng, items, mark), False)]
    for _ in range(2):
        parts += _relisted(rng, [items[i] for i in rng.permutation(len(items))], mark)
    return parts


def _random_name(rng: np.random.Generator, words: Sequence[str], dated: bool) -> str:
    name = " ".join(words[i] for i in rng.integers(0, len(words), rng.integers(2, 4)))
    return f"{name} ({YEARS[rng.integers(len(YEARS))]})" if dated else name


def _name(film: Film, bare: bool) -> str:
    return film.title.split(" ")[1] if bare else film.title


def _genre_names(film: Film) -> str:
    return ", ".join(sorted({GENRES[film.main], GENRES[film.second]}))


def _with_genres(rng: np.random.Generator, film: Film) -> str:
    return f"{film.title} [{_genre_names(film)}]" if rng.random() < 0.3 else film.title


def _heading(rng: np.random.Generator) -> str:
    return HEADINGS[rng.integers(len(HEADINGS))]


def _mark(rng: np.random.Generator) -> str:
    return _MARKS[rng.integers(len(_MARKS))]


def _relisted(rng: np.random.Generator, items: Sequence[str], mark: str) -> list[Part]:
    """Return a list whose choices are learnt: mark and first word of every item.

    The rest of an item only continues what is chosen. It is learnt in one document of four, since
    the many tokens that are easy would drown the few that are hard.
    """
    whole = rng.random() < 0.25
    parts = [Part(f"{_heading(rng)}:", False)]
    for place, item in enumerate(items, 1):
        first, _, rest = item.partition(" ")
        before = _before(place, mark)
        parts.append(Part(before + first, True))
        if rest:
            parts.append(Part(f" {rest}", whole))
    return [*parts, Part("\n", True)]


def _listed(rng: np.random.Generator, items: Sequence[str], mark: str) -> str:
    lines = "".join(_before(place, mark) + item for place, item in enumerate(items, 1))
    return f"{_heading(rng)}:{lines}\n"


def _before(place: int, mark: str) -> str:
    """Return what stands before an item: its number where there is no mark."""
    if not mark:
        return f"\n{place}. "
    return " " if place == 1 and not mark.startswith("\n") else mark
