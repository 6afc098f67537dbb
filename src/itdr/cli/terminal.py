"""What is printed: text alone, whatever it was made of."""

import logging


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


class PrintableFormatter(logging.Formatter):
    """Lines of a log as printable gives them."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        return printable(super().format(record))
