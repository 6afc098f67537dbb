"""Which candidates a released example shows, found by its texts.

The release has no ids, so a title stands for its item. A ranked list names all candidates in the
output, the positives first; a title names the positive alone, and the others stand in the list of
the input that holds it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_MARKER = re.compile(r"^\s*(?:[(\[]?\d{1,3}[.):\]]+|[-*\N{BULLET}])\s*")
_INLINE = re.compile(r"(?:^|(?<=\s))[(\[]?\d{1,3}[.):\]]+\s+")


@dataclass(frozen=True)
class Choice:
    """The titles of the candidates in the order shown, and of the positives."""

    candidates: tuple[str, ...]
    targets: tuple[str, ...]


def find_choice(kind: str, text: str, output: str) -> Choice | None:
    """Return the candidates of an example; None where they cannot be found.

    kind: of answer, a ranked list or one candidate.
    """
    return _ranked(text, output) if kind == "ranked_list" else _chosen(text, output.strip())


def _ranked(text: str, output: str) -> Choice | None:
    """Return the candidates of a ranking; its first half are the positives."""
    titles = _entries(output)
    places = _last_places(text, titles)
    if len(titles) < 2 or places is None:
        return None
    shown = [title for _, title in sorted(zip(places, titles, strict=True))]
    return Choice(tuple(shown), tuple(titles[: len(titles) // 2]))


def _chosen(text: str, title: str) -> Choice | None:
    """Return the last list of the input that holds the title.

    Entries may be "title:category"; then what follows their last colon is left out.
    """
    for entries in reversed(_lists(text)):
        for candidates in (entries, [entry.rpartition(":")[0].strip() for entry in entries]):
            if title in candidates and len(candidates) > 1 and all(candidates):
                return Choice(tuple(candidates), (title,))
    return None


def _lists(text: str) -> list[list[str]]:
    """Return the lists in a text: runs of marked lines, and lines that are numbered within."""
    found: list[list[str]] = [[]]
    for line in text.split("\n"):
        inline = [piece.strip() for piece in _INLINE.split(line)[1:]]
        if len(inline) > 1:
            found += [inline, []]
        elif _MARKER.match(line):
            found[-1].append(_MARKER.sub("", line).strip())
        elif found[-1]:
            found.append([])
    return [entries for entries in found if entries]


def _entries(output: str) -> list[str]:
    """Return the entries of a list that is a whole text."""
    lines = [line for line in output.split("\n") if line.strip()]
    if len(lines) == 1:
        return [piece.strip() for piece in _INLINE.split(lines[0]) if piece.strip()]
    return [_MARKER.sub("", line).strip() for line in lines]


def _last_places(text: str, titles: Sequence[str]) -> list[int] | None:
    """Return where each title stands last in a text, or None if one does not.

    Candidates come after the history, so the last place counts. The longest title is looked for
    first and blotted out, so that a title within another is not found there.
    """
    places = dict.fromkeys(range(len(titles)), -1)
    for position in sorted(places, key=lambda at: -len(titles[at])):
        title = titles[position]
        place = text.rfind(title) if title else -1
        if place < 0:
            return None
        places[position] = place
        text = text[:place] + "\0" * len(title) + text[place + len(title) :]
    return list(places.values())
