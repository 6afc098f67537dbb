"""Traces as a text to read."""

from collections.abc import Iterable
from itertools import groupby

from itdr.tracing.trace import Source, Trace

_HEADS = {
    "user": "The user",
    "history": "Shown as the history",
    "target": "Asked for",
    "candidate": "Shown as candidates that the user did not choose",
    "item": "The item described",
    "review": "Reviews that begin as those shown",
    "record": "Record of the release",
}
_LONGEST = 160  # characters of a raw line


def as_text(traces: Iterable[Trace]) -> str:
    """Return traces as text: for each raw line FILE:LINE and its beginning."""
    return "\n".join("\n".join(_lines(trace)) + "\n" for trace in traces)


def _lines(trace: Trace) -> Iterable[str]:
    yield trace.found.example["id"]
    yield f"  {trace.found.file}, row {trace.found.row:,}"
    for role, sources in groupby(trace.sources, key=lambda source: source.role):
        yield f"{_HEADS[role]}:"
        for title, of_item in groupby(sources, key=lambda source: source.title):
            if title:
                yield f"  {title}"
            yield from (f"    {_shown(source)}" for source in of_item)
    if trace.note:
        yield f"Note: {trace.note}"


def _shown(source: Source) -> str:
    raw = source.row.raw
    cut = raw if len(raw) <= _LONGEST else f"{raw[: _LONGEST - 3]}..."
    return f"{source.row.file}:{source.row.line}  {cut}"
