"""Texts from outside, such as titles and ids, in files that other programs interpret."""

import re

_NUMBER = re.compile(r"[-+]?(\d[\d_,]*\.?\d*|\.\d+)([eE][-+]?\d+)?%?")


def in_markdown(text: str) -> str:
    """Return a text as Markdown shows it in one line: no table, tag, link or emphasis of its own.

    For the cells of tables and for sentences; not for what stands in backticks.
    """
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace("\\", "\\\\")
    escaped = re.sub(r"([|*`])", r"\\\1", escaped).replace("](", "]\\(")
    return " ".join(escaped.split())


def in_csv(text: str) -> str:
    """Return a text that a spreadsheet takes for a text: one that begins as a formula is quoted.

    A carriage return, which Python's csv leaves as it is, would begin a new row.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text[:1] in ("=", "+", "-", "@", "\t", "\n") and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text
