"""The inputs that fuzzing learnt from, kept small: tests/fuzz/corpus/READER.zip."""

import zipfile
from pathlib import Path

KEPT = Path(__file__).parent / "corpus"
_LARGEST = 4_000
_MOST = 20_000
_EPOCH = (1980, 1, 1, 0, 0, 0)


def load(reader: str) -> dict[str, bytes]:
    """Return the inputs that are kept for a reader, by name; none where nothing is kept."""
    path = KEPT / f"{reader}.zip"
    if not path.is_file():
        return {}
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def save(reader: str, found: Path) -> int:
    """Keep the smallest inputs of a corpus, and return how many these are.

    libFuzzer puts an input into the corpus only if it reaches something new, and puts a smaller one
    in its place that reaches the same.
    """
    kept: dict[str, bytes] = {}
    for path in sorted(found.glob("[0-9a-f]*"), key=lambda path: (path.stat().st_size, path.name)):
        data = path.read_bytes()
        if len(data) <= _LARGEST and sum(map(len, kept.values())) + len(data) <= _MOST:
            kept[path.name] = data
    KEPT.mkdir(exist_ok=True)
    with zipfile.ZipFile(KEPT / f"{reader}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(kept.items()):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
    return len(kept)
