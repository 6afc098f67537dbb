"""Which adapter reads a dataset: every module of this package names its own in READERS."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from itdr.datasets import adapters
from itdr.datasets.adapters.adapter import Adapter
from itdr.datasets.adapters.columns import adapter_of_columns
from itdr.errors import SettingsError, nearest
from itdr.settings.dataset import DatasetSettings


@cache
def readers() -> dict[str, Adapter]:
    """Return the adapters by the names that `reader` of a dataset's file may have."""
    found: dict[str, Adapter] = {}
    for module in iter_modules(adapters.__path__, f"{adapters.__name__}."):
        found |= getattr(import_module(module.name), "READERS", {})
    return found


def adapter_of(dataset: DatasetSettings) -> Adapter:
    """Return the adapter of a dataset.

    Raises:
        SettingsError: there is no reader of that name.
    """
    if dataset.columns is not None:
        return adapter_of_columns(dataset.columns)
    known, name = readers(), dataset.reader or ""
    if name not in known:
        raise SettingsError(
            f"{dataset.id}: unknown reader {name!r}.{nearest(name, known)} "
            f"Allowed: {', '.join(sorted(known))}, or 'columns' in place of 'reader'."
        )
    return known[name]
