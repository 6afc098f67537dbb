"""The answers of a run that is not finished: nothing that came is lost when the run is killed."""

import logging
import os
import time
from collections.abc import Collection, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from itdr.files.atomic import writing
from itdr.files.checksums import checked_line, verified_line
from itdr.files.resume import drop_run_manifest, open_run_manifest
from itdr.inference.engine import GeneratedAnswer
from itdr.instructions.choices import ChoiceLikelihood

log = logging.getLogger("itdr")

_FILE = "answers.jsonl"
_SECONDS_BETWEEN_SYNCS = 5


class Journal:
    """A file of answers that only grows: one line for those that came together.

    A line is a JSON object of the CRC-32 and the list of answers, objects with the keys id, text,
    finish_reason, tokens, prompt_tokens, choices. What a killed process has written is there
    afterwards. Where a line is damaged, as the end may be after a power failure, it and all after
    it are taken as not written.
    """

    def __init__(self, folder: Path, manifest: dict[str, Any], ids: Collection[str]) -> None:
        """Open the journal in `folder`, or begin it.

        manifest: all that decides the answers; ids: of the examples to be answered.

        Raises:
            DataError: the folder belongs to a run with another manifest.
        """
        path = self._path = folder / _FILE
        if not path.exists() or path.stat().st_size == 0:
            drop_run_manifest(folder)  # a run that got no answer holds nobody to it
        open_run_manifest(folder, manifest)
        self.answers, whole = _read(path, ids)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        os.ftruncate(self._file, whole)
        self._synced = time.monotonic()

    def add(self, answered: Iterable[tuple[str, GeneratedAnswer]]) -> None:
        """Write answers, with the ids of their examples."""
        came = dict(answered)
        line = [{"id": name} | asdict(answer) for name, answer in came.items()]
        with writing(self._path):
            _write(self._file, checked_line({"answers": line}))
            if time.monotonic() - self._synced > _SECONDS_BETWEEN_SYNCS:
                os.fsync(self._file)
                self._synced = time.monotonic()
        self.answers |= came

    def close(self) -> None:
        """Let go of the file."""
        os.fsync(self._file)
        os.close(self._file)


def _read(path: Path, ids: Collection[str]) -> tuple[dict[str, GeneratedAnswer], int]:
    """Return the answers of the whole lines and how many bytes these lines have."""
    answers: dict[str, GeneratedAnswer] = {}
    whole = 0
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    for number, line in enumerate(lines, 1):
        try:
            entries = {entry.pop("id"): _answer(entry) for entry in verified_line(line)["answers"]}
        except (ValueError, TypeError, KeyError, AttributeError):
            entries = None
        if entries is None or not line.endswith(b"\n") or not entries.keys() <= set(ids):
            log.warning("%s: damaged from line %d of %d on; what stood there is asked again",
                        path, number, len(lines))  # fmt: skip
            break
        answers |= entries
        whole += len(line)
    return answers, whole


def _answer(entry: dict[str, Any]) -> GeneratedAnswer:
    choices = entry.pop("choices", None)
    if choices is not None:
        choices = tuple(ChoiceLikelihood(**choice) for choice in choices)
    return GeneratedAnswer(**entry, choices=choices)


def _write(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
