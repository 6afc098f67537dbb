"""Is the folder of a model complete? Judged without loading anything."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from itdr.datasets.download.checks import is_pointer

_INDEX = "model.safetensors.index.json"
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt")
_LONGEST_HEADER = 100_000_000  # bytes; as the safetensors library has it


def cached_folder(source: str, revision: str | None, cache: Path) -> Path | None:
    """Return the folder of a Hugging Face id in its cache, complete or not, or None.

    revision: a commit; None: what the newest download was.
    """
    folder = cache / f"models--{source.replace('/', '--')}"
    main = folder / "refs" / "main"
    if revision is None and main.is_file():
        revision = main.read_text(encoding="utf-8").strip()
    snapshot = folder / "snapshots" / (revision or "")
    return snapshot if revision and snapshot.is_dir() else None


def is_cached(source: str, revision: str | None, cache: Path) -> bool:
    """Say whether a Hugging Face id lies complete in its cache."""
    folder = cached_folder(source, revision, cache)
    return folder is not None and not faults(folder)


def faults(folder: Path) -> list[str]:
    """Return what a model's folder lacks for training and inference; [] where it is complete."""
    return [*description_faults(folder), *_weight_faults(folder)]


def description_faults(folder: Path) -> Iterator[str]:
    """Yield what lacks of configuration, tokenizer and chat template."""
    if not isinstance(_json(folder / "config.json"), dict):
        yield _fault(folder / "config.json", "no JSON object")
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        yield f"no tokenizer ({', '.join(_TOKENIZERS)})"
    settings = _json(folder / "tokenizer_config.json")
    within = isinstance(settings, dict) and settings.get("chat_template")
    if not within and not (folder / "chat_template.jinja").is_file():
        yield "no chat_template.jinja, nor a chat template in tokenizer_config.json"


def _weight_faults(folder: Path) -> Iterator[str]:
    index = folder / _INDEX
    if index.exists():
        value = _json(index)
        names = value.get("weight_map") if isinstance(value, dict) else None
        if not isinstance(names, dict) or not names:
            yield _fault(index, "no index of weights")
            return
        files = [folder / str(name) for name in sorted(set(names.values()), key=str)]
    else:
        files = [folder / "model.safetensors"]
    for file in files:
        wrong = _file_fault(file)
        if wrong:
            yield wrong


def _file_fault(path: Path) -> str | None:
    """Return what is wrong with a safetensors file: its header tells how long it must be."""
    if not path.is_file():
        return f"no {path.name}"
    size, whole = path.stat().st_size, _whole_size(path)
    if whole is None:
        return _fault(path, "no safetensors file")
    return f"{path.name} is cut off: {size:,} of {whole:,} bytes" if size < whole else None


def _whole_size(path: Path) -> int | None:
    """Return the bytes that a safetensors file has by its header, None where it has none."""
    with path.open("rb") as file:
        head = file.read(8)
        length = struct.unpack("<Q", head)[0] if len(head) == 8 else 0
        if not 0 < length <= _LONGEST_HEADER:
            return None
        try:
            header = json.loads(file.read(length))
            ends = [value["data_offsets"][1] for name, value in header.items()
                    if name != "__metadata__"]  # fmt: skip
            return int(8 + length + max(ends, default=0))
        except (ValueError, TypeError, KeyError, IndexError, AttributeError):
            return None


def _fault(path: Path, otherwise: str) -> str:
    if not path.is_file():
        return f"no {path.name}"
    with path.open("rb") as file:
        pointer = is_pointer(file.read(100))
    return f"{path.name} is {'a Git LFS pointer' if pointer else otherwise}"


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
