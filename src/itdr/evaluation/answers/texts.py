"""Reading a text.

Asked for: the text alone. Lenient takes away what a chat model puts around it: reasoning, a first
line such as "Here is the text:", a heading or label, a code fence, bold or quotes around the whole
of it, an object that holds it, a last paragraph to the one who asked, and a run-on with further
instructions. Strict does not read a text with any of these. A refusal is no text in either.
"""

import json
import re

from itdr.evaluation.answers.cleaning import without_reasoning
from itdr.evaluation.answers.parsed import ParsedAnswer

_OPENING = re.compile(
    r"(?:(?:sure(?: thing)?|certainly|of course|absolutely|okay|ok|got it|as requested)[!.,:]\s+|"
    r"(?:here(?:'s| is| are| you (?:go|are))|below is|the answer is|(?:my )?answer in \w+)\b"
    r"(?:[^\n:.!]{0,80}\b(?:description|paragraph|text|summary|answer|profile|response)\b)?"
    r"[^\n:.!]{0,80}(?::\s+|[.!][ \t]*\n\s*))",
    re.IGNORECASE,
)
_MARKER = re.compile(r"(?:>|[-*\N{BULLET}]|1[.)])\s+(?=[^\n]*$)")
_PREFACE = re.compile(
    r"(?:(?:sure|certainly|okay|ok|of course|absolutely|great|here|below|based on|the following)\b"
    r"[^\n]{0,300}:[*_ \t]*\n|(?:sure|certainly|of course|absolutely)[^\n]{0,40}[!.][ \t]*\n|"
    r"(?:好的|当然|以下|下面)[^\n]{0,80}[:\N{FULLWIDTH COLON}][ \t]*\n)\s*",
    re.IGNORECASE,
)
_NOUN = (
    r"(?:answer|output|response|result|text|description|summary|paragraph|profile|overview|analysis|"
    r"conclusion|interests?|preferences?|audiences?|target (?:users?|groups?|audience))"
)
_LABEL = re.compile(
    rf"(?:#{{1,6}}[ \t][^\n]{{1,80}}\n|\*\*[^*\n]{{1,60}}\*\*:?[ \t]*\n|"
    rf"[*_#\s]{{0,6}}(?:(?!\b(?:is|for)\b)[\w'\N{{RIGHT SINGLE QUOTATION MARK}}]+ ){{0,4}}?{_NOUN}"
    r"[*_]{0,2}\s?[:\N{FULLWIDTH COLON}][*_]{0,2}|"
    r"(?:描述|总结|回答|答案|paragraph \d+|english|translation|tl;?dr)"
    r"[:\N{FULLWIDTH COLON}])\s*",
    re.IGNORECASE,
)
_SECOND_HEADING = re.compile(r"\n[ \t]*(?:#{1,6}[ \t][^\n]*|\*\*[^*\n]{1,60}\*\*:?[ \t]*)\n")
_RUN_ON = re.compile(
    r"\n[ \t]*(?:-{3,}\s*(?:\n|$)|(?:#{1,6}\s*|\*\*)?(?:instruction|input|question|user|"
    r"human|assistant|response|output|task|example|"
    r"explanation|sources?|reason|reasoning|rationale|justification)s?\s?(?:\d+\s?)?(?::|\n))",
    re.IGNORECASE,
)
_TO_THE_ASKER = re.compile(
    r"(?<=[.!?])\s+(?:(?:please )?let me know|feel free to|i hope (?:this|that) help|hope this|"
    r"is there anything|"
    r"do you (?:want|need) me)|</\w{1,20}>\s*$|"
    r"\n[ \t]*[*_(\[]{0,3}(?:please |(?:please )?let me know|(?:i )?hope (?:this|that|it)|"
    r"(?:please )?feel free|"
    r"if you(?:'d| would| need| want| have)|would you|do you (?:want|need)|is there anything|"
    r"thank you|thanks|note\b|disclaimer|please note|word count|\d+ words|end of|i can also|"
    r"best regards|kind regards|regards|sincerely|\[end|#+\s*$|希望|如果您|如有|请告诉|"
    r"this (?:description|summary|text|paragraph|response|answer|profile|analysis) )",
    re.IGNORECASE,
)
_REFUSAL = re.compile(
    r"(?:(?:i'?m |i am |we are )?(?:very |so )?sorry(?:,| but|, but) "
    r"(?:i|we|there|the|this|that)\b|"
    r"(?:i'm|i am|we're|we are) (?:very |so )?sorry\b|i regret\b|error:|(?:user|human)\s?:|"
    r"(?:it (?:seems|appears) (?:that )?)?(?:the|this|your|a) "
    r"(?:description|paragraph|text|summary|request|input|data|reviews?)\b"
    r"[^\n.]{0,60}\b(?:cannot|can't|could not|(?:is|are) (?:not|empty|missing|insufficient))\b|"
    r"(?:it (?:seems|appears) (?:that )?)?(?:there (?:are|is|were|was) )(?:no|not enough) "
    r"(?:reviews?|data|information|input|text|description)\b|"
    r"i (?:do )?apologi[sz]e\b|(?:my )?apologies\b|"
    r"(?:i|we)(?:'m| am| are)? (?:can't|cannot|can not|unable|not able|don't have|do not have|"
    r"won't be able|need more)\b|"
    r"as an? (?:ai|artificial|(?:large )?language model)\b|unfortunately, (?:i|we|there)\b|"
    r"(?:there is|there's|there isn't) (?:not |no |in)?(?:enough|sufficient|information)|"
    r"(?:[^\n]{0,200}[.!?]\s+)?(?:please|could you|can you|kindly)(?: please)? "
    r"(?:provide|share|give|clarify|send|paste|supply)\b|"
    r"it is (?:not possible|impossible) to\b|(?:the )?(?:insufficient|not enough) \w+|"
    r"no (?:description|information|data|input|text) (?:is|was|were|can)\b|"
    r"i must decline|sorry\W*$|(?:n/a|none|null|unknown|i (?:don't|do not) know|no answer)\W*$|"
    r"抱歉|对不起|很抱歉|我无法|lo siento|je suis désolé|je ne peux pas|es tut mir leid|"
    r"leider kann ich)",
    re.IGNORECASE,
)
_WRAPS = (
    ('"', '"'),
    ("'", "'"),
    ("`", "`"),
    ("*", "*"),
    ("_", "_"),
    ("(", ")"),
    ("[", "]"),
    ("\N{LEFT DOUBLE QUOTATION MARK}", "\N{RIGHT DOUBLE QUOTATION MARK}"),
)


def read_text(text: str, lenient: bool) -> ParsedAnswer:
    """Return the text that the answer gives."""
    text = text.strip()
    alone = _alone(without_reasoning(text))
    if not re.search(r"\w", alone):
        return ParsedAnswer("empty" if not text else "no text")
    if _REFUSAL.match(alone.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")):
        return ParsedAnswer("a refusal")
    if alone != text and not lenient:
        return ParsedAnswer("not a text alone")
    return ParsedAnswer(text=alone)


def _alone(text: str) -> str:
    """Return a text without what stands before, behind and around it."""
    text = _unwrapped(text)
    for behind in (_RUN_ON, _TO_THE_ASKER):
        text = behind.split(text, maxsplit=1)[0].strip()
    if len(set(lines := text.split("\n"))) == 1 < len(lines):
        text = lines[0]
    for before in (
        () if _SECOND_HEADING.search(text) else (_OPENING, _PREFACE, _OPENING, _LABEL, _MARKER)
    ):
        found = before.match(text)
        text = text[found.end() :] if found else text
    return _unwrapped(text.strip())


def _unwrapped(text: str) -> str:
    """Return a text without bold, quotes or an object around the whole of it."""
    if text.startswith("{"):
        try:
            values = list(json.loads(text).values())
        except (ValueError, RecursionError):
            values = []
        if values:
            text = values[0] if len(values) == 1 and isinstance(values[0], str) else ""
    if text.startswith("**") and text.endswith("**") and text.count("**") == 2:
        text = text[2:-2].strip()
    for opening, closing in _WRAPS:
        inner = text[1:-1]
        if text[:1] == opening and text[-1:] == closing and not {opening, closing} & set(inner):
            return inner.strip()
    return text
