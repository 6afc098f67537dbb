"""The answers of a run that is not finished: nothing that came is lost when the run is killed."""

import json
import os
import shutil
import time
from collections.abc import Collection, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from itdr.inference.engine import Answer
from itdr.storage import parse_json
from itdr.unfinished import claim

_FILE = "answers.jsonl"
_SECONDS_BETWEEN_SYNCS = 5


class Journal:
    """A file of answers that only grows: one line for those that came together.

    A line is a JSON list of objects with the keys id, text, finish_reason, tokens, prompt_tokens.
    What a killed process has written is there afterwards. After a power failure the end may be
    damaged: everything from the first line that cannot be read is taken as not written.
    """

    def __init__(self, folder: Path, manifest: dict[str, Any], ids: Collection[str]) -> None:
        """Open the journal in `folder`, or begin it.

        manifest: all that decides the answers; ids: of the examples to be answered.

        Raises:
            DataError: the folder belongs to a run with another manifest.
        """
        path = folder / _FILE
        if not path.exists() or path.stat().st_size == 0:
            shutil.rmtree(folder, ignore_errors=True)  # a run that got no answer holds nobody to it
        claim(folder, manifest)
        self.answers, whole = _read(path, ids)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        os.ftruncate(self._file, whole)
        self._synced = time.monotonic()

    def add(self, answered: Iterable[tuple[str, Answer]]) -> None:
        """Write answers, with the ids of their examples."""
        came = dict(answered)
        line = json.dumps([{"id": name} | asdict(answer) for name, answer in came.items()])
        _write(self._file, line.encode() + b"\n")
        self.answers |= came
        if time.monotonic() - self._synced > _SECONDS_BETWEEN_SYNCS:
            os.fsync(self._file)
            self._synced = time.monotonic()

    def close(self) -> None:
        """Let go of the file."""
        os.fsync(self._file)
        os.close(self._file)


def _read(path: Path, ids: Collection[str]) -> tuple[dict[str, Answer], int]:
    """Return the answers of the whole lines and how many bytes these lines have."""
    answers: dict[str, Answer] = {}
    whole = 0
    for line in path.read_bytes().splitlines(keepends=True) if path.exists() else []:
        try:
            entries = {entry.pop("id"): Answer(**entry) for entry in parse_json(line)}
        except (ValueError, TypeError, KeyError, AttributeError):
            break
        if not line.endswith(b"\n") or not entries.keys() <= set(ids):
            break
        answers |= entries
        whole += len(line)
    return answers, whole


def _write(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
