"""Reading the choice of one candidate.

Asked for: the title alone. Strict reads exactly that. Lenient reads, by the rules of `titles`, what
stands behind "final answer:" or "Answer:": the whole of it, then its first line, where no further
line names another candidate, then a candidate that the line begins with and goes on to explain;
then the only candidate behind "I would choose" or the like; then the only one of `mentions`. A text
that names several is unreadable.
"""

import re
from collections.abc import Sequence

from itdr.evaluation.answers.cleaning import labelled_answer, without_reasoning
from itdr.evaluation.answers.entries import without_marker
from itdr.evaluation.answers.mentions import leading, mentions, only_mention
from itdr.evaluation.answers.parsed import ParsedAnswer
from itdr.evaluation.answers.titles import Titles

_CHOOSES = re.compile(
    r"\b(?:choose|pick|select|recommend|go with|predict|answer is|choice is)\b", re.IGNORECASE
)
_MOST_LINES = 2000


def read_choice(text: str, candidates: Sequence[str], lenient: bool) -> ParsedAnswer:
    """Return the candidate that the text names."""
    if not text.strip():
        return ParsedAnswer("empty", missing=1)
    titles = Titles(candidates)
    exact = titles.exact(text)
    if exact:
        return ParsedAnswer(ranking=(exact[0],))
    if not lenient:
        return ParsedAnswer("not a candidate's title alone", out_of_list=1, missing=1)
    text = labelled_answer(without_reasoning(text))
    found = titles.alike(text) or _of_lines(text, titles) or _chosen(text, titles)
    if found:
        return ParsedAnswer(ranking=(found[0],))
    if mentions(text, titles)[0]:
        return ParsedAnswer("several candidates", missing=1)
    return ParsedAnswer("no candidate", out_of_list=1, missing=1)


def _of_lines(text: str, titles: Titles) -> list[int]:
    lines = [without_marker(line) for line in text.split("\n")[:_MOST_LINES]]
    first = titles.alike(lines[0]) or leading(lines[0], titles)
    others = {titles.candidates[at] for line in lines[1:] for at in titles.alike(line)[:1]}
    return first if first and others <= {titles.candidates[first[0]]} else []


def _chosen(text: str, titles: Titles) -> list[int]:
    *_, end = [0, *(match.end() for match in _CHOOSES.finditer(text))]
    return only_mention(text[end:], titles) if end else only_mention(text, titles)
