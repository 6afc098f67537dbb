"""The settings classes as a reference: a JSON schema, a page, and the comments of config.yaml.

All three are made from the same descriptions (`make reference`), so that they cannot drift apart.
"""

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Any

from pydantic import BaseModel

_WIDTH = 100
_BOUNDS = {"minimum": "{} or more", "exclusiveMinimum": "above {}", "maximum": "{} at most",
           "exclusiveMaximum": "below {}"}  # fmt: skip
_KINDS = {"integer": "whole number", "number": "number", "string": "text",
          "boolean": "true or false", "null": "null"}  # fmt: skip

Schema = Mapping[str, Any]


def json_schema(model: type[BaseModel]) -> str:
    """Return the JSON schema of files that are laid over others, so that no key is needed."""
    schema = model.model_json_schema()
    schema.pop("required", None)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(head | schema, indent=2, ensure_ascii=False) + "\n"


def settings_page(files: Mapping[str, type[BaseModel]]) -> str:
    """Return a page in Markdown that tells every key of the kinds of settings files."""
    parts = ["# Settings", "This page lists every key of every settings file. `make reference` "
             "makes it from the settings classes. Unknown keys are refused."]  # fmt: skip
    for name, model in files.items():
        schema = model.model_json_schema()
        parts.append(f"## {name}\n\n{_plain(schema.get('description', ''))}")
        parts += _tables(schema, schema.get("$defs", {}))
    return "\n\n".join(parts) + "\n"


def with_comments(text: str, model: type[BaseModel]) -> str:
    """Return a YAML file of settings whose keys have their descriptions as comments.

    What stands above the first empty line and inside lists is left as it is.
    """
    head, _, body = text.partition("\n\n")
    schema = model.model_json_schema()
    defs = schema.get("$defs", {})
    found: list[str] = []
    path: list[tuple[int, Schema]] = [(-1, schema)]
    for line in body.splitlines():
        key = re.match(r"( *)([a-z_]+):(?: (.*))?$", line)
        if key is None:
            found.append(line)
            continue
        indent = len(key[1])
        while path[-1][0] >= indent:
            path.pop()
        field = path[-1][1].get("properties", {}).get(key[2])
        if field is None:
            found.append(line)
            continue
        while found and re.match(rf" {{{indent}}}#", found[-1]):
            found.pop()
        bare = re.sub(r"(^|\s+)#.*$", "", line[: key.end()]) if key[3] else line
        found += _commented(bare, _described(field, defs), indent)
        path.append((indent, _inner(field, defs)))
    return f"{head}\n\n" + "\n".join(found) + "\n"


def _commented(line: str, comment: str, indent: int) -> list[str]:
    """Return a key with its comment behind it if it fits there, else above it."""
    if not indent:
        comment = f"{comment[0].upper()}{comment[1:]}."
    beside = f"{line} # {comment}"
    if indent and len(beside) <= _WIDTH:
        return [beside]
    blanks = " " * indent
    return [*wrap(comment, _WIDTH, initial_indent=f"{blanks}# ", subsequent_indent=f"{blanks}# ",
                  break_long_words=False, break_on_hyphens=False), line]  # fmt: skip


def _described(field: Schema, defs: Schema) -> str:
    """Return what a key means, with the words that it may be if these are not named already."""
    text = _meaning(field, defs)
    words = [word for word in _words(field, defs) if not re.search(rf"\b{re.escape(word)}\b", text)]
    return f"{text} ({', '.join(_words(field, defs))})" if words else text


def _meaning(field: Schema, defs: Schema) -> str:
    return _plain(field.get("description") or _inner(field, defs).get("description", ""))


def _words(field: Schema, defs: Schema) -> list[str]:
    """Return the words that a key may be, [] where it may be anything else."""
    field = _resolved(field, defs)
    if "enum" in field or "const" in field:
        return [str(word) for word in field.get("enum", [field.get("const")])]
    return [word for option in field.get("anyOf", ()) for word in _words(option, defs)]


def _tables(schema: Schema, defs: Schema, prefix: str = "") -> Iterator[str]:
    """Yield a table of a mapping's keys, then those of the mappings inside, each with a heading."""
    needed = schema.get("required", ())
    rows = ["| key | may be | default | meaning |", "|---|---|---|---|"]
    for name, field in schema["properties"].items():
        default = "required" if name in needed else f"`{_yaml(field.get('default'))}`"
        inner = _inner(field, defs)
        shown = "the keys below" if inner and "default" in field else default
        cells = (f"`{name}`", _kind(field, defs), shown, _meaning(field, defs))
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    yield "\n".join(rows)
    for name, field in schema["properties"].items():
        for label, inner in _mappings(field, defs, name):
            yield f"### `{prefix}{label}`\n\n{_plain(inner.get('description', ''))}".rstrip()
            yield from _tables(inner, defs, f"{prefix}{label}.")


def _mappings(field: Schema, defs: Schema, label: str) -> Iterator[tuple[str, Schema]]:
    """Yield the mappings with keys of their own that a value is or holds, and how to reach them."""
    field = _resolved(field, defs)
    if "properties" in field:
        kind = field["properties"].get("kind", {}).get("const")
        yield f"{label} ({kind})" if kind else label, field
    for option in (*field.get("anyOf", ()), *field.get("oneOf", ())):
        yield from _mappings(option, defs, label)
    if isinstance(field.get("items"), Mapping):
        yield from _mappings(field["items"], defs, f"{label}[]")
    if field.get("type") == "object" and "properties" not in field:
        yield from _mappings(_values(field), defs, f"{label}.*")


def _kind(field: Schema, defs: Schema) -> str:
    """Return what values a key may have, in words."""
    field = _resolved(field, defs)
    if options := field.get("anyOf") or field.get("oneOf"):
        kinds = list(dict.fromkeys(_kind(option, defs) for option in options))
        return (", or " if any(", " in kind for kind in kinds) else " or ").join(kinds)
    if words := _words(field, defs):
        return ", ".join(f"`{word}`" for word in words)
    if "properties" in field:
        return "keys of its own"
    kind = field.get("type")
    if kind == "array":
        items = field.get("prefixItems") or [field["items"]]
        return f"list of: {' and '.join(_kind(item, defs) for item in items)}"
    if kind == "object":
        return f"mapping to: {_kind(_values(field), defs)}"
    bounds = [form.format(field[name]) for name, form in _BOUNDS.items() if name in field]
    return ", ".join([_KINDS.get(str(kind), "anything"), *bounds])


def _values(field: Schema) -> Schema:
    """Return what the values of a mapping are; keys with a pattern are told apart in a schema."""
    found = [*field.get("patternProperties", {}).values(), field.get("additionalProperties")]
    return found[0] if isinstance(found[0], Mapping) else {}


def _inner(field: Schema, defs: Schema) -> Schema:
    """Return the mapping that a key holds; {} if it holds something else."""
    field = _resolved(field, defs)
    return field if "properties" in field else {}


def _resolved(field: Schema, defs: Schema) -> Schema:
    """Return a field with what it refers to."""
    if "$ref" not in field:
        return field
    return {**defs[field["$ref"].rsplit("/", 1)[-1]], **field}


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", inspect.cleandoc(text)).rstrip(".")


def _yaml(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
