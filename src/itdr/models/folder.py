"""Is the folder of a model complete? Judged without loading anything."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from itdr.datasets.download.checks import is_pointer
from itdr.files.checksums import parse_json
from itdr.rendering.template import Template, TemplateFaultError

_INDEX = "model.safetensors.index.json"
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt")
_LONGEST_HEADER = 100_000_000  # bytes; as the safetensors library has it


def cached_folder(source: str, revision: str | None, cache: Path) -> Path | None:
    """Return the folder of a Hugging Face id in its cache, complete or not, or None.

    huggingface_hub.snapshot_download with local_files_only refuses one that is not complete.

    revision: a commit; None or main: what the newest download was.
    """
    folder = cache / f"models--{source.replace('/', '--')}"
    main = folder / "refs" / "main"
    if revision in (None, "main") and main.is_file():
        revision = main.read_text(encoding="utf-8").strip()
    snapshot = folder / "snapshots" / (revision or "")
    return snapshot if revision and snapshot.is_dir() else None


def is_cached(source: str, revision: str | None, cache: Path, template: str | None = None) -> bool:
    """Say whether a Hugging Face id lies complete in its cache; template: as faults has it."""
    folder = cached_folder(source, revision, cache)
    return folder is not None and not faults(folder, template)


def faults(folder: Path, template: str | None = None) -> list[str]:
    """Return what a model's folder lacks for training and inference; [] where it is complete.

    template: the chat template that goes before the folder's own, if there is one.
    """
    return [*description_faults(folder, template), *_weight_faults(folder)]


def description_faults(folder: Path, template: str | None = None) -> Iterator[str]:
    """Yield what lacks of configuration, tokenizer and chat template."""
    if not (folder / "config.json").is_file():
        yield "no config.json"
    yield from text_faults(folder, template)


def text_faults(folder: Path, template: str | None = None) -> Iterator[str]:
    """Yield what lacks for writing prompts as tokens, and reading them."""
    yield from _configuration_faults(folder)
    yield from _tokenizer_faults(folder, template)
    yield from _vocabulary_faults(folder)


def _tokenizer_faults(folder: Path, template: str | None) -> Iterator[str]:
    there = [folder / name for name in _TOKENIZERS if (folder / name).is_file()]
    if not there:
        yield f"no tokenizer ({', '.join(_TOKENIZERS)})"
    for path in there:
        value = _json(path) if path.suffix == ".json" else {}
        form = path.name != "tokenizer.json" or (isinstance(value, dict) and "model" in value)
        if _is_pointer(path) or not isinstance(value, dict) or not form:
            yield _fault(path, "no tokenizer")
    settings = folder / "tokenizer_config.json"
    if settings.is_file() and not isinstance(_json(settings), dict):
        yield _fault(settings, "no JSON object")
        return
    if template is None:
        yield from _template_faults(folder)
    else:
        yield from _text_faults(template, "its chat_template")


def _template_faults(folder: Path) -> Iterator[str]:
    path = folder / "chat_template.jinja"
    if path.is_file():
        text, place = _text(path), path.name
    else:
        settings = _json(folder / "tokenizer_config.json") or {}
        text, place = settings.get("chat_template"), "the chat_template in tokenizer_config.json"
        if isinstance(text, list):  # several with a name each
            named = {entry.get("name"): entry.get("template") for entry in text
                     if isinstance(entry, dict)}  # fmt: skip
            text = named.get("default")
    if text is None and not path.is_file():
        yield "no chat_template.jinja, nor a chat template in tokenizer_config.json"
    elif path.is_file() and _is_pointer(path):
        yield _fault(path, "")
    elif not isinstance(text, str):
        yield f"{place} is no text"
    else:
        yield from _text_faults(text, place)


def _text_faults(template: str, place: str) -> Iterator[str]:
    """Yield what is wrong with a chat template; place: where it stands."""
    try:
        asked = [{"role": "user", "content": "A question."}]
        written = Template(template, is_chat=True).render(
            {"messages": asked, "add_generation_prompt": True}
        )
    except TemplateFaultError as error:
        yield f"{place} cannot be used: {error}"
        return
    if "A question." not in written:
        yield f"{place} leaves out what is asked"


def _configuration_faults(folder: Path) -> Iterator[str]:
    path = folder / "config.json"
    config = _json(path)
    if not path.is_file():
        config = {"model_type": ""}
    if not isinstance(config, dict):
        yield _fault(path, "no JSON object")
    elif config.get("quantization_config") is not None:
        yield "config.json has a quantization_config; take the model as it was before that"
    elif not isinstance(config.get("model_type"), str):
        yield "config.json names no model_type"
    path = folder / "generation_config.json"
    if path.is_file() and not isinstance(_json(path), dict):
        yield _fault(path, "no JSON object")


def _vocabulary_faults(folder: Path) -> Iterator[str]:
    """Yield that there are tokens without a place in the model, which would end in nothing."""
    config, tokenizer = (_json(folder / name) for name in ("config.json", "tokenizer.json"))
    size = config.get("vocab_size") if isinstance(config, dict) else None
    if not isinstance(size, int) or not isinstance(tokenizer, dict):
        return
    model = tokenizer.get("model")
    words = model.get("vocab") if isinstance(model, dict) else None
    numbers = words.values() if isinstance(words, dict) else range(len(words or ()))
    added = [token.get("id") for token in tokenizer.get("added_tokens") or ()
             if isinstance(token, dict)]  # fmt: skip
    highest = max((n for n in (*numbers, *added) if isinstance(n, int)), default=-1)
    if highest >= size:
        yield (
            f"tokenizer.json has tokens up to {highest:,} and config.json room for {size:,} "
            "(vocab_size): they are of different models"
        )


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
    header = safetensors_header(path)
    if header is None:
        return None
    with path.open("rb") as file:
        length = struct.unpack("<Q", file.read(8))[0]
    ends = [value["data_offsets"][1] for name, value in header.items() if name != "__metadata__"]
    return int(8 + length + max(ends, default=0))


def safetensors_header(path: Path) -> dict[str, Any] | None:
    """Return the header of a safetensors file: of each tensor dtype, shape and data_offsets.

    None where the file is none.
    """
    with path.open("rb") as file:
        head = file.read(8)
        length = struct.unpack("<Q", head)[0] if len(head) == 8 else 0
        if not 0 < length <= _LONGEST_HEADER:
            return None
        try:
            header = json.loads(file.read(length))
            for name, value in header.items():
                if name != "__metadata__":
                    _ = int(value["data_offsets"][1]), [int(size) for size in value["shape"]]
        except (ValueError, TypeError, KeyError, IndexError, AttributeError):
            return None
    return dict(header)


def _fault(path: Path, otherwise: str) -> str:
    if not path.is_file():
        return f"no {path.name}"
    return f"{path.name} is {'a Git LFS pointer' if _is_pointer(path) else otherwise}"


def _is_pointer(path: Path) -> bool:
    with path.open("rb") as file:
        return is_pointer(file.read(100))


def _json(path: Path) -> Any:
    try:
        return parse_json(path.read_bytes())
    except (OSError, ValueError):
        return None


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
