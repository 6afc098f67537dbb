"""MicroLens, 100K or 50K users: which user commented on which short video, and when.

Titles of the 100K release are unquoted lines "id, title" in which the title may hold commas; the
50K release has a proper CSV file of them. Tags and counts of likes and views may be absent.
"""

from itdr.datasets.adapters.adapter import Adapter
from itdr.datasets.readers.cells import Milliseconds
from itdr.datasets.readers.context import NormalisationContext
from itdr.datasets.readers.delimited import Delimited
from itdr.datasets.readers.fields import NumericIdentifier, WholeNumber
from itdr.datasets.readers.text import Text
from itdr.datasets.readers.two_columns import TwoColumns
from itdr.registry import READERS

PAIRS = "MicroLens-100k_pairs.csv"
TITLES = "MicroLens-100k_title_en.csv"
TAGS = "tags_to_summary.csv"
COUNTS = "MicroLens-100k_likes_and_views.txt"

_PAIRS = Delimited(
    (NumericIdentifier("user"), NumericIdentifier("item"), Milliseconds("timestamp"))
)
_TITLES = TwoColumns((NumericIdentifier("item"), Text("title")))
_TITLES_50K = Delimited((NumericIdentifier("item"), Text("title")))
_TAGS = TwoColumns((NumericIdentifier("item"), Text("tag")))
_COUNTS = Delimited(
    (NumericIdentifier("item"), WholeNumber("likes"), WholeNumber("views")),
    separator="\t",
    quoted=False,
    header=False,
)


def _load(context: NormalisationContext) -> None:
    context.load(PAIRS, "pairs", _PAIRS, also=("MicroLens-50k_pairs.csv",))
    known = context.load(TITLES, "titles", _TITLES, required=False) or context.load(
        "MicroLens-50k_titles.csv", "titles", _TITLES_50K, required=False
    )
    if not known:
        context.load(TITLES, "titles", _TITLES)  # says what is missing
    if not context.load(TAGS, "tags", _TAGS, required=False):
        context.query("CREATE TABLE tags (item BIGINT, tag VARCHAR, line BIGINT)")
        context.notes.append(f"items: without categories, as there is no {TAGS}")
    also = ("MicroLens-50k_likes_and_views.txt",)
    if not context.load(COUNTS, "counts", _COUNTS, required=False, also=also):
        context.query("CREATE TABLE counts (item BIGINT, likes BIGINT, views BIGINT, line BIGINT)")
        context.notes.append(f"items: without likes and views, as there is no {COUNTS}")
    context.query(
        """
        CREATE VIEW interactions AS
        SELECT "user" AS user_id, item AS item_id, epoch_ms(timestamp) AS timestamp, file, line
        FROM pairs
        """
    )
    _make_items(context)


def _make_items(context: NormalisationContext) -> None:
    """Make the items from the titles; tags and counts of other videos are not used."""
    # Ids are text if one of the files needs it (007), so all are compared as text.
    context.query(
        """
        CREATE TABLE items AS
        WITH tagged AS (
            SELECT item::VARCHAR AS id, list(tag ORDER BY line) FILTER (tag IS NOT NULL) AS tags
            FROM tags GROUP BY 1
        ), counted AS (
            SELECT item::VARCHAR AS id, arg_min(likes, line) AS likes, arg_min(views, line) AS views
            FROM counts GROUP BY 1
        )
        SELECT t.item AS item_id, t.title, coalesce(tags, []) AS categories,
            CASE WHEN likes IS NOT NULL AND views IS NOT NULL
                THEN MAP {'likes': likes::VARCHAR, 'views': views::VARCHAR} END AS attributes,
            t.file, t.line
        FROM titles t
        LEFT JOIN tagged ON tagged.id = t.item::VARCHAR
        LEFT JOIN counted ON counted.id = t.item::VARCHAR
        """
    )


READERS.add("microlens", Adapter(_load, scale=None))
