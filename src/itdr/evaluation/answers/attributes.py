"""Reading attributes, "age_group:25-34, gender:F".

Asked for: every asked attribute once as name:value, joined by commas, in any order, in one line. A
number is below a million. A value may hold commas ("location:Seattle, Washington"): it ends where a
comma is followed by the name of an asked attribute and a colon, or at the end of the text.

Lenient: names in any case and with spaces or hyphens for underscores; ":", "=" or " is " between
name and value; line breaks, semicolons, bullets and quotes as separators; attributes that were not
asked for are left out; a value is compared without regard to case, accents and punctuation; a
number is read out of words ("about 25 years"). The answer is readable when at least one asked
attribute is read; each of the others is missing and wrong by itself.
"""

import re
from collections.abc import Callable, Collection, Sequence

from itdr.evaluation.answers.answer import Answer
from itdr.evaluation.answers.numbers import lenient_number, plain_number
from itdr.evaluation.answers.titles import words

_WRAPPING = " \t\r\n\"'`*_{}[],;."
_OTHER_NAME = re.compile(r"[,;][ \"'*-]{0,6}[A-Za-z][A-Za-z_ ]{0,30}[\"'*]{0,4} ?[:=]")


def read_attributes(
    text: str, names: Sequence[str], numeric: Collection[str], lenient: bool
) -> Answer:
    """Return the values that the text gives to the asked attributes.

    names: the asked attributes; numeric: those of them whose value is a number.
    """
    if not text.strip():
        return Answer("empty", missing=len(names))
    pairs, talk = _pairs(text.strip(), names, lenient=False)
    strict = _read(pairs, names, numeric, plain_number)
    if not talk and "\n" not in text.strip() and not strict.missing and not strict.duplicated:
        return strict
    if not lenient:
        return Answer(
            "not every asked attribute once as name:value",
            duplicated=strict.duplicated,
            missing=strict.missing,
        )
    pairs, _ = _pairs(text.strip(), names, lenient=True)
    return _read(pairs, names, numeric, lenient_number)


def reference_attributes(
    text: str, names: Sequence[str], numeric: Collection[str]
) -> dict[str, str]:
    """Return the true values in an example's output: an attribute it lacks was not asked for."""
    pairs, talk = _pairs(text.strip(), names, lenient=False)
    return {} if talk else _read(pairs, names, numeric, plain_number).attributes


def same_value(found: str, expected: str, lenient: bool) -> bool:
    """Say whether a value is the expected one: the same text or, leniently, the same words."""
    return found == expected or (lenient and words(found) == words(expected) and words(found) != "")


def _pairs(text: str, names: Sequence[str], lenient: bool) -> tuple[list[tuple[str, str]], bool]:
    """Return (name, value) in the order of the text, and whether it begins with anything else."""
    pattern = _lenient_pattern(names) if lenient else _strict_pattern(names)
    matches = list(pattern.finditer(text))
    ends = [*(match.start() for match in matches), len(text)][1:]
    pairs = []
    for match, end in zip(matches, ends, strict=True):
        value = text[match.end() : end]
        pairs.append((_plain_name(match["name"]), _bare(value) if lenient else value.strip()))
    return pairs, not matches or matches[0].start() > 0


def _strict_pattern(names: Sequence[str]) -> re.Pattern[str]:
    choice = "|".join(re.escape(name) for name in names)
    return re.compile(rf"(?:^|,[ ]?)(?P<name>{choice}):")


def _lenient_pattern(names: Sequence[str]) -> re.Pattern[str]:
    choice = "|".join(re.escape(name).replace("_", r"[ _\-]?") for name in names)
    return re.compile(
        rf"(?<![\w])(?P<name>{choice})[\"'`*]*\s*(?:[:=]|\bis\b)",
        re.ASCII | re.IGNORECASE,
    )


def _plain_name(name: str) -> str:
    return re.sub(r"[ _-]", "", name).lower()


def _bare(value: str) -> str:
    """Return a value without quotes and without the attributes nobody asked for behind it."""
    value = value.strip().partition("\n")[0]
    other = _OTHER_NAME.search(value)
    value = value[: other.start()] if other else value
    return value.strip(_WRAPPING)


def _read(
    pairs: list[tuple[str, str]],
    names: Sequence[str],
    numeric: Collection[str],
    number: Callable[[str], float | None],
) -> Answer:
    values: dict[str, str] = {}
    duplicated = 0
    by_plain_name = {_plain_name(name): name for name in names}
    for plain, value in pairs:
        name = by_plain_name[plain]
        if name in values:
            duplicated += 1
        elif name in numeric:
            found = number(value)
            if found is not None:
                values[name] = repr(found)
        elif value:
            values[name] = value
    return Answer(
        problem=None if values else "no asked attribute",
        attributes=values,
        duplicated=duplicated,
        missing=len(names) - len(values),
    )
