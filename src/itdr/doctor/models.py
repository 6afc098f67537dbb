"""Can the base models be had: from their folder, from the cache, or from the hub?"""

from collections.abc import Iterator
from pathlib import Path

from itdr.doctor.finding import Finding, gigabytes, listed
from itdr.doctor.logins import hub_token
from itdr.doctor.machine import Machine
from itdr.models.folder import cached_folder, faults, is_cached
from itdr.models.source import looks_local
from itdr.planning.needs import Needs
from itdr.settings.model import ModelSettings


def check_models(needs: Needs, machine: Machine) -> Iterator[Finding]:
    """Yield a finding for each base model whose weights must be here."""
    for model in needs.models:
        settings = needs.sizes.workflow.models[model]
        if settings.source and (settings.is_local or looks_local(settings.source)):
            yield _local(settings)
        elif settings.source:
            yield _of_the_hub(settings, needs, machine)


def to_download(needs: Needs, machine: Machine) -> dict[str, float]:
    """Return the models that are not here yet and the MB of each, in 16 bits."""
    sources = {model: needs.sizes.workflow.models[model] for model in needs.models}
    return {model: 2000 * needs.sizes.billions(model) for model, settings in sources.items()
            if settings.source and not settings.is_local and not looks_local(settings.source)
            and not is_cached(settings.source, settings.revision, machine.hub_cache,
                              settings.chat_template)}  # fmt: skip


def _local(settings: ModelSettings) -> Finding:
    name, folder = f"model {settings.model}", Path(settings.source)
    advice = f"put the model's files there, or mend 'source' in {_file(settings)}."
    if not folder.is_dir():
        return Finding(name, "missing", f"no folder {folder}", "", advice)
    wrong = faults(folder, settings.chat_template)
    if wrong:
        return Finding(name, "missing", f"{folder}: {listed(wrong)}", "a complete model", advice)
    return Finding(name, "ok", f"{folder}, complete")


def _of_the_hub(settings: ModelSettings, needs: Needs, machine: Machine) -> Finding:
    name, source = f"model {settings.model}", settings.source
    cached = cached_folder(source, settings.revision, machine.hub_cache)
    wrong = faults(cached, settings.chat_template) if cached else []
    if cached and not wrong:
        return Finding(name, "ok", f"{source}, complete in the cache")
    found = f"{source}, not whole in the cache: {listed(wrong)}" if cached else source
    size = gigabytes(2000 * needs.sizes.billions(settings.model))
    if machine.is_offline:
        return Finding(name, "missing", f"{found}; HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE is set",
                       f"a download of {size}", "unset it, or name a local folder as 'source' in "
                       f"{_file(settings)}.")  # fmt: skip
    if not settings.gated:
        return Finding(name, "ok", found, f"a download of {size}, no login")
    token = hub_token(machine)
    if not token:
        return Finding(name, "missing", f"{found}; no token for the hub",
                       f"a download of {size}, its licence accepted", "accept it on "
                       f"https://huggingface.co/{source}, make a token on "
                       "https://huggingface.co/settings/tokens and set HF_TOKEN to it."
                       )  # fmt: skip
    return Finding(name, "ok", f"{found}; token in {token}",
                   f"a download of {size}, its licence accepted (--online finds out)"
                   )  # fmt: skip


def _file(settings: ModelSettings) -> str:
    return f"config/models/{settings.model}.yaml"
