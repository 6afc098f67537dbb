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
    bench.make_chosen_steps("source_steps", "chosen_sources")
    bench.run(
        """
        CREATE TABLE paired_lives AS
        WITH before AS (
            SELECT c.user_id, c.domain, c.source, s.item, row_number() OVER (
                PARTITION BY c.user_id, c.domain ORDER BY s.back) AS back
            FROM chosen c JOIN lives l USING (user_id, domain)
            JOIN (FROM source_steps ANTI JOIN chosen_steps USING (user_id, name)) s
                ON s.user_id = c.user_id AND s.domain = c.source AND s.step < l.first_positive
        ), sources AS (
            SELECT user_id, domain, source, list(item ORDER BY back DESC) AS source_history
            FROM before WHERE back <= $history GROUP BY ALL HAVING count(*) = $history
        )
        FROM lives JOIN sources USING (user_id, domain)
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

    chosen has user_id, domain (the second one of the pair), source (the first one) and turn;
    chosen_sources has user_id, domain (the first one) and turn.
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
        CREATE TABLE chosen_sources AS
        SELECT user_id, source AS domain, min(turn) AS turn FROM chosen GROUP BY ALL
        """
    )
    bench.make_chosen_steps("chosen_steps", "chosen")


def _words(domain: str) -> str:
    return domain.replace("_", " ")
