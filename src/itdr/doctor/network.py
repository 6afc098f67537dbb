"""Does each place answer that something will be fetched from? Asked only by --online."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import quote

from itdr.doctor.finding import Finding
from itdr.doctor.logins import read_hub_token
from itdr.doctor.machine import Machine
from itdr.doctor.models import to_download
from itdr.planning.jobs import ANSWERING
from itdr.planning.needs import Needs
from itdr.settings.dataset import DatasetSettings

_TIMEOUT_S = 5.0
_AT_ONCE = 8
_HUB = "https://huggingface.co"
_PLACES = {"kaggle": "https://www.kaggle.com/", "gdrive": "https://drive.google.com/"}


@dataclass(frozen=True)
class Address:
    """Something to ask for.

    Attributes:
        name: what it is good for.
        urls: alternatives; one that answers is enough.
        any_answer: whether a refusal is an answer, too: an endpoint has nothing at its root.
        headers: sent along, such as the hub's token.
        advice: what to do where it is refused.
    """

    name: str
    urls: tuple[str, ...]
    any_answer: bool = False
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    advice: str = ""


def check_network(needs: Needs, machine: Machine) -> Iterator[Finding]:
    """Yield a finding for each address, from HEAD requests that carry nothing of the user's.

    Only the hub of gated models gets its own token, to learn whether their licence was accepted.
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from pool.map(_ask, addresses(needs, machine))


def addresses(needs: Needs, machine: Machine) -> list[Address]:
    """Return what the target will fetch from or ask."""
    hub = (machine.variables.get("HF_ENDPOINT") or _HUB).rstrip("/")
    return [*_of_data(needs, hub), *_of_models(needs, machine, hub), *_of_endpoints(needs)]


def _of_data(needs: Needs, hub: str) -> Iterator[Address]:
    experiment = needs.sizes.workflow.experiment
    for name in sorted(needs.values("dataset", "fetch_dataset")):
        source = needs.sizes.workflow.datasets[name]
        if not needs.sizes.is_downloaded(name) or source.kind == "manual":
            continue
        if source.kind in _PLACES:
            yield Address(f"data {name}", (_PLACES[source.kind],), any_answer=True)
            continue
        for urls in _urls(source, hub):
            yield Address(f"data {name}", urls, advice=f"see {source.page}, or get it by hand.")
    if needs.of("fetch_release") and experiment.release.folder is None:
        yield Address("released data", (experiment.release.address,), any_answer=True)
    if needs.of("import_adapter") and experiment.released_adapters.folder is None:
        yield Address("released adapters", (_PLACES["gdrive"],), any_answer=True)


def _urls(source: DatasetSettings, hub: str) -> list[tuple[str, ...]]:
    """Return the addresses of each file that is fetched; of a hub, one stands for all."""
    needed = [file for file in source.files if file.needed]
    items = [source.archive_of(file) or file for file in needed]
    found = list(dict.fromkeys(item.at for item in items if item.at))
    if source.kind != "huggingface":
        return found
    base = f"{hub}/datasets/{source.repository}/resolve/{source.revision or 'main'}"
    return [(f"{base}/{quote(found[0][0])}",)]


def _of_models(needs: Needs, machine: Machine, hub: str) -> Iterator[Address]:
    token = read_hub_token(machine)
    for model in to_download(needs, machine):
        settings = needs.sizes.workflow.models[model]
        url = f"{hub}/{settings.source}/resolve/{settings.revision or 'main'}/config.json"
        headers = {"Authorization": f"Bearer {token}"} if token and settings.gated else {}
        advice = (f"accept its licence on {_HUB}/{settings.source} and set HF_TOKEN."
                  if settings.gated else "")  # fmt: skip
        yield Address(f"model {model}", (url,), headers=headers, advice=advice)


def _of_endpoints(needs: Needs) -> Iterator[Address]:
    workflow = needs.sizes.workflow
    teacher = workflow.experiment.teacher
    if needs.of("annotate_examples") and teacher.kind == "endpoint":
        yield Address(f"teacher {teacher.model}", (teacher.base_url,), any_answer=True)
    for model in needs.values("model", *ANSWERING):
        endpoint = workflow.models[model].endpoint
        if endpoint:
            yield Address(f"endpoint {model}", (endpoint.base_url,), any_answer=True)


def _ask(address: Address) -> Finding:
    import httpx

    said: list[str] = []
    for url in address.urls:
        try:
            answer = httpx.head(url, headers=address.headers, timeout=_TIMEOUT_S,
                                follow_redirects=True)  # fmt: skip
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            said.append(f"{url}: {str(error) or type(error).__name__}")
            continue
        status = answer.status_code
        if status < 400 or (address.any_answer and status < 500):
            return Finding(f"online: {address.name}", "ok", f"{url} answers")
        said.append(f"{url}: {status} {answer.reason_phrase}")
        if status == 405:  # some servers do not know HEAD
            return Finding(f"online: {address.name}", "warning", said[-1], "",
                           "the server tells nothing without a download.")  # fmt: skip
    return Finding(f"online: {address.name}", "missing", "; ".join(said), "",
                   address.advice or "look at the network, a proxy, or the address.")  # fmt: skip
