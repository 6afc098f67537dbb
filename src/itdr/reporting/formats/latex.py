"""Printed tables as LaTeX, for the packages booktabs and longtable."""

import re
from itertools import groupby

from itdr.reporting.sheet import Sheet, TableCell

_SIGNS = {"&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_", "$": r"\$", "{": r"\{", "}": r"\}",
          "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}",
          "↑": r"$\uparrow$", "↓": r"$\downarrow$", "†": r"\dag{}", "‡": r"\ddag{}", "§": r"\S{}",
          }  # fmt: skip


def latex(sheet: Sheet) -> str:
    r"""Return a longtable to \input; it needs \usepackage{booktabs,longtable}.

    A cell with details is a stack of lines, its value on top.
    """
    width = len(sheet.columns)
    form = "l" * sheet.words + "r" * (width - sheet.words)
    body = []
    for i, row in enumerate(sheet.rows):
        body += [r"\midrule"] if i in sheet.breaks else []
        body.append(" & ".join(_cell(text) for text in row) + r" \\")
    notes = [rf"\multicolumn{{{width}}}{{p{{0.9\linewidth}}}}{{\footnotesize {_escaped(note)}}} \\"
             for note in sheet.notes]  # fmt: skip
    head = [*_groups(sheet), " & ".join(_escaped(name) for _, name in sheet.columns) + r" \\"]
    lines = [
        *([_escaped(sheet.said), ""] if sheet.said else []),
        r"% needs \usepackage{booktabs,longtable}",
        rf"\begin{{longtable}}{{@{{}}{form}@{{}}}}",
        rf"\caption{{{_escaped(sheet.title)}}}\label{{tab:{sheet.name}}} \\",
        r"\toprule", *head, r"\midrule", r"\endfirsthead",
        r"\toprule", *head, r"\midrule", r"\endhead",
        r"\bottomrule", r"\endfoot",
        r"\bottomrule", *notes, r"\endlastfoot",
        *body,
        r"\end{longtable}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _groups(sheet: Sheet) -> list[str]:
    """Return the line of headings over several columns and the rules under them."""
    if not any(group for group, _ in sheet.columns):
        return []
    cells, rules, place = [], [], 1
    for group, members in groupby(sheet.columns, key=lambda column: column[0]):
        many = len(list(members))
        cells.append(rf"\multicolumn{{{many}}}{{c}}{{{_escaped(group)}}}" if group else
                     " & ".join([""] * many))  # fmt: skip
        if group:
            rules.append(rf"\cmidrule(lr){{{place}-{place + many - 1}}}")
        place += many
    return [" & ".join(cells) + r" \\", " ".join(rules)]


def _cell(text: TableCell) -> str:
    main = _escaped(text.main)
    main = (rf"\textbf{{{main}}}" if text.bold else main) + _escaped(text.marks)
    if not text.details:
        return main
    lines = [main, *(rf"{{\tiny {_escaped(detail)}}}" for detail in text.details)]
    return r"\shortstack[r]{" + r" \\ ".join(lines) + "}"


def _escaped(text: str) -> str:
    return re.sub(r"[&%#_$~^{}\\↑↓†‡§]", lambda match: _SIGNS[match[0]], text)
