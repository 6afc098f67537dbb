"""Reading attributes, "age_group:25-34, gender:F".

Asked for: every asked attribute once as name:value, joined by commas, in any order, in one line. A
value may hold commas ("location:Seattle, Washington"): it ends where a comma is followed by the
name of an asked attribute and a colon, or at the end of the text.

Lenient: what stands behind "final answer:", and of several lines the first that gives all asked
attributes; names in any case and with spaces or hyphens for underscores; ":", "=", "|" or " is "
between name and value; line breaks, semicolons, bullets, tags and quotes as separators; attributes
that were not asked for are left out; a number is read out of words ("about 25 years",
"twenty-seven"); an attribute that gets two different values has none. The answer is readable when
at least one asked attribute is read; each of the others is missing and wrong by itself.

In both a value that says nothing ("unknown", "M/F", "not Germany") and a number out of the range
that the dataset's settings give are not read.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence

from itdr.evaluation.answers.aliases import same_value, says_little, says_nothing, without_doubt
from itdr.evaluation.answers.cleaning import labelled_answer, tags_as_labels, without_reasoning
from itdr.evaluation.answers.numbers import only_number, plain_number
from itdr.evaluation.answers.parsed import ParsedAnswer

Ranges = Mapping[str, tuple[float, float]]

_WRAPPING = " \t\r\n\"'`*_{}[](),;.|/&"
_OTHER_NAME = re.compile(
    r"[,;][ \"'*-]{0,6}[A-Za-z][A-Za-z_ ]{0,30}[\"'*]{0,4} ?[:=]|"
    r"\s[\"'*-]{0,3}[A-Za-z_]+[\"'*]{0,4}[:=]"
)
_LEFT_BEHIND = ";\"'`*|"
_TALKS = re.compile(
    r"\b(?:the (?:user|reader|listener|viewer)|lives?|think|seems?|might|could|somewhere|appears?|"
    r"speaking|possibly|cannot)\b|%[^%]*%|->|[\u2192\\<>]",
    re.IGNORECASE,
)
_EXPLANATION = re.compile(
    r"\s(?:explanation|reason|reasoning|note|rationale|justification|confidence)\s?:", re.IGNORECASE
)
_NEXT_SENTENCE = re.compile(r"(?<!\b[Ss]t)[.!?]\s+(?=[A-Z][\w']*\s+[a-z])")
_REASON = re.compile(
    r"(?<!\d)\s[-\N{EN DASH}\N{EM DASH}]\s(?!\d)|[,;]?\s(?:because|since|as|based on|due to|"
    r"given|judging|considering|inferred|with|where|who|which|for sure|"
    r"and (?:likes|is|has|enjoys|loves))\b|\s\((?=(?:[^\s()]+\s+)+[^()]*\)?$)",
    re.IGNORECASE,
)
_PLACE = re.compile("location|country|city|state|gender|sex", re.IGNORECASE)
_JOINED = re.compile(
    r"[,;]?\s+and(?:\s+(?:is|of|the|their|his|her|a|an|aged|user(?:'s)?|with|has))*$", re.IGNORECASE
)
_CUT_NAME = re.compile(r",\s?([A-Za-z][A-Za-z_ ]{0,30})$")


def read_attributes(text: str, names: Sequence[str], ranges: Ranges, lenient: bool) -> ParsedAnswer:
    """Return the values that the text gives to the asked attributes.

    names: the asked attributes; ranges: lowest and highest value of those that are numbers.
    """
    text = text.strip()
    if not text:
        return ParsedAnswer("empty", missing=len(names))
    pairs, talk = _pairs(text, _strict_pattern(names))
    talk = (
        talk
        or "\n" in text
        or any(behind.search(text) for behind in (_EXPLANATION, _NEXT_SENTENCE))
    )
    formless = talk or text != without_reasoning(text) or not _each_once(pairs, names, ranges)
    if formless and not lenient:
        return ParsedAnswer(
            "not every asked attribute once as name:value",
            duplicated=len(pairs) - len({name for name, _ in pairs}),
            missing=len(set(names) - {name for name, _ in pairs}),
        )
    if formless:
        pairs = _lenient_pairs(text, names)
    return _read(pairs, names, ranges, formless)


def reference_attributes(
    text: str, names: Sequence[str], numeric: Collection[str]
) -> dict[str, str]:
    """Return the true values in an example's output: an attribute it lacks was not asked for."""
    pairs, talk = _pairs(text.strip(), _strict_pattern(names))
    if talk:
        return {}
    values = dict(reversed(pairs))
    return {
        name: repr(float(value)) if name in numeric else value
        for name in names
        if (value := values.get(name)) and (name not in numeric or plain_number(value) is not None)
    }


def _each_once(pairs: list[tuple[str, str]], names: Sequence[str], ranges: Ranges) -> bool:
    return sorted(name for name, _ in pairs) == sorted(names) and all(
        plain_number(value) is not None
        if name in ranges
        else value and not {":", ";"} & set(value) and value[-1] not in _LEFT_BEHIND
        for name, value in pairs
    )


def _lenient_pairs(text: str, names: Sequence[str]) -> list[tuple[str, str]]:
    text = tags_as_labels(labelled_answer(without_reasoning(text)))
    text = unicodedata.normalize("NFKC", text)
    pattern, listed = _lenient_pattern(names)
    text = listed.sub(" ", text)
    for line in text.split("\n"):
        pairs, _ = _pairs(line, pattern)
        if len({name for name, value in pairs if _bare(value, names)}) == len(names):
            break
    else:
        pairs, _ = _pairs(text, pattern)
    by_plain_name = {_plain_name(name): name for name in names}
    return [(by_plain_name[_plain_name(name)], _bare(value, names)) for name, value in pairs]


def _pairs(text: str, pattern: re.Pattern[str]) -> tuple[list[tuple[str, str]], bool]:
    """Return (name, value) in the order of the text, and whether it begins with anything else."""
    matches = list(pattern.finditer(text))
    ends = [*(match.start() for match in matches), len(text)][1:]
    pairs = [
        (match["name"], text[match.end() : end].strip())
        for match, end in zip(matches, ends, strict=True)
    ]
    return pairs, not matches or matches[0].start() > 0


def _strict_pattern(names: Sequence[str]) -> re.Pattern[str]:
    choice = "|".join(re.escape(name) for name in names)
    return re.compile(rf"(?:^|,[ ]?)(?P<name>{choice}):")


def _lenient_pattern(names: Sequence[str]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the pattern of a name before its value, and that of several names in a row."""
    choice = "|".join(re.escape(name).replace("_", r"[ _\-]?") for name in names)
    flags = re.ASCII | re.IGNORECASE
    value_behind = r"[\"'`*]*\s*(?:[:=|\u2192]|->|\bis\b|-\s)"
    return (
        re.compile(rf"(?<!\w)(?P<name>{choice}){value_behind}", flags),
        re.compile(rf"(?<!\w)(?:(?:{choice})(?:,\s?(?:and\s)?|\sand\s))+(?:{choice})\s?:", flags),
    )


def _plain_name(name: str) -> str:
    return re.sub(r"[ _-]", "", name).lower()


def _bare(value: str, names: Sequence[str]) -> str:
    """Return a value without quotes, doubt, and what stands behind it."""
    value = _JOINED.sub("", value.strip().partition("\n")[0])
    value = value.partition(";")[0]
    for behind in (_EXPLANATION, _OTHER_NAME, _NEXT_SENTENCE, _REASON):
        value = behind.split(value, maxsplit=1)[0]
    cut = _CUT_NAME.search(value)
    if cut and any(_plain_name(name).startswith(_plain_name(cut[1])) for name in names):
        value = value[: cut.start()]
    brackets = value.strip(_WRAPPING.replace("(", "").replace(")", ""))
    value = brackets if brackets.endswith(")") and "(" in brackets else value.strip(_WRAPPING)
    return without_doubt(value)


def _read(
    pairs: list[tuple[str, str]], names: Sequence[str], ranges: Ranges, formless: bool
) -> ParsedAnswer:
    values: dict[str, str] = {}
    problems = []
    contradicted = set()
    duplicated = 0
    for name, value in pairs:
        found, problem = _value(name, value, ranges, formless)
        if problem:
            problems.append(problem)
        elif name not in values:
            values[name] = found
        else:
            duplicated += 1
            if not same_value(found, values[name], lenient=True):
                contradicted.add(name)
    values = {name: value for name, value in values.items() if name not in contradicted}
    problem = "contradiction" if contradicted else next(iter(problems), "no asked attribute")
    return ParsedAnswer(
        problem=None if values else problem,
        attributes=values,
        duplicated=duplicated,
        missing=len(names) - len(values),
    )


def _value(name: str, value: str, ranges: Ranges, formless: bool) -> tuple[str, str | None]:
    """Return a value as it is scored, and why it is none."""
    talks = (
        _TALKS.search(value) or {'"', ":"} & set(value) or (" or " in value and _PLACE.search(name))
    )
    if says_nothing(value, name) or (formless and (talks or says_little(value, name))):
        return value, "no number" if name in ranges else "no clear value"
    if name in ranges:
        number, problem = only_number(value, *ranges[name])
        return repr(number), problem
    return value, None
