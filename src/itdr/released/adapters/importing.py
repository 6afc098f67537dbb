"""From a published LoRA adapter to a folder like that of a training."""

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from itdr.errors import ModelError
from itdr.files.atomic import atomic_folder
from itdr.files.checksums import sha256
from itdr.files.formats import write_checked_json, write_json
from itdr.models.folder import safetensors_header
from itdr.models.loading import load_config, tensors_fault, weights_checksum
from itdr.provenance import provenance
from itdr.released.adapters.names import has_own_names, mapped
from itdr.released.adapters.places import (
    CONFIG,
    PICKLE,
    WEIGHTS,
    Place,
    base_of,
    find_adapter,
    is_of,
    read_config,
)
from itdr.settings.model import REQUESTED, ModelSettings

log = logging.getLogger("itdr")

_PACKAGES = ("torch", "transformers", "peft", "safetensors")
_SAFE = (
    "A pickle can run code when it is read. Where you trust it, write it anew: "
    "python -c \"import torch, safetensors.torch as s; s.save_file(torch.load('adapter_model.bin', "
    "weights_only=True), 'adapter_model.safetensors')\""
)


def import_adapter(
    model: ModelSettings, place: Place, out: Path, name: str | None = None
) -> dict[str, Any]:
    """Write a published adapter of a base model to the folder `out`, as PEFT loads it there.

    Beside adapter_config.json and adapter_model.safetensors there is run.json: where they come
    from, which base model they name, and checksums of what was found and what was written. Tensors
    with the names of GLM's own code get those of transformers' architecture.

    Args:
        model: the base model, whose configuration is here.
        place: where the adapter lies, with others or alone.
        out: the folder, which is replaced.
        name: of the adapter's folder in there; None: the only one of that base model.

    Returns:
        What run.json says.

    Raises:
        MissingFileError: there is no such adapter, or nothing but pickles.
        ModelError: it is no LoRA adapter, or none of this model.
        DownloadError: it cannot be had.
    """
    folder = find_adapter(place, model, name)
    where = f"{place.name}: {folder}"
    config = read_config(place, folder)
    _require_lora(config, where)
    if not is_of(base_of(config), model):
        log.warning(
            "%s: it was trained on %s, as its %s says, and is used with %s",
            where, base_of(config) or "an unnamed base model", CONFIG, model.source,
        )  # fmt: skip
    weights = _safe_weights(place, folder, where)
    with atomic_folder(out, "import-adapter") as unfinished:
        renamed = _write(weights, config, unfinished, model, where)
        if wrong := tensors_fault(unfinished, model):
            raise ModelError(f"{where}: not a LoRA adapter of {model.model} ({wrong}).")
        record = {
            "model": model.model_dump(mode="json", exclude=set(REQUESTED)),
            "weights_sha256": weights_checksum(model),
            "imported": {
                "place": place.name,
                "folder": folder,
                "base_model": base_of(config) or None,
                "sha256": sha256(weights),
                "renamed": renamed,
            },
            "provenance": provenance(_PACKAGES),
            "files": {file: sha256(unfinished / file) for file in (CONFIG, WEIGHTS)},
        }
        write_checked_json(unfinished / "run.json", record)
    return record


def _require_lora(config: Mapping[str, object], where: str) -> None:
    kind = config.get("peft_type")
    if kind != "LORA":
        raise ModelError(
            f"{where}/{CONFIG}: 'peft_type' is {kind!r}; needed is 'LORA', an adapter of PEFT."
        )


def _safe_weights(place: Place, folder: str, where: str) -> Path:
    """Return where the weights lie, which are safetensors and whole as far as their header says."""
    paths = {(PurePosixPath(folder) / name).as_posix() for name in (WEIGHTS, PICKLE)}
    there = {PurePosixPath(path).name for path in place.paths if path in paths}
    if WEIGHTS not in there:
        found = f"only {PICKLE}. {_SAFE}" if PICKLE in there else "not there."
        raise ModelError(f"{where}: needed is {WEIGHTS}; found: {found}")
    path = place.bring((PurePosixPath(folder) / WEIGHTS).as_posix())
    if safetensors_header(path) is None:
        raise ModelError(
            f"{where}/{WEIGHTS}: is no safetensors file (an error page, a Git LFS pointer, a "
            "download that broke off?). Fetch it again."
        )
    return path


def _write(
    weights: Path, config: Mapping[str, object], out: Path, model: ModelSettings, where: str
) -> bool:
    """Write both files and say whether tensors were renamed."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file, save_file

    try:
        tensors = load_file(weights)
    except SafetensorError as error:
        raise ModelError(f"{where}/{WEIGHTS}: is damaged ({error}). Fetch it again.") from error
    written = {**config, "base_model_name_or_path": model.source, "revision": model.revision}
    renamed = has_own_names(tensors)
    if not renamed:
        shutil.copyfile(weights, out / WEIGHTS)
    else:
        if config.get("rank_pattern") or config.get("alpha_pattern"):
            raise ModelError(
                f"{where}/{CONFIG}: 'rank_pattern' or 'alpha_pattern' is set; an adapter with the "
                "names of GLM's own code needs one rank and alpha for all layers."
            )
        try:
            tensors = mapped(tensors, load_config(model))
        except ModelError as error:
            raise ModelError(f"{where}/{WEIGHTS}: {error}.") from error
        save_file(tensors, out / WEIGHTS, metadata={"format": "pt"})
        targets = sorted({name.split(".lora_")[0].rpartition(".")[2] for name in tensors})
        written |= {"target_modules": targets, "auto_mapping": None, "task_type": "CAUSAL_LM"}
    write_json(out / CONFIG, written)
    return renamed
