"""What an audit looks for, and which of it does not stop the build."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from itdr.settings.reading import Strict, once


class Check(StrEnum):
    """The faults that an audit looks for."""

    REPEATED_ID = "repeated-id"
    SHARED_USER = "shared-user"
    SHARED_ITEM = "shared-item"
    LATER_THAN_TESTED = "later-than-tested"
    TARGET_IN_HISTORY = "target-in-history"
    INTERACTED_NEGATIVE = "interacted-negative"
    FUTURE_NEGATIVE = "future-negative"
    TIED_TIMES = "tied-times"
    HELD_OUT_REVIEW = "held-out-review"
    NOT_IN_TABLES = "not-in-tables"
    DUPLICATE = "duplicate-example"
    LEAKED_ANSWER = "leaked-answer"
    TELLING_PLACE = "telling-place"
    EMPTY_FIELD = "empty-field"


MEANING = {
    Check.REPEATED_ID: "the id stands twice",
    Check.SHARED_USER: "the user is in more than one part",
    Check.SHARED_ITEM: "the described item (TUI) is in more than one part",
    Check.LATER_THAN_TESTED: "the split is by time, and the example reaches into a later part's",
    Check.TARGET_IN_HISTORY: "an item asked for is among the items shown",
    Check.INTERACTED_NEGATIVE: "the user interacted with a candidate that counts as negative",
    Check.FUTURE_NEGATIVE: "a negative did not exist by the time of the last positive, as far as "
    "first interactions and years of release tell",
    Check.TIED_TIMES: "an item shown and one asked for have the same time; the order of their ids "
    "decides which of them is asked for",
    Check.HELD_OUT_REVIEW: "a training text holds a review by a user of the test part",
    Check.NOT_IN_TABLES: "the user has no such item in the tables",
    Check.DUPLICATE: "another example has the same input and output",
    Check.LEAKED_ANSWER: "the input gives the answer away",
    Check.TELLING_PLACE: "the places of the true candidates in the list tell which they are",
    Check.EMPTY_FIELD: "a text, title or value is empty",
}

SHARED = (Check.SHARED_USER, Check.SHARED_ITEM, Check.HELD_OUT_REVIEW)
"""The faults that a split by example is bound to have."""

COUNTED = (Check.FUTURE_NEGATIVE, Check.TIED_TIMES)
"""What is counted and never stops the build: it follows from how negatives are drawn and from the
source's own times."""


class AuditSettings(Strict):
    """How strict the audit is."""

    tolerate: Annotated[tuple[Check, ...], AfterValidator(once)] = Field(
        (),
        description=f"faults that are reported but do not stop the build, of {', '.join(Check)}; "
        f"{' and '.join(COUNTED)} never do",
    )

    def tolerates(self, check: Check) -> bool:
        """Say whether the build goes on where this was found."""
        return check in self.tolerate or check in COUNTED
