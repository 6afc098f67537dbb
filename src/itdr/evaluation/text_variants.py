"""BLEU and ROUGE as others compute them, to stand beside ours where a task asks for them."""

import warnings
from importlib.metadata import version

from itdr.errors import SettingsError


def nltk_bleu(predicted: str, reference: str, order: int) -> float:
    """Return nltk's sentence BLEU of words between blanks, the orders up to `order` alike.

    Zero where an order shares nothing, as nltk says without smoothing.
    """
    from nltk.translate.bleu_score import sentence_bleu

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it warns of every such zero
        weights = (1 / order,) * order
        score = sentence_bleu([reference.split()], predicted.split(), weights)
    return float(score) if score > 1e-100 else 0.0


def nltk_signature(order: int) -> str:
    """Return package, version and choices of `nltk_bleu`."""
    return f"nltk {version('nltk')}|sentence_bleu|tok:blanks|smooth:none|order:{order}"


def package_rouge(predicted: str, reference: str, variant: str) -> float:
    """Return the F1 of the package `rouge`, which counts every n-gram once; variant: 1, 2 or l.

    Raises:
        SettingsError: the package is not installed.
    """
    try:
        from rouge import Rouge
    except ImportError as error:
        raise SettingsError(
            "rouge-package: the package 'rouge' is not installed; pip install '.[texts]' does it."
        ) from error
    if not predicted.strip(" .\n\t") or not reference.strip(" .\n\t"):
        return 0.0  # the package refuses texts without words
    name = f"rouge-{variant}"
    return float(Rouge(metrics=[name]).get_scores(predicted, reference)[0][name]["f"])


def package_signature(variant: str) -> str:
    """Return package, version and choices of `package_rouge`."""
    return f"rouge {version('rouge')}|rouge-{variant}|f1"
