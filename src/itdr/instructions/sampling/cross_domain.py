"""Items of a user in two domains are shown; the true candidates are the next ones in the second."""

from typing import Any

from itdr.instructions.sampling.candidates import with_candidates
from itdr.instructions.sampling.next_items import make_lives
from itdr.instructions.sampling.workbench import Workbench
from itdr.settings.task import CrossDomainSampling

_RESERVE = 10  # users prepared for each example wanted; many came to the second domain first


def examples(bench: Workbench, sampling: CrossDomainSampling) -> list[dict[str, Any]]:
    """Return examples with source_history, history, positives and candidates.

    Items of the source domain are those before the first true candidate, so that nothing is shown
    from after the moment that is asked about.
    """
    bench.make_steps()
    _choose_users(bench, sampling)
    make_lives(bench, sampling.history, sampling.positives)
    bench.make_steps_of("chosen_sources", "source_steps")
    bench.run(
        f"""
        CREATE TABLE paired_lives AS
        WITH before AS (
            SELECT turn, number, rating, plays, row_number() OVER (
                PARTITION BY turn ORDER BY source_steps.back) AS back
            FROM source_steps JOIN lives USING (turn) ANTI JOIN chosen_steps USING (turn, name)
            WHERE source_steps.step < first_positive
        ), sources AS (
            SELECT turn, list({bench.item()} ORDER BY back DESC) AS source_history
            FROM before JOIN titled USING (number)
            WHERE back <= $history GROUP BY turn HAVING count(*) = $history
        )
        FROM lives JOIN sources USING (turn)
        """,
        history=sampling.source_history,
    )
    rows = with_candidates(bench, "paired_lives", sampling.negatives)
    for row in rows:
        source, target = row.pop("source"), row["domain"]
        row |= {"source_domain": _words(source), "target_domain": _words(target)}
        row["domain"] = f"{source}-{target}"
    return rows


def _choose_users(bench: Workbench, sampling: CrossDomainSampling) -> None:
    """Make the tables of the users with enough steps in both domains of a pair.

    chosen has user_id, domain (the second one of the pair), source (the first one) and turn.
    """
    bench.run(
        """
        CREATE TABLE chosen AS
        WITH counts AS (
            SELECT user_id, domain, count(*) AS steps FROM steps GROUP BY ALL
        ), pairs AS (
            SELECT unnest($sources) AS source, unnest($targets) AS domain
        )
        SELECT user_id, domain, source, row_number() OVER (ORDER BY place, domain) AS turn FROM (
            SELECT t.user_id, t.domain, s.domain AS source, row_number() OVER (
                PARTITION BY t.domain ORDER BY mark('user:' || t.user_id), t.user_id) AS place
            FROM pairs JOIN counts t ON t.domain = pairs.domain
            JOIN counts s ON s.domain = pairs.source AND s.user_id = t.user_id
            WHERE t.steps >= $least AND s.steps >= $source_least
        ) ORDER BY turn LIMIT $wanted
        """,
        sources=[source for source, _ in bench.draw.domain_pairs],
        targets=[target for _, target in bench.draw.domain_pairs],
        least=sampling.history + sampling.positives,
        source_least=sampling.source_history,
        wanted=_RESERVE * bench.draw.examples,
    )
    bench.run(
        """
        CREATE VIEW chosen_sources AS SELECT user_id, source AS domain, turn FROM chosen
        """
    )
    bench.make_steps_of("chosen", "chosen_steps")


def _words(domain: str) -> str:
    return domain.replace("_", " ")
