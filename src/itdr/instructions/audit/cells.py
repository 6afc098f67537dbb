"""Faults that only many examples show together."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from itdr.instructions.audit.faults import Fault, Record, fault
from itdr.settings.audit import Check

_ENOUGH = 50  # examples, before the places of true candidates are judged
_BY_CHANCE = 1e-9  # places less likely than this are no chance


def shared(records: Iterable[Record]) -> Iterator[Fault]:
    """Yield the examples whose user, or described item, is in more than one part.

    Users and items of one dataset are the same ones in all of its tasks.
    """
    groups: dict[tuple[Check, str, str], list[Record]] = defaultdict(list)
    for record in records:
        if record["user_id"] is not None:
            groups[Check.SHARED_USER, record["dataset"], record["user_id"]].append(record)
        elif record["item_id"] is not None:
            groups[Check.SHARED_ITEM, record["dataset"], record["item_id"]].append(record)
    for (check, _, name), group in groups.items():
        parts = sorted({record["part"] for record in group})
        if len(parts) > 1:
            for record in group:
                yield fault(check, record, f"{name!r} is in {' and '.join(parts)}")


def repeated(records: Iterable[Record]) -> Iterator[Fault]:
    """Yield the examples whose id, or whose input with its output, stood before."""
    ids: dict[str, str] = {}
    texts: dict[bytes, Record] = {}
    for record in records:
        if record["id"] in ids:
            yield fault(Check.REPEATED_ID, record, f"it stands in {ids[record['id']]} already")
        ids[record["id"]] = record["part"]
        key = _text_key(record)
        if key in texts:
            first = texts[key]
            yield fault(Check.DUPLICATE, record, f"the same as {first['id']} in {first['part']}")
        else:
            texts[key] = record


def position_bias(records: Iterable[Record]) -> Iterator[Fault]:
    """Yield a fault for each cell whose true candidates prefer some places of the list.

    A chi-squared test of equal places; since the positives of one list never share a place, it
    errs on the side of silence.
    """
    from scipy.stats import chisquare

    lists: dict[tuple[str, str, int, int], Counter[int]] = defaultdict(Counter)
    sizes: Counter[tuple[str, str, int, int]] = Counter()
    for record in records:
        shown, true_ids = record["candidates"] or [], set(record["targets"] or [])
        if not shown or not true_ids:
            continue
        cell = record["task"], record["dataset"], len(shown), len(true_ids)
        sizes[cell] += 1
        lists[cell].update(place for place, item in enumerate(shown) if item["item_id"] in true_ids)
    for cell, places in lists.items():
        task, dataset, length, _ = cell
        counts = [places[place] for place in range(length)]
        if sizes[cell] >= _ENOUGH and chisquare(counts).pvalue < _BY_CHANCE:
            why = f"places of the positives in {sizes[cell]} lists, first to last: {counts}"
            yield Fault(Check.TELLING_PLACE, f"{task}/{dataset}", "all", why)


def _text_key(record: Record) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for name in ("task", "dataset", "input", "output"):
        digest.update(record[name].encode())
        digest.update(b"\0")
    return digest.digest()
