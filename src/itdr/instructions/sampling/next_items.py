"""The user's last items are the true candidates; the items before them are shown."""

from typing import Any

from itdr.instructions.sampling.candidates import with_candidates
from itdr.instructions.sampling.workbench import Workbench
from itdr.settings.task import NextItemsSampling


def examples(bench: Workbench, sampling: NextItemsSampling) -> list[dict[str, Any]]:
    """Return examples with history, positives and candidates."""
    bench.make_steps()
    bench.choose_users(sampling.history + sampling.positives)
    make_lives(bench, sampling.history, sampling.positives)
    return with_candidates(bench, "lives", sampling.negatives)


def make_lives(bench: Workbench, history: int, positives: int) -> None:
    """Make the table lives: turn, history and positives (lists of items), first_positive (step)."""
    bench.run(
        f"""
        CREATE TABLE lives AS
        SELECT turn, list(item ORDER BY back DESC) FILTER (back > $positives) AS history,
            list(item ORDER BY back DESC) FILTER (back <= $positives) AS positives,
            min(step) FILTER (back <= $positives) AS first_positive
        FROM (SELECT turn, step, back, {bench.item()} AS item
            FROM chosen_steps JOIN titled USING (number) WHERE back <= $history + $positives)
        GROUP BY turn HAVING count(*) = $history + $positives
        """,
        history=history,
        positives=positives,
    )
