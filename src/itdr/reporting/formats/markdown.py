"""Printed tables as Markdown."""

from collections.abc import Sequence

from itdr.reporting.sheet import Sheet, Text


def markdown(sheet: Sheet) -> str:
    """Return a table with its title and footnotes."""
    heads = [f"{group} {name}".strip() for group, name in sheet.columns]
    rules = ["---" if i < sheet.words else "---:" for i in range(len(heads))]
    lines = [_line(heads), _line(rules), *(_line([_cell(text) for text in row])
             for row in sheet.rows)]  # fmt: skip
    said = [_escaped(sheet.said)] if sheet.said else []
    notes = map(_escaped, sheet.notes)
    return "\n\n".join([f"# {sheet.title}", *said, "\n".join(lines), *notes]) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cell(text: Text) -> str:
    main = _escaped(text.main)
    main = (f"**{main}**" if text.bold else main) + text.marks
    if not text.details:
        return main
    return _escaped(", ".join(text.details)).join([f"{main} ", ""])


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*")
