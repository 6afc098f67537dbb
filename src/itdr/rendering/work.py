"""How much work a template may do, counted before it is done."""

import re
import threading
from collections.abc import Mapping
from typing import Any

from jinja2.exceptions import SecurityError, TemplateRuntimeError
from jinja2.utils import Namespace

MOST_WORK = 20_000_000
"""Characters and values that a template may handle while it writes one text."""

STEP = 10
"""What each round of a loop is charged beside the characters that it writes."""

_LARGEST_ARGUMENT = 100_000
_MOST_BITS = 1024
_TEXT_METHODS = frozenset(
    ("capitalize", "casefold", "count", "endswith", "find", "index", "isalnum", "isalpha",
     "isascii", "isdecimal", "isdigit", "islower", "isnumeric", "isspace", "istitle", "isupper",
     "join", "lower", "lstrip", "partition", "removeprefix", "removesuffix", "replace", "rfind",
     "rindex", "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip",
     "swapcase", "title", "upper")
)  # fmt: skip
_LOCAL = threading.local()


class Meter:
    """How much work a template may still do."""

    def __init__(self, call_cost: int) -> None:
        self.left, self.call_cost = MOST_WORK, call_cost

    def charge(self, work: int) -> None:
        """Take so much off what is left. Raises TemplateRuntimeError when nothing is."""
        self.left -= work
        if self.left < 0:
            raise TemplateRuntimeError(
                f"it handles more than {MOST_WORK:,} characters and values for one text, which no "
                "real template does"
            )

    def charge_for(self, value: Any) -> Any:
        """Charge for the size of a value and all that it holds, and return it."""
        waiting = [value]
        while waiting:
            value_ = waiting.pop()
            if isinstance(value_, str | bytes):
                self.charge(1 + len(value_))
            elif isinstance(value_, list | tuple | set | frozenset):
                self.charge(1 + len(value_))
                waiting += value_
            elif isinstance(value_, Mapping):
                self.charge(1 + 2 * len(value_))
                waiting += [*value_, *value_.values()]
            elif isinstance(value_, Namespace):
                self.charge(1)
                waiting.append(object.__getattribute__(value_, "_Namespace__attrs"))
            else:
                self.charge(1)
        return value


def meter() -> Meter:
    """Return the meter of the text that this thread writes."""
    return _LOCAL.meter


def start(fresh: Meter) -> None:
    """Charge to a fresh meter from now on."""
    _LOCAL.meter = fresh


def check_arguments(name: str, given: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Refuse or charge for arguments that make much out of little."""
    options = [*given[1:], *kwargs.values()]
    for option in options:
        if isinstance(option, int) and abs(option) > _LARGEST_ARGUMENT:
            raise SecurityError(f"the filter {name!r} is given {option:,}")
    numbers = [option for option in options if isinstance(option, int)]
    if name == "replace" and len(given) > 2:
        _charge_replaced(*map(str, given[:3]))
    elif name == "join":
        _charge_joined(str(options[0]) if options else "", given[0])
    elif name == "format":
        _check_format(str(given[0]), options)
    elif name in ("indent", "tojson") and numbers:
        meter().charge(max(numbers) * len(str(given[0])))
    elif name == "sum" and any(isinstance(option, list | tuple) for option in options):
        raise SecurityError("the filter 'sum' adds numbers alone")


def check_method(function: Any, args: tuple[Any, ...]) -> None:
    """Refuse a method that makes much out of little, and charge for those of text that may."""
    owner, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
    if isinstance(owner, str):
        if name not in _TEXT_METHODS:
            raise SecurityError(f"the method {name!r} of a text is not available")
        if name == "replace" and len(args) > 1:
            _charge_replaced(owner, *map(str, args[:2]))
        elif name == "join" and args:
            _charge_joined(owner, args[0])
    elif isinstance(owner, int | float | bytes | complex):
        raise SecurityError(f"the method {name!r} of a number is not available")
    elif getattr(function, "__wrapped__", None) is not None and name.startswith("format"):
        raise SecurityError("the method 'format' of a text is not available; use the filter")


def _charge_replaced(text: str, old: str, new: str) -> None:
    meter().charge(text.count(old) * len(new))


def _charge_joined(between: str, values: Any) -> None:
    if hasattr(values, "__len__"):
        meter().charge(len(values) * len(between))
    else:
        meter().charge(_LARGEST_ARGUMENT * len(between))


def _check_format(text: str, options: list[Any]) -> None:
    """Refuse widths that no table has: '%99999999d' % 1."""
    if re.search(r"%[^%a-zA-Z]*(\d{4}|\*)", text):
        raise SecurityError(f"the format {text[:40]!r} is wider than 999")
    meter().charge(text.count("%") * 1000)


def check_operands(operator: str, left: Any, right: Any) -> None:
    """Charge for what an operator makes before it makes it."""
    charged = meter()
    texts = (str, bytes, list, tuple)
    if operator == "%" and isinstance(left, str | bytes):
        raise SecurityError("'%' formats no text here; use the filter 'format'")
    if operator == "+" and isinstance(left, texts):
        charged.charge_for([left, right])
    if operator == "*":
        for many, times in ((left, right), (right, left)):
            if isinstance(many, texts) and isinstance(times, int):
                before = charged.left
                charged.charge_for(many)
                charged.charge(max(0, times) * (before - charged.left))
    both = isinstance(left, int) and isinstance(right, int)
    if both and operator in ("*", "**"):
        bits = (
            left.bit_length() * right
            if operator == "**"
            else left.bit_length() + right.bit_length()
        )
        if bits > _MOST_BITS:
            raise SecurityError(f"a whole number of more than {_MOST_BITS} bits")
