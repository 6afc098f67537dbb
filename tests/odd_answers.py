"""The page of odd answers: `python -m tests.odd_answers` writes docs/odd-answers.md."""

from pathlib import Path

import yaml

from itdr.evaluation.answers import Answer, Form, Reading
from itdr.evaluation.kinds.core import read

HERE = Path(__file__).parent
FILE = HERE.parent / "docs" / "odd-answers.md"
PAGE = yaml.safe_load((HERE / "unit" / "data" / "odd_answers.yaml").read_text("utf-8"))
CANDIDATES = PAGE["candidates"]
FORMS = {
    "number": Form("number", scale=(0.5, 5.0)),
    "list": Form("ranked_list", candidates=CANDIDATES),
    "title": Form("title", candidates=CANDIDATES),
    "attributes": Form("attributes", attributes=PAGE["attributes"], numeric=frozenset({"age"})),
    "text": Form("text"),
}
HEADS = {
    "number": "A rating from 0.5 to 5",
    "list": "A ranked list of the candidates, one `1. Title` a line",
    "title": "The title of one candidate",
    "attributes": "Attributes as `age:25, gender:F, location:Seattle`",
    "text": "A text",
}
INTRODUCTION = """\
# What is read from odd answers

Every answer is read twice. *Strict* takes the asked-for form alone. *Lenient* forgives what a
person would: a sentence around the answer, bullets, quotes, other case, a candidate named by its
number, small differences in a title. Score files hold both, strict first. An answer that cannot be
read counts as wrong. The tests hold every line of this page; \u23ce is the end of a line.

The candidates are """


def seen(answer: Answer, form: str) -> object:
    """Return what was read as the page's file writes it."""
    if not answer.readable:
        return None
    if form in ("number", "text"):
        return answer.number if form == "number" else answer.text
    if form == "attributes":
        return answer.attributes
    return [0 if place is None else place + 1 for place in answer.ranking]


def rendered() -> str:
    """Return the page."""
    lines = [INTRODUCTION + ", ".join(f"{n}. {title}" for n, title in enumerate(CANDIDATES, 1))]
    lines[0] += ". In a list, 0 is an entry that\nis no candidate."
    for form, head in HEADS.items():
        lines += [f"\n## {head}\n", "| answer | strict | lenient |", "| --- | --- | --- |"]
        lines += [
            f"| {_code(case['text'])} | "
            + " | ".join(_read(case["text"], form, reading) for reading in Reading)
            + " |"
            for case in PAGE["answers"]
            if case["form"] == form
        ]
    return "\n".join(lines) + "\n"


def _read(text: str, form: str, reading: Reading) -> str:
    answer = read(text, FORMS[form], reading)
    value = seen(answer, form)
    if value is None:
        return f"unreadable: {answer.problem}".replace("|", "\\|")
    if form == "number":
        return f"{value:g}"
    if form == "attributes":
        return ", ".join(f"{name}: {found}" for name, found in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else _code(value)


def _code(text: str) -> str:
    shown = text.replace("\n", "\u23ce").replace("|", "\\|")
    ticks = "``" if "`" in shown else "`"
    space = " " if ticks == "``" else ""
    return f"{ticks}{space}{shown}{space}{ticks}" if shown.strip() else "(nothing)"


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(rendered(), encoding="utf-8")
