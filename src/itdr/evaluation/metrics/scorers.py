"""What metrics score with."""

from dataclasses import dataclass

from itdr.evaluation.text_metrics import TextScorer


@dataclass(frozen=True)
class Scorers:
    """What the values of examples depend on besides answer and truth.

    lenient: whether answers were read leniently. texts: what compares texts.
    """

    lenient: bool
    texts: TextScorer
