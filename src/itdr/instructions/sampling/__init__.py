"""Which users, items and candidates become examples: sampling in DuckDB.

Every choice is made by a hash of the seed and the ids, so it depends neither on the number of
threads nor on the order of rows. The order of a user's items is that of the interactions table,
which is by time where a source has times or positions, and by id among equal times; a source
without either (Anime, BookCrossing) has no order that means anything, so one is drawn, the same for
all tasks. Of items of one title the user's first stands for all. Where a source has domains, a
user's life in each domain stands by itself: only cross-domain examples show items of two. Domains
take turns until there are enough examples.

Each kind of sampling is a module of its own, registered with its settings; `context` is what they
share.
"""

from itdr.instructions.sampling.draw import Draw
from itdr.instructions.sampling.sample import sample

__all__ = ["Draw", "sample"]
