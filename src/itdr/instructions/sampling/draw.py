"""How many examples are drawn, and how."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Draw:
    """How many examples are drawn, and how.

    Attributes:
        examples: most examples; one a user (or a described item) and domain.
        negatives: "uniform" draws every item alike, "popularity" in proportion to how often it
            was chosen, "available" every item alike that is known to have existed by the time of
            the last positive.
        seed: changes every choice.
        salt: makes the choices of one task independent of another's.
        attributes: columns of the users table that must be known.
        liked: lowest rating of a liked item; None where ratings do not tell.
        disliked: highest rating of a disliked item.
        reviews: most reviews shown of an item; with 0 no item needs one.
        reviewers: SQL condition on the user_id of those whose reviews are shown.
        domain_pairs: (domain of the history, domain of the candidates).
    """

    examples: int
    negatives: Literal["uniform", "popularity", "available"]
    seed: int
    salt: str
    attributes: tuple[str, ...] = ()
    liked: float | None = None
    disliked: float | None = None
    reviews: int = 0
    reviewers: str = "TRUE"
    domain_pairs: tuple[tuple[str, str], ...] = ()
