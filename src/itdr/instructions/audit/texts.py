"""Faults that one example shows by itself: empty fields and answers that the input gives away."""

import re
from collections.abc import Iterator

from itdr.instructions.audit.faults import Fault, Record, fault
from itdr.instructions.tasks import TaskSettings
from itdr.settings.audit import Check

_NOTHING = {"", "none", "nan", "null", "na", "n/a", "<na>"}
_SHOWN_NOTHING = re.compile(r"\((?:None|nan|NaN|null)\)|(?:: |:)(?:None|nan|NaN|null)\s*$", re.M)
_LONG_TITLE = 8  # characters; a shorter one may be a word of the template
_LONG_RUN = 8  # words


def empty_fields(record: Record, task: TaskSettings) -> Iterator[Fault]:
    """Yield a fault for each text, title or value that is empty or says that it is nothing."""
    for name in ("instruction", "input", "output"):
        if not record[name].strip():
            yield fault(Check.EMPTY_FIELD, record, f"{name} is empty")
    for name in ("history", "candidates"):
        for place, item in enumerate(record[name] or [], 1):
            if not (item["title"] or "").strip():
                yield fault(Check.EMPTY_FIELD, record, f"item {place} of {name} has no title")
    shown = _SHOWN_NOTHING.search(record["input"])
    if shown:
        yield fault(Check.EMPTY_FIELD, record, f"the input shows {shown[0].strip(':( )')!r}")
    if task.answer == "attributes":
        for name, value in _attributes(record["output"]):
            if value.strip().lower() in _NOTHING:
                yield fault(Check.EMPTY_FIELD, record, f"the attribute {name!r} is {value!r}")


def target_in_history(record: Record) -> Iterator[Fault]:
    """Yield a fault for each item asked for that is among the items shown."""
    shown = {item["item_id"] for item in record["history"] or []}
    for target in record["targets"] or []:
        if target in shown:
            yield fault(Check.TARGET_IN_HISTORY, record, f"target {target!r} is shown")


def leaked_answer(record: Record, task: TaskSettings, target_title: str | None) -> Iterator[Fault]:
    """Yield a fault where the input gives the answer away.

    A number: it stands in the line of the target. Attributes: a pair "name:value" of the answer
    stands in the input. Candidates: the title of a positive is also that of an item shown, or
    stands in the input more often than the items shown account for; not looked for where the
    example does not say which items it shows. A text: half of the answer or more, and at least 8
    words, or the whole answer, stands in the input word by word.

    Args:
        record: the example.
        task: the task of the example.
        target_title: title of the item to rate; None where there is none or it is not known.
    """
    kind, text, output = task.answer, record["input"], record["output"].strip()
    if not output:
        return
    why = None
    if kind == "number":
        why = _rating_told(text, output, target_title)
    elif kind == "attributes":
        why = _attribute_told(text, output)
    elif task.has_candidates and record["history"] is not None:
        why = _title_told(record)
    elif kind == "text":
        why = _quoted(text, output)
    if why:
        yield fault(Check.LEAKED_ANSWER, record, why)


def _rating_told(text: str, output: str, title: str | None) -> str | None:
    lines = text.splitlines() or [""]
    line = next((line for line in reversed(lines) if title and title in line), lines[-1])
    rest = line.replace(title, " ") if title else line
    number = rf"(?<![\d.]){re.escape(output)}(?!\.?\d)"
    return f"the target's line holds the answer {output!r}" if re.search(number, rest) else None


def _attribute_told(text: str, output: str) -> str | None:
    for name, value in _attributes(output):
        words = re.escape(name).replace("_", "[ _]")
        pair = rf"\b{words}\s*[:=]\s*{re.escape(value.strip())}(?!\w)"
        if value.strip() and re.search(pair, text, re.IGNORECASE):
            return f"the input holds {name}:{value.strip()}"
    return None


def _title_told(record: Record) -> str | None:
    true_ids = set(record["targets"] or [])
    candidates, history = record["candidates"] or [], record["history"] or []
    seen = {_plain(item["title"] or "") for item in history if item["item_id"] not in true_ids}
    shown = [
        text
        for item in [*history, *candidates]
        for text in (item["title"] or "", *(item.get("categories") or []))
    ]
    for item in candidates:
        title = item["title"] or ""
        if item["item_id"] not in true_ids or not title:
            continue
        if _plain(title) in seen:
            return f"the title {title!r} of a target is that of an item shown"
        told = record["input"].count(title)
        if len(title) >= _LONG_TITLE and told > sum(text.count(title) for text in shown):
            return f"the title {title!r} of a target stands outside the lists"
    return None


def _quoted(text: str, output: str) -> str | None:
    words, source = _words(output), f" {' '.join(_words(text))} "
    run = min(len(words), max(_LONG_RUN, -(-len(words) // 2)))
    for start in range(len(words) - run + 1):
        quote = " ".join(words[start : start + run])
        if f" {quote} " in source:
            return f"the input holds {run} of the answer's {len(words)} words in a row: {quote!r}"
    return None


def _attributes(output: str) -> list[tuple[str, str]]:
    """Return the pairs of an answer "name:value, name:value"; a value may hold commas."""
    pairs: list[tuple[str, str]] = []
    for piece in output.split(", "):
        name, colon, value = piece.partition(":")
        if colon or not pairs:
            pairs.append((name.strip(), value))
        else:
            pairs[-1] = (pairs[-1][0], f"{pairs[-1][1]}, {piece}")
    return pairs


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
