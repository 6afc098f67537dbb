"""PixelRec (also the samples PixelRec50K, 200K, 1M and 8M): views of short videos, with times.

The samples go about under several names of their own. There are no ratings and no users.
"""

from itdr.datasets.adapters.adapter import Adapter
from itdr.datasets.readers.context import NormalisationContext
from itdr.datasets.readers.delimited import Delimited
from itdr.datasets.readers.fields import Field, Identifier, Number, seconds
from itdr.datasets.readers.text import Text
from itdr.registry import READERS

INTERACTION_FILES = (
    "interaction.csv",
    *("pixel50k_interaction.csv", "Pixel50K.csv", "Pixel200K.csv", "Pixel1M.csv", "Pixel8M.csv"),
)
ITEM_FILES = ("item_info.csv", "pixel50k_item_info.csv")

_MOST = 2.0**53
_COUNTERS = tuple(
    f"{name}_number"
    for name in ("view", "comment", "thumbup", "share", "coin", "favorite", "barrage")
)

_INTERACTION_CSV = Delimited((Identifier("item_id"), Identifier("user_id"), seconds("timestamp")))
_ITEM_INFO_CSV = Delimited(
    (
        Identifier("item_id"),
        *(Number(name, low=0.0, high=_MOST) for name in _COUNTERS),
        Text("title"),
        Field("tag"),
        Text("description"),
    )
)


def _load(context: NormalisationContext) -> None:
    name, *others = INTERACTION_FILES
    context.load(name, "views", _INTERACTION_CSV, also=tuple(others))
    name, *others = ITEM_FILES
    context.load(name, "videos", _ITEM_INFO_CSV, also=tuple(others))
    context.query(
        """
        CREATE VIEW interactions AS
        SELECT user_id, item_id, make_timestamp(timestamp * 1000000) AS timestamp, file, line
        FROM views
        """
    )
    # Counters are whole numbers that the file writes as 799668.0.
    counts = ", ".join(f"('{name}', {name}::BIGINT::VARCHAR)" for name in _COUNTERS)
    context.query(
        f"""
        CREATE VIEW items AS
        WITH counted AS (
            SELECT *, list_filter([{counts}], lambda pair: pair[2] IS NOT NULL) AS pairs
            FROM videos
        )
        SELECT item_id, title, description,
            CASE WHEN tag IS NULL THEN [] ELSE [tag] END AS categories,
            CASE WHEN len(pairs) > 0 THEN map_from_entries(pairs) END AS attributes, file, line
        FROM counted
        """
    )


READERS.add("pixelrec", Adapter(_load, scale=None))
