"""Odd answers, how they are judged, and their page: `python -m tests.odd_answers` writes it.

Their files hold, by question, what a model may answer and what a careful reader reads from it. The
readers were written against the first file; the answers of the second were written when the readers
were done, without a look at them, and nothing was changed for their sake.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from itdr.evaluation.answers import Form, ParsedAnswer, Reading
from itdr.evaluation.answers.aliases import same_value
from itdr.evaluation.kinds.core import read

DATA = Path(__file__).parent / "unit" / "data"
PAGE = Path(__file__).parents[1] / "docs" / "reference" / "odd-answers.md"
FILES = {"corpus": DATA / "odd_answers.yaml", "held out": DATA / "odd_answers_held_out.yaml"}
VERDICTS = ("right", "unreadable", "wrong")


@dataclass(frozen=True)
class Case:
    """An odd answer; read: what a careful reader reads, as the file writes it."""

    question: str
    answer: str
    read: Any
    tags: tuple[str, ...]

    @property
    def form(self) -> Form:
        return FORMS[self.question]


def _form(question: dict[str, Any]) -> Form:
    ranges = {name: tuple(ends) for name, ends in question.get("ranges", {}).items()}
    return Form(**question | {"ranges": ranges})


_FOUND = {name: yaml.safe_load(path.read_text("utf-8")) for name, path in FILES.items()}
FORMS = {
    name: _form(question)
    for found in _FOUND.values()
    for name, question in found["questions"].items()
}
ONE_OF_EACH_KIND = ["films-rating", "films-list", "films-title", "person", "text"]
CANDIDATES = FORMS["films-list"].candidates


def cases(file: str) -> Iterator[Case]:
    """Yield the cases of a file."""
    for question, answers in _FOUND[file]["answers"].items():
        for one in answers:
            yield Case(question, one["answer"], one["read"], tuple(one["tags"]))


def seen(answer: ParsedAnswer, form: Form) -> Any:
    """Return what was read as the file writes it."""
    if not answer.readable:
        return None
    places = [0 if place is None else place + 1 for place in answer.ranking]
    return {
        "number": answer.number,
        "text": answer.text,
        "attributes": {
            name: float(value) if name in form.ranges else value
            for name, value in answer.attributes.items()
        },
        "ranked_list": places,
        "title": places[0] if places else None,
    }[form.kind]


def verdict(case: Case, reading: Reading) -> str:
    """Return whether an answer is read right, wrong, or not (in full).

    Of several attributes or entries those that are read must be right, each in its place.
    """
    found = seen(read(case.answer, case.form, reading), case.form)
    if found is None or case.read is None:
        return "right" if found == case.read else "wrong" if case.read is None else "unreadable"
    if case.form.kind == "attributes":
        wrong = any(
            name not in case.read or not _same(value, case.read[name])
            for name, value in found.items()
        )
        full = len(found) == len(case.read)
    elif case.form.kind == "ranked_list":
        true = [*case.read, *[0] * len(found)]
        wrong = any(place and place != true[at] for at, place in enumerate(found))
        full = found == case.read
    else:
        wrong, full = found != case.read, True
    return "wrong" if wrong else "right" if full else "unreadable"


def _same(value: Any, true: Any) -> bool:
    return value == true if isinstance(value, float) else same_value(value, true, lenient=True)


def counts(file: str) -> dict[tuple[str, Reading], Counter[str]]:
    """Return how often each verdict falls, by kind of answer and reading."""
    found: dict[tuple[str, Reading], Counter[str]] = {}
    for case in cases(file):
        for reading in Reading:
            by_verdict = found.setdefault((case.form.kind, reading), Counter())
            by_verdict[verdict(case, reading)] += 1
    return found


def totals(file: str) -> dict[Reading, Counter[str]]:
    """Return how often each verdict falls in a file, by reading."""
    found = {reading: Counter[str]() for reading in Reading}
    for (_, reading), by_verdict in counts(file).items():
        found[reading] += by_verdict
    return found


HEADS = {
    "films-rating": "A rating from 0.5 to 5",
    "films-list": "A ranked list of the candidates, one `1. Title` a line",
    "tricky-films-list": "The same for titles with numbers and several names",
    "books-list": "The same for books",
    "films-title": "The title of one candidate",
    "tricky-films-title": "The same for titles with numbers and several names",
    "person": "Attributes as `age:25, gender:F, location:Seattle`; an age is from 1 to 110",
    "listener": "Attributes of which one is a country",
    "viewer": "Attributes of which one is a year of birth, from 1900 to 2020",
    "demographics": "Attributes of which one is an age group",
    "text": "A text",
}
INTRODUCTION = """\
# What is read from odd answers

Every answer is read twice. *Strict* takes the asked-for form alone. *Lenient* forgives what a
person would: a sentence around the answer, reasoning before it, bullets, quotes, other case, number
words, a candidate named by its number or by a short form of its title, small differences in a
title. Where two readings are possible there is none: a wrong value is worse than an answer that
counts as unreadable. Score files hold both readings, strict first. An answer that cannot be read
counts as wrong. The tests hold every line of this page; \u23ce is the end of a line.

## How well they are read

A careful reader's readings of odd answers, and how many of them are met. The readers were written
against the corpus; the held-out answers, such as models give, were written afterwards by the same
author, without a look at the readers' code, which was not changed for their sake. Answers made to
mislead are harder: of 658 that were written in the same way and have since joined the corpus, 0.9%
were at first read wrongly by the strict and 6.7% by the lenient reading. A list or attributes count
as wrong where any entry or value that is read is wrong, and as unreadable where some are not read,
such as an entry that is taken for no candidate.

| answers | kind | reading | right | unreadable | wrong |
| --- | --- | --- | ---: | ---: | ---: |
"""


def rendered() -> str:
    """Return the page."""
    lines = [INTRODUCTION + "\n".join(_counted())]
    asked = None
    for question, head in HEADS.items():
        form = FORMS[question]
        lines += [f"\n## {head}\n"]
        if form.candidates and form.candidates != asked:
            asked = form.candidates
            listed = [f"{number}. {title}" for number, title in enumerate(asked, 1)]
            lines += [f"The candidates are {', '.join(listed)}. In a list, 0 is no candidate.\n"]
        lines += ["| answer | strict | lenient |", "| --- | --- | --- |"]
        lines += [
            f"| {_code(case.answer)} | "
            + " | ".join(_read(case, reading) for reading in Reading)
            + " |"
            for case in cases("corpus")
            if case.question == question and "page" in case.tags
        ]
    return "\n".join(lines) + "\n"


def _counted() -> Iterator[str]:
    for file in FILES:
        for (kind, reading), found in counts(file).items():
            yield _counts_row(file, kind, reading, found)
        for reading, found in totals(file).items():
            yield _counts_row(file, "all", reading, found)


def _counts_row(file: str, kind: str, reading: Reading, found: Counter[str]) -> str:
    numbers = " | ".join(str(found[name]) for name in VERDICTS)
    return f"| {file} | {kind} | {reading.value} | {numbers} |"


def _read(case: Case, reading: Reading) -> str:
    answer = read(case.answer, case.form, reading)
    value = seen(answer, case.form)
    if value is None:
        return f"unreadable: {answer.problem}".replace("|", "\\|")
    if isinstance(value, dict):
        return ", ".join(
            f"{name}: {found:g}" if isinstance(found, float) else f"{name}: {found}"
            for name, found in value.items()
        )
    if isinstance(value, str):
        return _code(value)
    return ", ".join(map(str, value)) if isinstance(value, list) else f"{value:g}"


def _code(text: str) -> str:
    shown = text.replace("\n", "\u23ce").replace("|", "\\|")
    ticks = "``" if "`" in shown else "`"
    space = " " if ticks == "``" else ""
    return f"{ticks}{space}{shown}{space}{ticks}" if shown.strip() else "(nothing)"


if __name__ == "__main__":
    PAGE.write_text(rendered(), encoding="utf-8")
