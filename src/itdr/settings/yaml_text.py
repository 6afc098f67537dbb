"""YAML as settings files use it: plain values under keys that are text, and nothing that grows.

Nothing is ever run or built from a tag. A few lines of YAML can stand for billions of values by
repeating an anchor, and a few kilobytes can nest deeper than Python's stack: both are refused while
the text is read.
"""

import re
from collections.abc import Hashable
from typing import Any

import yaml

_DEEPEST = 50
"""Levels of nesting; settings need six."""

_MOST_VALUES = 100_000
"""Values, each alias counted as all that it stands for; the largest settings file has 1,200."""

_LARGEST = 2**53
"""Whole numbers up to here are the same in YAML, JSON and every library they are handed to."""

_MERGE = "tag:yaml.org,2002:merge"


class YamlTextError(Exception):
    """A text is not YAML of this kind; the message says where and why."""


class _Loader(yaml.SafeLoader):
    """YAML that reads 1e-4 as a number and refuses what settings never are."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = self._values = 0
        self._sizes: dict[str, int] = {}

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose a value, counting what it stands for."""
        event = self.peek_event()
        before = self._values
        is_alias = isinstance(event, yaml.AliasEvent)
        # An alias inside its own anchor has no size yet, and would have none that is finite.
        self._values += self._sizes.get(event.anchor, _MOST_VALUES) if is_alias else 1
        if self._values > _MOST_VALUES:
            problem = f"stands for more than {_MOST_VALUES:,} values"
            raise yaml.composer.ComposerError(None, None, problem, event.start_mark)
        if self._depth >= _DEEPEST:
            problem = f"nested deeper than {_DEEPEST} levels"
            raise yaml.composer.ComposerError(None, None, problem, event.start_mark)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        if event.anchor is not None and not is_alias:
            self._sizes[event.anchor] = self._values - before
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        """Return a mapping whose keys are text and stand once."""
        seen: set[str] = set()
        for key_node, _ in node.value:
            if key_node.tag == _MERGE:
                raise _wrong("merge keys (<<) are not read; write the keys out", key_node)
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise _wrong(f"the key {key!r} is no text; put it in quotes", key_node)
            if key in seen:
                raise _wrong(f"the key {key!r} stands twice", key_node)
            seen.add(key)
        return super().construct_mapping(node, deep)

    def construct_yaml_int(self, node: Any) -> int:
        """Return a whole number that every library can hold, as its digits say.

        YAML 1.1 takes 010 for 8, 1_000 for 1000 and 1:30 for 90.
        """
        if not re.fullmatch(r"[-+]?(0|[1-9][0-9]*)", str(node.value)):
            raise _wrong(f"{node.value!r} could be read in several ways; write digits alone", node)
        value = super().construct_yaml_int(node)
        if abs(value) > _LARGEST:
            raise _wrong(f"a whole number beyond {_LARGEST:,}", node)
        return value

    def construct_yaml_str(self, node: Any) -> str:
        """Return a text that can be written and named in a path."""
        value = super().construct_yaml_str(node)
        if "\0" in value or (not value.isascii() and re.search("[\ud800-\udfff]", value)):
            raise _wrong("a text with a character that no file can hold", node)
        return value


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
_Loader.add_constructor("tag:yaml.org,2002:str", _Loader.construct_yaml_str)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$"),
    list("-+0123456789."),
)


def parse_yaml(text: str) -> Any:
    """Return the value that a text of YAML stands for.

    Raises:
        YamlTextError: it is not YAML, a key stands twice or is no text, or it nests too deeply,
            stands for too many values or holds a number or a text that nothing can hold.
    """
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 (a safe loader)
    except yaml.YAMLError as error:
        raise YamlTextError(str(error)) from error
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        # PyYAML lets its converters raise what they meet: "2001-13-01" is a ValueError.
        raise YamlTextError(f"a value is not what its form or tag says: {error}") from error


def _wrong(problem: str, node: Any) -> yaml.YAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
