"""Printed tables as Markdown."""

from collections.abc import Sequence

from itdr.rendering.plain import in_markdown
from itdr.reporting.sheet import Sheet, TableCell


def markdown(sheet: Sheet) -> str:
    """Return a table with its title and footnotes."""
    heads = [f"{group} {name}".strip() for group, name in sheet.columns]
    rules = ["---" if i < sheet.words else "---:" for i in range(len(heads))]
    lines = [_line([in_markdown(head) for head in heads]), _line(rules)]
    lines += [_line([_cell(text) for text in row]) for row in sheet.rows]
    said = [in_markdown(sheet.said)] if sheet.said else []
    notes = map(in_markdown, sheet.notes)
    return "\n\n".join([f"# {in_markdown(sheet.title)}", *said, "\n".join(lines), *notes]) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cell(text: TableCell) -> str:
    main = in_markdown(text.main)
    main = (f"**{main}**" if text.bold else main) + text.marks
    if not text.details:
        return main
    return in_markdown(", ".join(text.details)).join([f"{main} ", ""])
