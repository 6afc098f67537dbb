"""Reading a rating.

Asked for: the number alone, within the dataset's scale, with any number of decimals.

Lenient, on the text without reasoning and drafts, and without numbers that only repeat the scale,
compare, deny or average, count something or belong to a title:
1. the first line, where it is a number alone (what follows is an explanation or a run-on), and
   stars that are drawn;
2. the number behind words of prediction ("I predict", "would be"), else behind "rating" or "score",
   to the end of the clause;
3. the only number of the text that lies within the scale, where it begins the text and what
   follows explains it, ends a line behind a label, or stands among `harmless` words alone.
Several different numbers where one is looked for are unreadable: a reader could not tell which is
meant. So is a number of another scale ("7/10" where the scale ends at 5).
"""

import re
from itertools import pairwise

from itdr.evaluation.answers.cleaning import final_answer, tags_as_labels, without_reasoning
from itdr.evaluation.answers.harmless import harmless
from itdr.evaluation.answers.numbers import (
    NUMBER,
    VALUE,
    plain_number,
    values_in,
    with_digits,
    without_unstated,
)
from itdr.evaluation.answers.parsed import ParsedAnswer
from itdr.evaluation.answers.scales import AnotherScaleError, without_scale
from itdr.evaluation.answers.titles import words

_DRAWN = re.compile(r"[^\w\u2605\u2b50]*+([\u2605\u2b50]++)(\xbd?)[^\w\u2605\u2b50]*+")
_STARS = re.compile(r"[\u2605\u2b50\u2606\ufe0f]|(?<=\d)[\s-]*stars?\b", re.IGNORECASE)
_ALONE = re.compile(rf"\W*?({VALUE})\W*", re.ASCII)
_QUOTED = re.compile(r'"([^"\n]{0,300})"(:?)')
_SENTENCE = re.compile(r"(?<=[.!?])\s|\n")
_CLAUSE_ENDS = re.compile(
    r"\b(?:because|since|as|given|although|though|but|considering|despite|while|due|compared)\b",
    re.IGNORECASE,
)
_PREDICTS = re.compile(
    r"\b(?:predict\w*|forecast\w*|guess\w*|estimat\w*|answer|choose|more like|"
    r"(?:would|will|might|could|should|['\N{RIGHT SINGLE QUOTATION MARK}](?:d|ll))\s+"
    r"(?:\w+\s+){0,2}?(?:be|give|say|rate|rated|choose|pick|go|assign|get|deserve))\b|预测|予測",
    re.IGNORECASE,
)
_RATES = re.compile(r"\b(?:rat(?:e|es|ed|ing|ings)|scores?|gives?|deserves?|bewertung)\b", re.I)
_LONGEST_CLAUSE = 80
_LONGEST_SENTENCE = 300
_EXPLAINED = re.compile(
    rf"[^\w.]{{0,9}}{VALUE}[ ]?(?:[,;(\N{{EN DASH}}\N{{EM DASH}}]|[.](?=\s)|-\s|"
    r"\b(?:because|since|as|given|considering|explanation|reason)\b)(?!\s*(?:is|would|or|maybe)\b)",
    re.ASCII | re.IGNORECASE,
)
_LABELLED = re.compile(
    rf"([^:\n]*\w[^\n]*?)\s*(?:[:=|]|[-=]>|\s-)\s*{VALUE}[\s.!|}})\]]*", re.ASCII
)
_OTHER_LABEL = re.compile(
    r"\b(?:not|no|max|min|maximum|minimum|step|week|year|day|rank|position|place|number|id|history|"
    r"previous\w*|confidence|age|count|total|highest|lowest|weight)\b",
    re.IGNORECASE,
)
_DOUBTED = re.compile(
    r"\b(?:doubt\w*|surpris\w*|hardly|anything\s+but|unless|if|otherwise|too\s+(?:high|low|generous|"
    r"much|harsh)|as\s+(?:high|low|much|little)\s+as|almost|nearly)\b|\d\s*<|<\s*\w+\s*<",
    re.IGNORECASE,
)

_AVERAGED = re.compile(
    r"\b(?:average|mean|median|avg|IMDb|MAL|Metacritic|critics?|community|likelihood|probability|confidence|similarity)\b"
    rf"[^\n\d,;.]{{0,40}}?{VALUE}|{VALUE}\s+on\s+average\b|平均\D{{0,20}}{VALUE}",
    re.ASCII | re.IGNORECASE,
)
_GIVEN_BEFORE = re.compile(
    r"\b(?:users?|they|he|she|who|has|(?<!would )(?<!might )(?<!could )have|had|previously|"
    r"already)\s+"
    r"(?:\w+\s+){0,2}?(?:rated|gave|given|scored|awarded|"
    r"(?:tends?\s+to|usually|often|typically|generally|always|normally|mostly)\s+(?:rat|giv|scor)\w+)\b"
    r"(?:(?!\b(?:i|so|therefore|thus|hence|but|predict\w*|would|rating)\b)(?:[^.;!?\n]|\.(?=\w)))*",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    rf"{VALUE}[ ]+(?:of\s+(?:the|these|those|his|her|their|its)\b|"
    r"(?:other|similar|previous|more)\s+\w+|"
    r"(?:films?|movies?|ratings|items?|users?|reviews?|times|people|episodes?|seasons?|genres?|"
    r"years?|hours?|minutes?|shows?|books?|thumbs)\b)|"
    rf"\b(?:top|season|part|episode|volume|chapter|step|user|item|option|candidate)\s+{VALUE}",
    re.ASCII | re.IGNORECASE,
)
_YEAR = re.compile(r"\((?:18|19|20)\d\d\)", re.ASCII)
_BEFORE_A_NAME = re.compile(
    rf"{VALUE}(?=[ ]+(?!(?:Stars?|Out|Of|The|This|That|Because|Since|Based|Explanation|Reason|Note|"
    r"User|Given|Points?|And|Or|But|So|Sterne|Punkte)\b)[A-Z][a-z])",
    re.ASCII,
)
_BEHIND_A_NAME = re.compile(
    r"\b(?!(?:rat\w+|scores?|predict\w*|answer|output|response|final|stars?|a|an|the|i|so|maybe|only|"
    r"probably|perhaps|likely|about|around|roughly|approximately|exactly|between|either|than|to|or|"
    r"and|give|gives|say|note|still|hence|thus|therefore|then|definitely|solid)\b)(?-i:[A-Z])"
    r"[\w;'\N{RIGHT SINGLE QUOTATION MARK}]{0,40}[ ]+\d+(?![.,]?\w)",
    re.ASCII | re.IGNORECASE,
)


def read_rating(text: str, scale: tuple[float, float], lenient: bool) -> ParsedAnswer:
    """Return the rating that the text gives."""
    text = text.strip()
    if not text:
        return ParsedAnswer("empty")
    value = plain_number(text)
    if value is not None:
        return _in_scale({value}, scale)
    if not lenient:
        return ParsedAnswer("not a number alone")
    text = tags_as_labels(final_answer(without_reasoning(text)))
    drawn = _DRAWN.fullmatch(text.replace("\ufe0f", ""))
    if drawn:
        return _in_scale({len(drawn[1]) + len(drawn[2]) / 2}, scale)
    try:
        text, another_scale = without_scale(with_digits(text), scale[1])
    except AnotherScaleError:
        return ParsedAnswer("another scale")
    before = _GIVEN_BEFORE.search(text) is not None or len(_YEAR.findall(text)) > 1
    return _find(_without_others(_STARS.sub(" ", text)), scale, another_scale, before)


def _without_others(text: str) -> str:
    """Return the text without the numbers that are no ratings."""
    text = re.sub("[\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}]", '"', text)
    text = _QUOTED.sub(lambda found: " " if _is_title(found) else found[0], without_unstated(text))
    for pattern in (_GIVEN_BEFORE, _AVERAGED, _YEAR, _COUNTED, _BEFORE_A_NAME, _BEHIND_A_NAME):
        text = pattern.sub(" ", text)
    return re.sub(r"[*_`\"$]|(?<!\w)'|'(?!\w)", " ", text)


def _is_title(quoted: re.Match[str]) -> bool:
    return not quoted[2] and any(char.isupper() for char in quoted[1])


def _find(text: str, scale: tuple[float, float], another_scale: bool, before: bool) -> ParsedAnswer:
    lines = text.strip().split("\n")
    if _ALONE.fullmatch(lines[0]):
        alone = filter(None, map(_ALONE.fullmatch, lines))
        return _in_scale({value for match in alone for value in values_in(match[1])}, scale)
    if _DOUBTED.search(text):
        return ParsedAnswer("doubts the number")
    for cue in (_PREDICTS, _RATES):
        values = _behind(cue, text)
        if values:
            return _in_scale(values, scale)
    if another_scale:
        return ParsedAnswer("another scale")
    values = set() if before else set(values_in(text))
    inside = {value for value in values if scale[0] <= value <= scale[1]}
    if len(inside) == 1 and not _stated(text, inside.pop()):
        return ParsedAnswer("no number that is clearly the rating")
    return _in_scale({value for value in values if scale[0] <= value <= scale[1]} or values, scale)


def _stated(text: str, value: float) -> bool:
    """Say whether a text gives a number as its answer."""
    if _EXPLAINED.match(text):
        return True
    for sentence in _SENTENCE.split(text):
        if len(sentence) < _LONGEST_SENTENCE and value in values_in(sentence):
            label = _LABELLED.fullmatch(sentence.strip())
            if label:
                return not _OTHER_LABEL.search(label[1])
            return harmless(words(NUMBER.sub(" ", sentence)))
    return False


def _behind(cue: re.Pattern[str], text: str) -> set[float]:
    """Return the numbers behind the cues of each sentence, up to the next cue or clause."""
    found: set[float] = set()
    for sentence in _SENTENCE.split(text):
        cues = [match.end() for match in cue.finditer(sentence)]
        for start, end in pairwise([*cues, len(sentence)]):
            rest = sentence[start : min(end, start + _LONGEST_CLAUSE)]
            found.update(values_in(_CLAUSE_ENDS.split(rest, maxsplit=1)[0]))
    return found


def _in_scale(values: set[float], scale: tuple[float, float]) -> ParsedAnswer:
    if not values:
        return ParsedAnswer("no number")
    if not any(scale[0] <= value <= scale[1] for value in values):
        return ParsedAnswer("out of scale")
    return (
        ParsedAnswer(number=values.pop()) if len(values) == 1 else ParsedAnswer("several numbers")
    )
