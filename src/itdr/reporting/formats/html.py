"""Printed tables as HTML."""

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
    """Return the table with what it says before it and its footnotes under it."""
    lines = [f'<p class="said">{escape(sheet.said)}</p>'] if sheet.said else []
    lines += [f'<div class="wide"><table id="{escape(sheet.name)}">', "<thead><tr>"]
    for i, (group, name) in enumerate(sheet.columns):
        over = f'<span class="group">{escape(group)}</span> ' if group else ""
        kind = ' class="word"' if i < sheet.words else ""
        lines.append(f'<th scope="col"{kind}>{over}{escape(name)}</th>')
    lines += ["</tr></thead>", "<tbody>"]
    for i, row in enumerate(sheet.rows):
        rule = ' class="rule"' if i in sheet.breaks else ""
        cells = (_cell(text, word=place < sheet.words) for place, text in enumerate(row))
        lines.append(f"<tr{rule}>{''.join(cells)}</tr>")
    notes = [f"<p>{escape(note)}</p>" for note in sheet.notes]
    return "\n".join(
        [*lines, "</tbody></table></div>", '<div class="notes">', *notes, "</div>", ""]
    )


def html_file(sheet: Sheet, style: str) -> str:
    """Return the table as a document of its own; style: the CSS to put into it."""
    return _ALONE.format(title=escape(sheet.title), style=style, table=html(sheet))


def _cell(text: TableCell, *, word: bool) -> str:
    attributes = ' class="word"' if word else ""
    if text.sort is not None:
        attributes += f' data-sort="{text.sort!r}"'
    if text.hint:
        attributes += f' title="{escape(text.hint)}"'
    main = escape(text.main)
    main = (f"<b>{main}</b>" if text.bold else main) + escape(text.marks)
    details = "".join(f"<small>{escape(detail)}</small>" for detail in text.details)
    return f"<td{attributes}>{main}{details}</td>"
