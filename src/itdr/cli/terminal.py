"""What is printed: text alone, whatever it was made of."""

import logging
import os
from typing import TextIO


def printable(text: str) -> str:
    """Return a text whose control characters are written out, but for line feeds and tabs.

    Names of files and answers of servers may hold codes that clear a screen or turn text around.
    """
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable() or character in "\n\t"
        else character.encode("unicode_escape").decode()
        for character in text
    )


def has_colours(stream: TextIO) -> bool:
    """Say whether colours are welcome: on a terminal, unless NO_COLOR or TERM=dumb says no."""
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return wanted and stream.isatty()


def red(text: str) -> str:
    """Return a text in red."""
    return f"\x1b[31m{text}\x1b[0m"


class LogFormatter(logging.Formatter):
    """Lines of a log as printable gives them: time, "warning:" where it is one, and the message."""

    def __init__(self, colours: bool) -> None:
        super().__init__("%(asctime)s %(message)s", "%H:%M:%S")
        self._colours = colours

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        line = printable(super().format(record))
        if record.levelno < logging.WARNING:
            return line
        time, _, message = line.partition(" ")
        line = f"{time} warning: {message}"
        return f"\x1b[33m{line}\x1b[0m" if self._colours else line
