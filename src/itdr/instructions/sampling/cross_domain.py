"""Items of a user in two domains are shown; the true candidates are the next ones in the second."""

from typing import Any, Literal

from pydantic import Field

from itdr.instructions.sampling.candidates import with_candidates
from itdr.instructions.sampling.context import SamplingContext
from itdr.instructions.sampling.kind import ITEM, SamplingKind
from itdr.instructions.sampling.next_items import make_sequences
from itdr.registry import SAMPLING_KINDS
from itdr.settings.sampling import MOST_ITEMS, Sampled

_RESERVE = 10  # users prepared for each example wanted; many came to the second domain first


class CrossDomainSampling(Sampled):
    """The user's last items of one domain are the positives; items of two domains are shown."""

    kind: Literal["cross_domain"]
    source_history: int = Field(ge=1, le=MOST_ITEMS, description="items shown of the other domain")
    history: int = Field(
        ge=1, le=MOST_ITEMS, description="items shown of the domain of the candidates"
    )
    positives: int = Field(ge=1, le=MOST_ITEMS, description="positive candidates")
    negatives: int = Field(
        ge=1, le=MOST_ITEMS, description="candidates that the user did not interact with"
    )


@SAMPLING_KINDS.register(
    "cross_domain",
    SamplingKind,
    settings=CrossDomainSampling,
    trial={
        "history": [ITEM],
        "candidates": [ITEM],
        "source_history": [ITEM],
        "source_domain": "E",
        "target_domain": "F",
    },
)
def examples(context: SamplingContext, sampling: CrossDomainSampling) -> list[dict[str, Any]]:
    """Return examples with source_history, history, positives and candidates.

    Items of the source domain are those before the first true candidate, so that nothing is shown
    from after the moment that is asked about.
    """
    context.make_steps()
    _choose_users(context, sampling)
    make_sequences(context, sampling.history, sampling.positives)
    context.make_steps_of("chosen_sources", "source_steps")
    context.run(
        f"""
        CREATE TABLE paired_lives AS
        WITH before AS (
            SELECT user_rank, number, rating, plays, row_number() OVER (
                PARTITION BY user_rank ORDER BY source_steps.back) AS back
            FROM source_steps JOIN sequences USING (user_rank)
                ANTI JOIN chosen_steps USING (user_rank, name)
            WHERE source_steps.step < first_positive
        ), sources AS (
            SELECT user_rank, list({context.item()} ORDER BY back DESC) AS source_history
            FROM before JOIN titled USING (number)
            WHERE back <= $history GROUP BY user_rank HAVING count(*) = $history
        )
        FROM sequences JOIN sources USING (user_rank)
        """,
        history=sampling.source_history,
    )
    rows = with_candidates(context, "paired_lives", sampling.negatives)
    for row in rows:
        source, target = row.pop("source"), row["domain"]
        row |= {"source_domain": _words(source), "target_domain": _words(target)}
        row["domain"] = f"{source}-{target}"
    return rows


def _choose_users(context: SamplingContext, sampling: CrossDomainSampling) -> None:
    """Make the tables of the users with enough steps in both domains of a pair.

    chosen has user_id, domain (the second one of the pair), source (the first one) and user_rank.
    """
    context.run(
        """
        CREATE TABLE chosen AS
        WITH counts AS (
            SELECT user_id, domain, count(*) AS steps FROM steps GROUP BY ALL
        ), pairs AS (
            SELECT unnest($sources) AS source, unnest($targets) AS domain
        )
        SELECT user_id, domain, source, row_number() OVER (ORDER BY place, domain) AS user_rank
        FROM (
            SELECT t.user_id, t.domain, s.domain AS source, row_number() OVER (
                PARTITION BY t.domain ORDER BY hash_text('user:' || t.user_id), t.user_id) AS place
            FROM pairs JOIN counts t ON t.domain = pairs.domain
            JOIN counts s ON s.domain = pairs.source AND s.user_id = t.user_id
            WHERE t.steps >= $least AND s.steps >= $source_least
        ) ORDER BY user_rank LIMIT $wanted
        """,
        sources=[source for source, _ in context.draw.domain_pairs],
        targets=[target for _, target in context.draw.domain_pairs],
        least=sampling.history + sampling.positives,
        source_least=sampling.source_history,
        wanted=_RESERVE * context.draw.examples,
    )
    context.run(
        """
        CREATE VIEW chosen_sources AS SELECT user_id, source AS domain, user_rank FROM chosen
        """
    )
    context.make_steps_of("chosen", "chosen_steps")


def _words(domain: str) -> str:
    return domain.replace("_", " ")
