"""Is there room for what the target leaves, on each disk that it goes to?"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from itdr.doctor.finding import Finding, gigabytes, listed
from itdr.doctor.machine import Disk, Machine
from itdr.doctor.models import to_download
from itdr.planning.jobs import ANSWERING
from itdr.planning.needs import Needs

_FOLDERS = {
    "raw": ("fetch_dataset",),
    "release": ("fetch_release",),
    "simulated": ("simulate_dataset",),
    "tables": ("normalise_dataset",),
    "instructions": ("build_examples", "annotate_examples", "split_examples", "import_release"),
    "mixtures": ("mix_examples",),
    "adapters": ("train_adapter",),
    "predictions": (*ANSWERING, "answer_trivially", "recommend"),
}
"""Folder below results to the rules that write to it."""

# Times what is needed, because sizes are estimates.
_COMFORT, _COMFORT_WHERE_VAGUE = 1.2, 2.0
_ROOM = (
    "make room, or move a folder to another disk: results by 'results' in the configuration, base "
    "models by HF_HOME, temporary files by TMPDIR."
)


def check_disks(needs: Needs, machine: Machine) -> Iterator[Finding]:
    """Yield a finding for each disk, however many folders lie on it."""
    if not needs.jobs:
        return
    places = _places(needs, machine)
    disks = {path: machine.disk(path) for path in places}
    by_device: dict[int, list[Path]] = defaultdict(list)
    for path, disk in disks.items():
        by_device[disk.device].append(path)
    for paths in by_device.values():
        yield _finding(needs, {path: places[path] for path in paths}, disks)


def _places(needs: Needs, machine: Machine) -> dict[Path, float]:
    """Return the folders that are written to and the MB that each needs."""
    results = Path(needs.sizes.workflow.experiment.results)
    places = {results / name: needs.cost(*rules).disk_mb for name, rules in _FOLDERS.items()
              if needs.of(*rules)}  # fmt: skip
    places.setdefault(results, 0.0)
    downloads = to_download(needs, machine)
    if downloads:
        places[machine.hub_cache] = sum(downloads.values())
    if needs.of("build_examples"):
        # Sampling spills to it what exceeds its memory: at most one dataset's tables or so.
        spilled = [needs.sizes.raw_mb(name)[1] * needs.sizes.rates.disk.tables_share
                   for name in needs.values("dataset", "build_examples")
                   if needs.sizes.is_downloaded(name)]  # fmt: skip
        places[machine.scratch] = max(spilled, default=0.0)
    return places


def _finding(needs: Needs, places: dict[Path, float], disks: dict[Path, Disk]) -> Finding:
    closed = [str(path) for path in places if not disks[path].writable]
    if closed:
        return Finding("disk", "missing", f"no permission to write to {listed(closed)}", "",
                       "give yourself that permission, or name other folders.")  # fmt: skip
    free, total = min(disks[path].free_mb for path in places), sum(places.values())
    vague = _unknown(needs, places)
    found = f"{gigabytes(free)} free for {listed(_shortened(places), 4)}"
    needed = f"{'at least ' if vague else ''}{gigabytes(total)}{_parts(places)}"
    if vague:
        needed += f"; no source states the whole size of {listed(vague)}"
    if free < total:
        return Finding("disk", "missing", found, needed, _ROOM)
    if free < total * (_COMFORT_WHERE_VAGUE if vague else _COMFORT):
        return Finding("disk", "warning", found, needed, f"it may not suffice: {_ROOM}")
    return Finding("disk", "ok", found, needed)


def _unknown(needs: Needs, places: dict[Path, float]) -> list[str]:
    """Return the datasets to be downloaded to these places whose whole size nobody states."""
    if all(path.name != "raw" for path in places):
        return []
    return [name for name in sorted(needs.values("dataset", "fetch_dataset"))
            if needs.sizes.is_downloaded(name) and not needs.sizes.raw_mb(name)[2]]  # fmt: skip


def _parts(places: dict[Path, float]) -> str:
    """Return what each folder needs, the largest first."""
    largest = sorted(places.items(), key=lambda place: -place[1])
    parts = [f"{path.name} {gigabytes(mb)}" for path, mb in largest if mb >= 1]
    return f" ({listed(parts, 8)})" if len(parts) > 1 else ""


def _shortened(places: dict[Path, float]) -> list[str]:
    """Return the folders, those of stages by the folder above them."""
    shown = [f"{path.parent if path.name in _FOLDERS else path}/" for path in places]
    return list(dict.fromkeys(shown))
