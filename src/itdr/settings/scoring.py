"""How predictions are turned into scores: every choice that the paper leaves open has a name."""

from typing import Literal

from pydantic import Field

from itdr.settings.reading import Strict


class ScoringSettings(Strict):
    """The choices of scoring; the defaults are what the reports use."""

    resamples: int = Field(
        1000,
        ge=1,
        le=1_000_000,
        description="bootstrap resamples of values of a whole cell, such as AUC",
    )
    permutations: int = Field(
        10_000,
        ge=1,
        le=10_000_000,
        description="fewest swappings of a paired test; more where the number of tests asks for it",
    )
    seed: int = Field(1, ge=0, lt=2**32, description="seed of the resamples and swappings")
    confidence: float = Field(0.95, gt=0, lt=1, description="share that an interval covers")
    unreadable: Literal["wrong", "left-out"] = Field(
        "wrong",
        description="'wrong': an answer that cannot be read counts 0 in every rate; 'left-out': it "
        "does not count; rmse has readable answers alone either way, rmse-midpoint all of them",
    )
    bleu_tokenisation: Literal["13a", "intl", "char", "none"] = Field(
        "13a",
        description="sacrebleu's tokeniser: '13a' as in mteval-v13a, 'intl', 'char' or 'none'",
    )
    bleu_smoothing: Literal["none", "floor", "add-k", "exp"] = Field(
        "exp",
        description="sacrebleu's smoothing of an n-gram precision that is zero: 'none', 'floor', "
        "'add-k' or 'exp'",
    )
    bleu_lowercase: bool = Field(False, description="BLEU without regard to case")
    rouge_l: Literal["rougeL", "rougeLsum"] = Field(
        "rougeL",
        description="longest common subsequence of the whole text ('rougeL') or of its lines "
        "('rougeLsum')",
    )
    rouge_stemmer: bool = Field(False, description="ROUGE on Porter stems instead of words")
