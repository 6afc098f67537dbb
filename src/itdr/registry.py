"""Registries: what a name in a task file, a layout or a command stands for.

An entry is registered by a decorator where it is written, in any module of the registry's package.
The package is imported when something is looked up, so configuration can be checked by modules that
stand below it.
"""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Generic, TypeVar

from itdr.errors import SettingsError, nearest

Entry = TypeVar("Entry")


class Registry(Mapping[str, Entry], Generic[Entry]):
    """Names with what they stand for, in the order in which they were registered."""

    def __init__(self, what: str, package: str) -> None:
        """Make a registry of `what` (singular) whose entries the modules of `package` register."""
        self.what = what
        self._package = package
        self._entries: dict[str, Entry] = {}
        self._complete = False

    def add(self, name: str, entry: Entry) -> None:
        """Register an entry.

        Raises:
            ValueError: the name is taken.
        """
        if name in self._entries:
            raise ValueError(f"two entries are called {name!r} among the {self.what}s")
        self._entries[name] = entry

    def register(
        self, name: str, make: Callable[..., Entry], **known: Any
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Return the decorator that registers `make(name, function, **known)`."""

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            self.add(name, make(name, function, **known))
            return function

        return decorate

    def find(self, name: str, where: str = "") -> Entry:
        """Return an entry; `where` begins the message of the error.

        Raises:
            SettingsError: there is none of that name.
        """
        self._load()
        if name not in self._entries:
            raise SettingsError(
                f"{where}unknown {self.what} {name!r}.{nearest(name, self._entries)} Allowed: "
                f"{', '.join(self._entries)}."
            )
        return self._entries[name]

    def __getitem__(self, name: str) -> Entry:
        self._load()
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        self._load()
        return iter(self._entries)

    def __len__(self) -> int:
        self._load()
        return len(self._entries)

    def _load(self) -> None:
        if not self._complete:
            self._complete = True
            package = import_module(self._package)
            for module in iter_modules(package.__path__, f"{self._package}."):
                import_module(module.name)


READERS: Registry[Any] = Registry("reader", "itdr.datasets.adapters")
ANSWER_KINDS: Registry[Any] = Registry("answer kind", "itdr.evaluation.kinds")
METRICS: Registry[Any] = Registry("metric", "itdr.evaluation.metrics")
TRIVIAL_ANSWERS: Registry[Any] = Registry("trivial answer", "itdr.evaluation.trivial")
SAMPLING_KINDS: Registry[Any] = Registry("sampling kind", "itdr.instructions.sampling")
FIGURES: Registry[Any] = Registry("figure", "itdr.reporting.figures")
