"""Reading the choice of one candidate.

Asked for: the title alone. Strict reads exactly that. Lenient reads, by the rules of `titles`, what
stands behind "final answer:" or "Answer:": the whole of it, then its first line, where no further
line names another candidate, then a candidate that the line begins with and goes on to explain;
then the only candidate that is `meant`; then what stands behind "I would choose" or the like. A
text that means several is unreadable, and so is one that makes its choice depend on something.
"""

import re
from collections.abc import Sequence

from itdr.evaluation.answers.cleaning import labelled_answer, without_reasoning
from itdr.evaluation.answers.entries import without_marker
from itdr.evaluation.answers.harmless import harmless
from itdr.evaluation.answers.mentions import leading, meant, mentions, takes_back
from itdr.evaluation.answers.parsed import ParsedAnswer
from itdr.evaluation.answers.titles import Titles, words

_CHOOSES = re.compile(
    r"\b(?:choose|pick|select|recommend|go with|predict|"
    r"(?:answer|choice|pick|recommendation|prediction|guess|film|movie|book|item|title) is)\b|"
    r"\b(?:next|recommended|predicted|likely|title|film|movie|book|item|candidate)"
    r"(?:\s(?:film|movie|book|item|title|choice))?[*_]*:",
    re.IGNORECASE,
)
_DEPENDS = re.compile(
    r"\b(?:if|unless|whether|depend\w*|after|candidates|options)\b|\b(?:no|wrong|false)\b\s*(?:[.:,!]|$)",
    re.IGNORECASE,
)
_MORE = re.compile(r"[;.]\s")
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
    named = {titles.candidates[at] for at in mentions(text, titles)[0]}
    if named:
        problem = "several candidates" if len(named) > 1 else "no clear choice"
        return ParsedAnswer(problem, missing=1)
    return ParsedAnswer("no candidate", out_of_list=1, missing=1)


def _of_lines(text: str, titles: Titles) -> list[int]:
    lines = [without_marker(line) for line in text.split("\n")[:_MOST_LINES]]
    first = titles.alike(lines[0])
    if not first and not takes_back(lines[0]):
        first = leading(lines[0], titles)
    rest = [*_MORE.split(lines[0])[1:], *lines[1:]]
    others = {titles.candidates[at] for line in rest for at in titles.alike(line)[:1]}
    return first if first and others <= {titles.candidates[first[0]]} else []


def _chosen(text: str, titles: Titles) -> list[int]:
    if _DEPENDS.search(text):
        return []
    found = meant(text, titles)
    if found:
        return found if len({titles.candidates[at] for at in found}) == 1 else []
    *_, cue = [None, *_CHOOSES.finditer(text)]
    if cue is None:
        return []
    clause = max(text.rfind(mark, 0, cue.start()) for mark in ".,;!?\n") + 1
    return titles.alike(text[cue.end() :]) if harmless(words(text[clause : cue.start()])) else []
