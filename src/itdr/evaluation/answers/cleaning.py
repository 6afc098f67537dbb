"""What a chat model puts around its answer, taken away before a lenient reading.

Reasoning between tags (all of it where the closing tag was cut off), tokens of chat templates and
what a run-on puts behind them, tags and fences around the answer, and drafts before a "final
answer". All patterns are bounded, so that the time grows with the length of the text.
"""

import re

_REASONING_ENDS = re.compile(
    r"</(?:think|thinking|thought|reasoning|reflection)>|\[/THINK\]|"
    r"<\|channel\|>final(?:<\|message\|>)?",
    re.IGNORECASE,
)
_REASONING_BEGINS = re.compile(
    r"<(?:think|thinking|thought|reasoning|reflection)>|\[THINK\]|<\|channel\|>", re.IGNORECASE
)
_TURN = re.compile(
    r"<\|(?:endoftext|im_start|im_end|eot_id|end|start|user|assistant|eom_id)\|>|"
    r"</?s>|<(?:start|end)_of_turn>|<eos>|\[/?INST\]",
    re.IGNORECASE,
)
_ROLE = re.compile(r"\s*(?:assistant|model|bot|AI)\s*[:\n]", re.IGNORECASE)
_MARKUP = re.compile(r"(?P<item><li>)|</?(?:ol|ul|li|p|br|b|i|strong|em)\s?/?>", re.IGNORECASE)
_TAGGED = re.compile(
    r"<(answer|final_answer|final|output|response|result)>([^<]*)</\1>", re.IGNORECASE
)
_TAG = re.compile(r"<(\w{1,40})>([^<>]{0,300})</\1>")
_BOXED = re.compile(r"\$?\\boxed\{([^{}]*)\}\$?")
_FENCE = re.compile(r"^[^\S\n]*```\w*[^\S\n]*(?:\n|$)|```[^\S\n]*$", re.MULTILINE)
_FINAL = re.compile(
    r"\bfinal\s+(?:answer|ranking|rating|score|prediction|list|order|choice|verdict|result)\b"
    r"[*_\s]*(?:(?:is|would be|will be)\b|[:=\N{FULLWIDTH COLON}])",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"^[^\w\n]{0,9}(?:my |the )?(?:answer|(?:final )?ranking|ranked list|output|response|result)"
    r"[*_\s]*[:\N{FULLWIDTH COLON}]",
    re.IGNORECASE | re.MULTILINE,
)


def without_reasoning(text: str) -> str:
    """Return the answer alone; empty where only reasoning was given."""
    if "<" in text or "[" in text:  # most texts hold no tags, which are slow to look for
        text = _REASONING_ENDS.split(text)[-1]
        text = _REASONING_BEGINS.split(text, maxsplit=1)[0]
        text = next((turn for turn in _TURN.split(text) if turn.strip()), "")
        text = _MARKUP.sub(lambda tag: "\n- " if tag["item"] else "", text)
    role = _ROLE.match(text)
    text = text[role.end() :] if role else text
    text = _FENCE.sub("", text) if "```" in text else text
    text = (_TAGGED.findall(text) or [("", text)])[-1][1]
    return _BOXED.sub(r"\1", text).strip()


def tags_as_labels(text: str) -> str:
    """Return a text with "<age>25</age>" as "age: 25"."""
    return _TAG.sub(r"\1: \2\n", text)


def final_answer(text: str) -> str:
    """Return what stands behind the last "final answer:", or the whole text."""
    return _after_last(_FINAL, text)


def labelled_answer(text: str) -> str:
    """Return what stands behind the last "final answer:" or line "Answer:", or the whole text."""
    return _after_last(_LABEL, final_answer(text))


def _after_last(pattern: re.Pattern[str], text: str) -> str:
    *_, end = [0, *(match.end() for match in pattern.finditer(text))]
    rest = text[end:].lstrip(" \t*_").strip()
    return rest if end and re.search(r"\w", rest) else text
