"""The report as one static page: summary, tables to sort and filter, figures, audit, making."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path

import yaml
from jinja2 import Environment

from itdr.reporting.formats.html import html
from itdr.reporting.page.made import folded_sheets, made_sheets
from itdr.reporting.run import Run
from itdr.reporting.sheet import Sheet, TableCell
from itdr.reporting.summary import Summary


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
    summary: Summary,
    tables: Sequence[Sheet],
    figures: Sequence[Mapping[str, str]],
    folder: Path,
    run: Run | None,
) -> str:
    """Return the page.

    tables: in their order. figures: the content of figures.json in `folder`, whose pictures are
    put into the page, so that it is one file; the summary shows the first. run: None for published
    values alone.
    """
    first = [figure for figure in figures if not figure["missing"]][:1] if run else []
    sections = [_Section(sheet.name, sheet.title, _table(sheet)) for sheet in tables if sheet.rows]
    sections.append(
        _Section(
            "figures", "Figures", "\n".join(_figure(f, folder) for f in figures if f not in first)
        )
    )
    if run:
        sections.append(_Section("audit", "Audit of the examples", _audit(run)))
        sections.append(_Section("how-it-was-made", "How it was made", _made(run)))
    template = Environment(autoescape=True, trim_blocks=True).from_string(_asset("page.html"))
    return template.render(
        summary=summary, picture="".join(_figure(figure, folder) for figure in first),
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


def _made(run: Run) -> str:
    """Return how a run was made; what is long and read by few is folded away."""
    shown = [f"<h3>{escape(sheet.title)}</h3>\n{html(sheet)}"
             for sheet in made_sheets(run) if sheet.rows]  # fmt: skip
    folded = [_folded(sheet.title, html(sheet)) for sheet in folded_sheets(run) if sheet.rows]
    if run.started:
        settings = yaml.safe_dump(run.started.get("settings", {}), sort_keys=False)
        folded.append(_folded("All settings", f"<pre>{escape(settings)}</pre>"))
    return "\n".join(shown + folded)


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{escape(title)}</summary>\n{body}</details>"


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
