"""All conventional recommenders by name: what they answer, what they need, how they are made."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from itdr.errors import SettingsError, nearest

if TYPE_CHECKING:
    from itdr.recommenders.interactions import Recommender

INSTALL = "pip install --constraint envs/constraints.txt --editable '.[recommenders]'"


@dataclass(frozen=True)
class Method:
    """A conventional recommender.

    answers: the kinds of answer that it gives, as config/tasks/ has them. make: makes one with a
    seed; None for what learns from training examples. packages: those of the extra `recommenders`
    that it imports.
    """

    description: str
    answers: tuple[str, ...]
    make: Callable[[int], "Recommender"] | None
    packages: tuple[str, ...] = ()

    @property
    def missing(self) -> list[str]:
        """The packages that are not installed."""
        return [package for package in self.packages if find_spec(package) is None]


def _item_mean(seed: int) -> "Recommender":
    from itdr.recommenders.ratings import ItemMean

    return ItemMean()


def _user_item_bias(seed: int) -> "Recommender":
    from itdr.recommenders.ratings import UserItemBias

    return UserItemBias()


def _matrix_factorisation(seed: int) -> "Recommender":
    from itdr.recommenders.cornac_models import MatrixFactorisation

    return MatrixFactorisation(seed)


def _most_popular(seed: int) -> "Recommender":
    from itdr.recommenders.popularity import MostPopular

    return MostPopular()


def _last_item(seed: int) -> "Recommender":
    from itdr.recommenders.last_item import LastItem

    return LastItem()


def _item_knn(seed: int) -> "Recommender":
    from itdr.recommenders.item_knn import ItemKnn

    return ItemKnn()


def _als(seed: int) -> "Recommender":
    from itdr.recommenders.als import Als

    return Als(seed)


def _ease(seed: int) -> "Recommender":
    from itdr.recommenders.ease import Ease

    return Ease()


def _bpr(seed: int) -> "Recommender":
    from itdr.recommenders.cornac_models import Bpr

    return Bpr(seed)


def _sasrec(seed: int) -> "Recommender":
    from itdr.recommenders.sasrec import SasRec

    return SasRec(seed)


_CHOICES = ("ranked_list", "title")

METHODS = {
    "item-mean": Method("mean of the item's ratings", ("number",), _item_mean),
    "user-item-bias": Method(
        "mean and biases of item and user (Koren 2010)", ("number",), _user_item_bias
    ),
    "mf": Method(
        "matrix factorisation of ratings with biases (Koren et al. 2009)",
        ("number",),
        _matrix_factorisation,
        ("cornac",),
    ),
    "most-popular": Method("users of an item, over all interactions", _CHOICES, _most_popular),
    "last-item": Method(
        "what follows the last item: sequential rules (Kamehkhosh et al. 2017)",
        _CHOICES,
        _last_item,
    ),
    "item-knn": Method("cosines of items (Deshpande and Karypis 2004)", _CHOICES, _item_knn),
    "als": Method(
        "alternating least squares (Hu et al. 2008)", _CHOICES, _als, ("implicit", "threadpoolctl")
    ),
    "ease": Method("linear item model in closed form (Steck 2019)", _CHOICES, _ease),
    "bpr": Method("pairwise ranking (Rendle et al. 2009)", _CHOICES, _bpr, ("cornac",)),
    "sasrec": Method(
        "self-attention over the last items (Kang and McAuley 2018), with cross-entropy",
        _CHOICES,
        _sasrec,
    ),
    "linear": Method(
        "logistic and ridge regression on the history", ("attributes",), None, ("sklearn",)
    ),
    "nearest-text": Method(
        "the text of the training example most alike by TF-IDF", ("text",), None, ("sklearn",)
    ),
}


def find_method(name: str, where: str = "") -> Method:
    """Return a method by name; `where` begins the message of an error.

    Raises:
        SettingsError: there is none, or its packages are not installed.
    """
    if name not in METHODS:
        raise SettingsError(
            f"{where}unknown recommender {name!r}.{nearest(name, METHODS)} Allowed: "
            f"{', '.join(METHODS)}."
        )
    method = METHODS[name]
    if method.missing:
        raise SettingsError(
            f"{where}recommender {name}: {' and '.join(method.missing)} cannot be imported. "
            f"Install the extra: {INSTALL}"
        )
    return method
