"""The user's last rated item is asked for; the rated items before it are shown."""

from typing import Any

from itdr.instructions.sampling.workbench import Workbench
from itdr.settings.task import RatingSampling


def examples(bench: Workbench, sampling: RatingSampling) -> list[dict[str, Any]]:
    """Return examples with history and target."""
    bench.make_steps("rating IS NOT NULL")
    bench.choose_users(sampling.min_history + 1)
    return bench.examples(
        f"""
        SELECT turn, list(item ORDER BY back DESC) FILTER (back > 1) AS history,
            first(item) FILTER (back = 1) AS target
        FROM (SELECT turn, back, {bench.item()} AS item
            FROM chosen_steps JOIN titled USING (number) WHERE back <= $history + 1)
        GROUP BY turn HAVING count(*) > $least
        """,
        history=sampling.history,
        least=sampling.min_history,
    )
