"""What the pages of docs/ say, for tests that do it."""

import re

from tests.conftest import ROOT

_FILE = re.compile(r"^`([^`\n]+)`:\n\n```\w+\n(.*?)```$", re.M | re.S)
_BLOCK = re.compile(r"^```yaml\n(.*?)```$", re.M | re.S)


def page(name: str) -> str:
    """Return the text of a page, such as how-to/add-a-task.md."""
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def files_of(name: str) -> dict[str, str]:
    """Return path to text of the files that a page shows, each below a line with its path."""
    return dict(_FILE.findall(page(name)))


def yaml_of(name: str, word: str) -> str:
    """Return the one block of YAML on a page that holds a word."""
    (block,) = (block for block in _BLOCK.findall(page(name)) if word in block)
    return block
