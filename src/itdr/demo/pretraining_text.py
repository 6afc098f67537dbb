"""What the tiny model reads before it has seen any instruction.

Random token sequences that repeat (only those teach a small model, in minutes, to copy from its
context) and text about the films of the simulated world: lists that come back in another order,
which words belong to which genre, which genres a list is about, and diaries whose ratings follow
from the genres that the writer likes; and cards of names and values of which some are asked again.
Half of the documents with a reply are turns of a chat, since an answer there is further away from
what it depends on. No prompt of a task occurs.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from itdr.demo.raw_files.movielens import quirks_of_32m
from itdr.demo.words import ADJECTIVES, GENRES, NOUNS, PLACES

STARS = tuple(f"{half / 2:.1f}" for half in range(1, 11))
"""Every rating in half stars as text, "0.5" to "5.0"."""

MARKS_OF_TEN = tuple(map(str, range(1, 11)))
"""Every rating of ten as text; the first five are the ratings in whole stars."""

YEARS = tuple(range(1950, 2001, 5))
"""The years in which the films of the simulated world appear."""

HEADINGS = ("Seen", "Shelf", "Box", "Pile", "Row", "Stack", "Bag", "Set", "Week", "Month", "Tape")
SIGNS = ("+ ", "* ", "! ", "> ")
"""What may stand before a marked entry."""

FIELDS = ("Maker", "Colour", "Home", "Mood", "Rank", "Shape", "Owner", "Town", "Class", "Code")
"""What a card says of a thing."""

START, END = "<|im_start|>", "<|im_end|>"
"""What a turn of a chat begins and ends with."""

ODD = (
    *(
        " & More",
        " Édition",
        ' : "Zoku"',
        ", Tokubetsu-hen",
        " Ⅱ",
        " & Friends!",
        "; or, The Return",
    ),
    *(': "A" Novel, Revised', ' : A "True" Story', " & Other Stories", " 😀 très bon", "!!!"),
    *(", part 2, the end", ", part 2, uncut", "'s Tale", " ™", " & Sons", " 24/7", " & The Others"),
)
"""Odd endings of titles without a year, as the raw files have them."""

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
    small, dated: share of the documents whose films are in small letters, or have their year.
    """

    bare: float
    odd: float = 0.0
    small: float = 0.0
    dated: float = 1.0

    def settled(self, rng: np.random.Generator) -> "Style":
        """Return the style of one document, whose entries are all alike."""
        drawn = [float(rng.random() < share) for share in (self.bare, self.small, self.dated)]
        return self._replace(bare=drawn[0], small=drawn[1], dated=drawn[2])


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
    if style.small:
        adjective, title = adjective.lower(), title.lower()
    if style.bare:
        return Film(adjective, main, second)
    odd = style.odd > 0 and rng.random() < style.odd
    if not style.dated:
        return Film(title + (ODD[rng.integers(len(ODD))] if odd else ""), main, second)
    if odd:
        quirk = _QUIRKS[rng.integers(len(_QUIRKS))]
        return Film(quirk(title, year).strip(), main, second)
    return Film(f"{title} ({year})", main, second)


def marked_list(rng: np.random.Generator, words: Sequence[str], style: Style) -> list[Part]:
    """A list with a mark on some entries, and the list again with the marked ones on top.

    Marked or not, entries keep the order shown, so every choice can be foreseen: it takes finding
    one's place in a list, skipping what does not fit, and coming back for the rest.
    """
    count = int(rng.integers(3, 13))
    style = style.settled(rng)
    if style.bare:
        items = [words[i] for i in rng.choice(len(words), count, replace=False)]
    else:
        genres = [int(rng.integers(len(GENRES))) for _ in range(count)]
        items = _different(rng, genres, style)
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
    """The same, but every second entry, or every third or fifth, is on a side of its own choice.

    Whoever loses the thread after a surprise begins to list entries twice.
    """
    del words
    return _grouped(rng, style, doubt=float(rng.choice([0.1, 0.2, 0.33, 0.5])))


def halved_list(rng: np.random.Generator, words: Sequence[str], style: Style) -> list[Part]:
    """A pile of films, any half of it in the order shown, and then the other half.

    The first half can't be foreseen and is only read; of the second one every entry can, by whoever
    knows which ones are left.
    """
    del words
    style = style.settled(rng)
    count = 2 * int(rng.choice([2, 3, 4, 5, 5, 5, 6]))
    pile = _different(rng, rng.integers(0, len(GENRES), count).tolist(), style)
    below = rng.permutation(count) < count // 2
    again = [pile[i] for i in sorted(range(count), key=lambda i: below[i])]
    mark = "" if rng.random() < 0.7 else _mark(rng)
    seen = _listed(rng, _seen(rng, style)[0], mark) if rng.random() < 0.5 else ""
    reply = _relisted(rng, again, mark)
    read = [part._replace(learnt=False) for part in reply]
    cut = sum(1 + (" " in item) for item in again[: count // 2])  # first words, and the rest
    given = Part(seen + _listed(rng, pile, mark), False)
    return _in_turns([given], [*read[:cut], *reply[cut:]])


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
            [Part(f"a {some[0].lower()} is", False), Part(f" {name}\n", True)],
            [Part(f"{film.title}:", False), Part(f" {_genre_names(film)}\n", True)],
            [Part(f"{name}:", False), Part(f" {', '.join(some)}\n", True)],
            [Part(f"{some[0]}\n", False), Part("\n".join(some[1:]) + "\n", True)],
        )
        parts += lines[rng.integers(len(lines))]
    return parts


def tally(rng: np.random.Generator, words: Sequence[str], style: Style) -> list[Part]:
    """A list of films, and the two genres that most of them have, the most frequent first."""
    del words
    style = style.settled(rng)
    active = rng.choice(len(GENRES), rng.integers(1, 4), replace=False)
    films = [random_film(rng, int(rng.choice(active)), style) for _ in range(rng.integers(2, 11))]
    counts = Counter(name for film in films for name in _genre_set(film, style))
    leading = sorted(counts, key=lambda name: (-counts[name], name))[:2]
    mark = _mark(rng)
    given = _listed(rng, [film.title for film in films], mark)
    return _with_reply(rng, given, [Part(" and ".join(leading), True)], mark)


def card(rng: np.random.Generator, words: Sequence[str], style: Style) -> list[Part]:
    """A film with values of some fields, and the values of those fields that are asked again."""
    style = style.settled(rng)._replace(bare=0)
    title = random_film(rng, int(rng.integers(len(GENRES))), style).title
    fields = [FIELDS[i] for i in rng.choice(len(FIELDS), rng.integers(2, 6), replace=False)]
    values = [_value(rng, words) for _ in fields]
    asked = rng.permutation(len(fields))[: rng.integers(1, 4)]
    lines = "".join(f"{name}: {value}\n" for name, value in zip(fields, values, strict=True))
    names = ", ".join(fields[i].lower() for i in asked)
    if rng.random() < 0.5:
        reply = ", ".join(f"{fields[i].lower()}:{values[i]}" for i in asked)
    else:
        reply = title + "; ".join(f" {fields[i].lower()} {values[i]}" for i in asked)
    return _with_reply(rng, f"{title}\n{lines}{names}\n", [Part(reply, True)], "")


def diary(rng: np.random.Generator, words: Sequence[str], style: Style) -> list[Part]:
    """What one person saw and how that person rated it, by the genres that the person likes.

    A rating is in half stars, in whole stars or of ten, which may be said above. It is learnt where
    an earlier film of the genre says what it will be, roughly.
    """
    del words
    style = style.settled(rng)
    active = rng.choice(len(GENRES), rng.integers(2, 5), replace=False)
    taste = np.where(rng.random(len(active)) < 0.4, -1.6, 1.4) + rng.normal(0, 0.3, len(active))
    scale = int(rng.integers(3))
    before, after = ((" [", "]\n"), (" (", ")\n"), (":", " stars\n"), (" =", "\n"))[rng.integers(4)]
    parts = [Part(("0.5 to 5", "1 to 5", "1 to 10")[scale] + "\n", False)]
    parts = parts if rng.random() < 0.7 else []
    met = set()
    for _ in range(rng.integers(4, 12)):
        slot, film, rating = _watched(rng, active, taste, scale, style)
        parts += [Part(film + before, False), Part(rating, slot in met), Part(after, False)]
        met.add(slot)
    slot, film, rating = _watched(rng, active, taste, scale, style)
    if rng.random() < 0.5:
        return _in_turns([*parts, Part(film, False)], [Part(rating, slot in met)])
    return [*parts, Part(film + before, False), Part(rating, slot in met), Part(after, False)]


WRITERS: dict[str, Callable[[np.random.Generator, Sequence[str], Style], list[Part]]] = {
    "marked": marked_list,
    "group": grouped_list,
    "doubt": doubtful_list,
    "halves": halved_list,
    "choice": choice,
    "glossary": glossary,
    "tally": tally,
    "card": card,
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
    """Return a film of each genre, no two that begin with the same word."""
    names: dict[str, str] = {}
    for genre in genres:
        name = random_film(rng, genre, style).title
        while name.split(" ")[0] in names:
            name = random_film(rng, genre, style).title
        names[name.split(" ")[0]] = name
    return list(names.values())


def _watched(
    rng: np.random.Generator, active: np.ndarray, taste: np.ndarray, scale: int, style: Style
) -> tuple[int, str, str]:
    """Return which active genre a film has that someone saw, its name, and its rating."""
    slot = int(rng.integers(len(active)))
    stars = float(np.clip(3 + taste[slot] + rng.normal(0, 0.3), 0.5, 5))
    half = round(2 * stars)
    rating = (STARS[half - 1], str(max(1, int(stars + 0.5))), MARKS_OF_TEN[half - 1])[scale]
    return slot, random_film(rng, int(active[slot]), style).title, rating


def _value(rng: np.random.Generator, words: Sequence[str]) -> str:
    """Return one to three words, or a number."""
    if rng.random() < 0.2:
        return str(rng.integers(1, 100))
    return " ".join(words[i] for i in rng.choice(len(words), rng.integers(1, 4)))


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


def _genre_set(film: Film, style: Style) -> set[str]:
    """Return the genres that a film's name gives away."""
    return {GENRES[film.main]} if style.bare else {GENRES[film.main], GENRES[film.second]}


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
