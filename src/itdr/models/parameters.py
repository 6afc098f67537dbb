"""How many parameters a model has: counted in the headers of its weights, or told by its name."""

import re
from math import prod
from pathlib import Path

from itdr.models.folder import safetensors_header

_IN_NAME = re.compile(r"(?<![a-z0-9])(?:(\d+)x)?(\d+(?:\.\d+)?)([bm])(?![a-z0-9])", re.IGNORECASE)


def counted_billions(folder: Path) -> float:
    """Return the parameters in billions of the safetensors files of a folder; 0 without any."""
    headers = map(safetensors_header, sorted(folder.glob("*.safetensors")))
    return (
        sum(
            prod(tensor["shape"])
            for header in headers
            for name, tensor in (header or {}).items()
            if name != "__metadata__"
        )
        / 1e9
    )


def named_billions(source: str) -> float:
    """Return the parameters in billions that a name tells, as 7 of "Qwen2.5-7B"; 0 if none.

    Of several numbers the first counts: "30B-A3B" has 30, of which 3 are active.
    """
    found = _IN_NAME.search(source.rpartition("/")[2])
    if not found:
        return 0.0
    experts, number, unit = found.groups()
    return float(number) * int(experts or 1) / (1 if unit in "bB" else 1000)
