"""MIND, the Microsoft News Dataset: what users clicked before, and what they clicked when.

A row of behaviors.tsv holds the user's clicks of the weeks before (the history, oldest first and
without times) and one list of news shown at a known time, with the clicked ones marked. Clicks are
the interactions: those of the history have a position, the later ones a time; news that was shown
and not clicked is none. Every row of a user repeats the same history, so it counts once; should two
differ, the longest counts. Of several clicks on the same news the first one counts, which leaves
gaps in the positions. Times have no zone and are taken as UTC.
"""

import re
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from itdr.datasets.adapters.adapter import Adapter
from itdr.datasets.readers.cells import Unused
from itdr.datasets.readers.context import NormalisationContext
from itdr.datasets.readers.delimited import Delimited
from itdr.datasets.readers.fields import Field, Identifier
from itdr.datasets.readers.patterns import Matching
from itdr.datasets.readers.text import Text
from itdr.datasets.readers.times import TimeOfUsa
from itdr.registry import READERS

_NOT_CLICKED = r"[^ ]+-0(?: |$)"
_MARK = r"-1( |$)"


@dataclass(frozen=True)
class _Clicks(Matching):
    """News ids with -1 (clicked) or -0 behind them; the value has the clicked ids alone."""

    def value(self, cell: str) -> str | None:
        """Return the clicked ids with blanks between them, or None if there are none."""
        clicked = re.sub(_NOT_CLICKED, "", super().value(cell) or "")
        return re.sub(_MARK, r"\1", clicked).strip(" ") or None

    def values(self, cells: pa.Array) -> pa.Array | None:
        """Return the clicked ids of each cell."""
        if super().values(cells) is None:
            return None
        clicked = pc.replace_substring_regex(cells, _NOT_CLICKED, "")
        clicked = pc.utf8_trim(pc.replace_substring_regex(clicked, _MARK, r"\1"), " ")
        return pc.if_else(pc.equal(clicked, ""), pa.scalar(None, pa.string()), clicked)


def _tsv(*fields: Field) -> Delimited:
    # Titles hold single quotes that open nothing.
    return Delimited(fields, separator="\t", quoted=False, header=False)


_BEHAVIORS = _tsv(
    Unused("impression_id"),
    Identifier("user_id"),
    TimeOfUsa("time"),
    Matching("history", pattern="N[0-9]+( N[0-9]+)*", form="a list of news ids"),
    _Clicks(
        "impressions",
        pattern="N[0-9]+-[01]( N[0-9]+-[01])*",
        form="a list of news ids with -0 or -1 behind them",
    ),
)
_NEWS = _tsv(
    Identifier("news_id"),
    Field("category"),
    Field("subcategory"),
    Text("title"),
    Text("abstract"),
    Unused("url"),
    Field("title_entities"),
    Field("abstract_entities"),
)


def _load(context: NormalisationContext) -> None:
    context.load("behaviors.tsv", "behaviors", _BEHAVIORS)
    context.load("news.tsv", "news", _NEWS)
    _make_interactions(context)
    _make_items(context)


def _make_interactions(context: NormalisationContext) -> None:
    context.query(
        """
        CREATE TABLE histories AS
        WITH chosen AS (
            -- Numbers alone, for texts inside an aggregate would all have to fit into memory.
            SELECT arg_max(line, strlen(history) * 10000000000 - line) AS line,
                min(hash(history)) <> max(hash(history)) AS differ
            FROM behaviors WHERE history IS NOT NULL GROUP BY user_id
        )
        SELECT user_id, history, differ, file, line FROM behaviors JOIN chosen USING (line)
        """
    )
    ((differ,),) = context.query("SELECT count(*) FROM histories WHERE differ")
    if differ:
        context.notes.append(
            f"interactions: {differ} users have unlike histories; the longest of each counts"
        )
    context.query(
        """
        CREATE TABLE interactions AS
        WITH before AS (
            SELECT user_id, string_split(history, ' ') AS ids, file, line FROM histories
        ), clicks AS (
            SELECT user_id, unnest(ids) AS item_id, unnest(range(len(ids)))::INTEGER AS position,
                NULL::TIMESTAMP AS time, file, line
            FROM before
            UNION ALL
            SELECT user_id, unnest(string_split(impressions, ' ')), NULL, time, file, line
            FROM behaviors WHERE impressions IS NOT NULL
        )
        SELECT user_id, item_id, min(position) AS position,
            CASE WHEN min(position) IS NULL THEN min(time) END AS timestamp,
            min(file) AS file, min(line) AS line
        FROM clicks GROUP BY user_id, item_id
        """
    )


def _make_items(context: NormalisationContext) -> None:
    """Make the items; `entities` are the names of what title and abstract speak of."""
    labels = " || ".join(
        f"CASE WHEN json_valid({cell}) THEN json_extract_string({cell}, '$[*].Label') ELSE [] END"
        for cell in ("title_entities", "abstract_entities")
    )
    context.query(
        f"""
        CREATE VIEW items AS
        WITH labelled AS (
            SELECT *, list_filter({labels}, lambda name: name <> '') AS labels FROM news
        ), named AS (
            SELECT *, list_filter(labels, lambda name, i: list_position(labels, name) = i) AS names
            FROM labelled
        )
        SELECT news_id AS item_id, title, abstract AS description,
            list_filter([category, subcategory], lambda name: name IS NOT NULL) AS categories,
            CASE WHEN len(names) > 0
                THEN MAP {{'entities': array_to_string(names, '; ')}} END AS attributes,
            file, line
        FROM named
        """
    )


READERS.add(
    "mind",
    Adapter(
        _load,
        scale=None,
        several_lines="A line of behaviors.tsv holds many clicks; of several lines with the same "
        "click the first is shown.",
    ),
)
