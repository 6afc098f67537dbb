"""The report as one static page: tables to sort and filter, figures, audit, how it was made."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment

from itdr.reporting.formats.html import html
from itdr.reporting.page.made import made_sheets
from itdr.reporting.run import Run
from itdr.reporting.sheet import Sheet, TableCell

TITLE = "ITDR: our results beside the published ones"
PUBLISHED_TITLE = "ITDR: the published results"


@dataclass(frozen=True)
class _Section:
    id: str
    title: str
    body: str

    @property
    def short(self) -> str:
        """What the list of contents calls it."""
        return self.id.replace("-", " ").capitalize()


def style() -> str:
    """Return the CSS that all HTML files of the report share."""
    return _asset("style.css")


def page(
    tables: Sequence[Sheet], figures: Sequence[Mapping[str, str]], folder: Path, run: Run | None
) -> str:
    """Return the page.

    tables: in their order. figures: the content of figures.json in `folder`, whose pictures are
    put into the page, so that it is one file. run: None for published values alone.
    """
    sections = [_Section(sheet.name, sheet.title, _table(sheet)) for sheet in tables if sheet.rows]
    sections.append(_Section("figures", "Figures", "\n".join(_figure(f, folder) for f in figures)))
    if run:
        sections.append(_Section("audit", "Audit of the examples", _audit(run)))
        made = "\n".join(map(_titled, made_sheets(run)))
        sections.append(_Section("how-it-was-made", "How it was made", made))
    template = Environment(autoescape=True, trim_blocks=True).from_string(_asset("page.html"))
    return template.render(
        title=TITLE if run else PUBLISHED_TITLE,
        subtitle="Click a heading to sort. Each value of ours has its interval; 'paper' is the "
        "published value." if run else "As printed in the paper, in its rows, columns and order.",
        sections=sections, style=style(), script=_asset("page.js"),
    )  # fmt: skip


def _asset(name: str) -> str:
    return files("itdr.reporting.page").joinpath(name).read_text(encoding="utf-8")


def _table(sheet: Sheet) -> str:
    kinds: tuple[str, ...] = ("csv", "wide.csv", "compared.csv", "md", "tex")
    if sheet.name in ("aggregates", "dataset-statistics"):
        kinds = ("csv", "md", "tex")
    links = ", ".join(f'<a href="tables/{sheet.name}.{kind}">{kind}</a>' for kind in kinds)
    return f'{html(sheet)}<p class="notes">As a file: {links}</p>'


def _titled(sheet: Sheet) -> str:
    return f"<h3>{escape(sheet.title)}</h3>\n{html(sheet)}" if sheet.rows else ""


def _figure(entry: Mapping[str, str], folder: Path) -> str:
    title = escape(entry["title"])
    if entry["missing"]:
        return f'<p class="notes">{title}: not drawn, because {escape(entry["missing"])}.</p>'
    name = entry["name"]
    data = base64.b64encode((folder / f"{name}.svg").read_bytes()).decode()
    links = ", ".join(f'<a href="figures/{name}.{kind}">{kind}</a>' for kind in ("png", "svg"))
    return (
        f'<figure id="figure-{name}"><div class="picture">'
        f'<img alt="{title}" src="data:image/svg+xml;base64,{data}"></div>'
        f"<figcaption>{title} ({links})</figcaption></figure>"
    )


def _audit(run: Run) -> str:
    if not run.audit:
        return "<p>No audit was found.</p>"
    clean = run.audit["clean"]
    verdict = "<p>Clean.</p>" if clean else '<p class="bad">Not clean.</p>'
    rows = [
        (TableCell(check["check"]), TableCell(check["meaning"]),
         TableCell(f"{check['faults']:,}", sort=check["faults"]),
         TableCell(f"{check['examples']:,}", sort=check["examples"]),
         TableCell(_result(check)))
        for check in run.audit["checks"]
    ]  # fmt: skip
    heads = ("Fault", "What it means", "Found", "Examples", "Result")
    sheet = Sheet("audit-checks", "", tuple(("", head) for head in heads), tuple(rows), (), words=2)
    return verdict + html(sheet)


def _result(check: Mapping[str, object]) -> str:
    if check["faults"]:
        return "tolerated" if check["tolerated"] else "stops the build"
    return "not all could be checked" if check["unchecked"] else "clean"
