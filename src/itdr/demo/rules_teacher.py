"""A teacher that writes fixed sentences about categories and ratings.

It stands in for a language model in the demo: what it says can be worked out from the example, is
grammatical, and costs nothing. Nobody should take it for a person's or a model's judgement.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from itdr.datasets.tables.schema import ITEMS
from itdr.errors import DataError
from itdr.files.formats import read_parquet
from itdr.instructions.tasks import load_task
from itdr.settings.dataset import Called, load_dataset

_FAVOURITES = 2
_CATEGORIES = 3


class RuleTeacher:
    """Writes about the items of one dataset.

    Attributes:
        name: "rules/" and the version of the sentences.
    """

    name = "rules/2"

    def __init__(self, tables: Path, folders: Sequence[Path]) -> None:
        """Read the items.

        tables: folder of 'itdr normalise'; folders: of configuration, whose task files say from
        which rating on an item is liked, and whose dataset files what items are called.

        Raises:
            MissingFileError, DataError: there is no items table, or it cannot be read.
        """
        self._where = tables / "items.parquet"
        items = read_parquet(self._where, ITEMS).to_pylist()
        self._items = {item["item_id"]: item for item in items}
        self._folders = folders
        self._words: dict[str, Called] = {}

    def answer(self, records: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """Return an answer to every record.

        Raises:
            DataError: a record is of a task that has no rules, or an item is not in the table.
        """
        return {record["id"]: self._text(record) for record in records}

    def _text(self, record: Mapping[str, Any]) -> str:
        dataset = record["dataset"]
        if dataset not in self._words:
            self._words[dataset] = load_dataset(dataset, self._folders).words
        words = self._words[dataset]
        task = load_task(record["task"], self._folders)
        match task.sampling.kind:
            case "opinions":
                return self._interests(record["history"], task.of(dataset).liked, words)
            case "described_items":
                return _audience(self._item(record["item_id"], record["id"]), words)
        raise DataError(
            f"{record['id']}: no rules for examples sampled as {task.sampling.kind!r}; they know "
            "opinions and described_items. Take 'kind: endpoint'."
        )

    def _item(self, item_id: str, name: str) -> dict[str, Any]:
        try:
            return self._items[item_id]
        except KeyError:
            raise DataError(
                f"{name}: {self._where} has no item {item_id!r}. Were the examples built from "
                "other tables? Build them again."
            ) from None

    def _interests(
        self, history: Sequence[Mapping[str, Any]], least: float | None, words: Called
    ) -> str:
        """Return what a user likes; `least` is the lowest rating of an item that is liked."""
        groups: dict[bool | None, list[dict[str, Any]]] = {True: [], False: [], None: []}
        for shown in history:
            rating = shown["rating"]
            likes = None if least is None or rating is None else rating >= least
            item = self._item(shown["item_id"], "the history") | {"title": shown["title"]}
            groups[likes].append(item)
        liked, disliked, untold = groups[True], groups[False], groups[None]
        said = _taste(liked, disliked, "enjoys", words)
        said += _taste(untold, [], "often turns to", words)
        said += _taste(disliked, liked, "cares little for", words)
        return f"This user {_listed(said)}."


def _taste(
    of: Sequence[Mapping[str, Any]], against: Sequence[Mapping[str, Any]], verb: str, words: Called
) -> list[str]:
    """Return what stands out among some items: categories and the first title that has one.

    [] without items.
    """
    if not of:
        return []
    for_count, against_count = _counted(of), _counted(against)
    leading = sorted(
        (name for name, count in for_count.items() if count > against_count[name]),
        key=lambda name: (-for_count[name], name),
    )[:_FAVOURITES]
    fitting = [item for item in of if not leading or set(leading) & set(item["categories"])]
    kind = f"{_listed(leading)} {words.items} such as " if leading else ""
    return [f"{verb} {kind}{fitting[0]['title']}"]


def _counted(items: Sequence[Mapping[str, Any]]) -> Counter[str]:
    return Counter(name for item in items for name in set(item["categories"]))


def _audience(item: Mapping[str, Any], words: Called) -> str:
    """Return whom an item suits."""
    categories = list(dict.fromkeys(item["categories"]))[:_CATEGORIES]
    liked = [f"{_listed(categories)} {words.items}" if categories else f"{words.items} of any kind"]
    if item["creator"]:
        liked.append(f"other work by {item['creator']}")
    if item["year"]:
        liked.append(f"the {item['year'] // 10 * 10}s")
    return f"{item['title']} suits {words.users} who enjoy {_listed(liked)}."


def _listed(words: Sequence[str]) -> str:
    """Return "a", "a and b" or "a, b and c"."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
