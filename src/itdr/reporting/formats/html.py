"""Printed tables as HTML."""

from collections.abc import Sequence
from html import escape

from itdr.reporting.sheet import Sheet, TableCell

_ALONE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}</style>
<main>
<h1>{title}</h1>
{table}</main>
</html>
"""


def html(sheet: Sheet) -> str:
    """Return the table with what it says before it and its footnotes under it.

    Its labels and heads stay in sight. Where there is little room, the last label stands for all.
    """
    lines = [f'<p class="said">{escape(sheet.said)}</p>'] if sheet.said else []
    kind = f' class="labels labels-{sheet.labels}"' if sheet.labels else ""
    lines += [f'<div class="wide"><table id="table-{escape(sheet.name)}"{kind}>', "<thead><tr>"]
    for i, (group, name) in enumerate(sheet.columns):
        over = f'<span class="group">{escape(group)}</span> ' if group else ""
        kind = ' class="word"' if i < sheet.words else ""
        lines.append(f'<th scope="col"{kind}>{over}{escape(name)}</th>')
    lines += ["</tr></thead>", "<tbody>"]
    for i, row in enumerate(sheet.rows):
        rule = ' class="rule"' if i in sheet.breaks else ""
        cells = (_cell(text, row[:place], sheet) for place, text in enumerate(row))
        lines.append(f"<tr{rule}>{''.join(cells)}</tr>")
    notes = [f"<p>{escape(note)}</p>" for note in sheet.notes]
    return "\n".join(
        [*lines, "</tbody></table></div>", '<div class="notes">', *notes, "</div>", ""]
    )


def html_file(sheet: Sheet, style: str) -> str:
    """Return the table as a document of its own; style: the CSS to put into it."""
    return _ALONE.format(title=escape(sheet.title), style=style, table=html(sheet))


def _cell(text: TableCell, before: Sequence[TableCell], sheet: Sheet) -> str:
    """Return a cell; before: the cells to its left."""
    label = len(before) < sheet.labels
    attributes = ' scope="row"' if label else ""
    attributes += ' class="word"' if len(before) < sheet.words else ""
    if len(before) == sheet.labels - 1:
        attributes += f' data-of="{escape(" ".join(other.main for other in before))}"'
    if text.sort is not None:
        attributes += f' data-sort="{text.sort!r}"'
    if text.hint:
        attributes += f' title="{escape(text.hint)}"'
    main = escape(text.main)
    main = (f"<b>{main}</b>" if text.bold else main) + escape(text.marks)
    details = [text.long] if text.long not in ("", text.main) else []
    small = "".join(f"<small>{escape(detail)}</small>" for detail in (*details, *text.details))
    tag = "th" if label else "td"
    return f"<{tag}{attributes}>{main}{small}</{tag}>"
