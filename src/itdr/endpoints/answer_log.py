"""Answers that cost money, kept on disk the moment they come.

The log is a file of JSON lines that is only ever appended to. A request is noted before it is sent,
with the most that it can cost, and settled when it is known what became of it. Whatever ends the
process, what was received is kept, and a request whose end is unknown counts as paid in full.
"""

import fcntl
import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from itdr.errors import DataError
from itdr.files.atomic import writing
from itdr.files.checksums import checked_line, verified_line

log = logging.getLogger("itdr")


@dataclass(frozen=True)
class Reply:
    """What a model said.

    Attributes:
        text: the answer as it came.
        finish_reason: "stop", "length" or another word of the endpoint's.
        prompt_tokens, completion_tokens: as the endpoint counts them; None where it does not say.
        told: of tokens of the messages their text, log-probability and rank, from 1; None where the
            endpoint does not say.
    """

    text: str
    finish_reason: str
    prompt_tokens: int | None
    completion_tokens: int | None
    told: list[list[Any]] | None = None


class _Event(BaseModel):
    """What every line says: about which request."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)
    key: str


class _Sent(_Event):
    event: Literal["sent"]
    usd: float = Field(ge=0)


class _Answered(_Event):
    event: Literal["answered"]
    usd: float | None = Field(ge=0)
    text: str
    finish_reason: str
    prompt_tokens: int | None
    completion_tokens: int | None
    told: list[list[Any]] | None = None


class _Unanswered(_Event):
    event: Literal["unanswered"]
    usd: float | None = Field(ge=0)
    why: str


class _Failed(_Event):
    event: Literal["failed"]
    id: str
    why: str


_EVENT: TypeAdapter[_Sent | _Answered | _Unanswered | _Failed] = TypeAdapter(
    Annotated[_Sent | _Answered | _Unanswered | _Failed, Field(discriminator="event")]
)


class AnswerLog:
    """The answers and the spending of all runs so far; one process at a time holds it.

    Attributes:
        replies: key of a request to its answer.
        spent: US dollars, with those of requests whose end is unknown.
    """

    def __init__(self, path: Path) -> None:
        """Open the log and wait until no other process holds it.

        Raises:
            DataError: a line other than the last is damaged.
        """
        self.replies: dict[str, Reply] = {}
        self.spent = 0.0
        self._open: dict[str, float] = {}
        self._lock = threading.Lock()
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        # What was paid for, and prompts that may hold reviews, are for the user's eyes alone.
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._file = open(descriptor, "ab", buffering=0)  # noqa: PTH123, SIM115 (closed by __exit__)
        try:
            self._take_over()
            self._read()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def sent(self, key: str, most: float) -> None:
        """Note that a request goes out, which can cost `most` dollars."""
        self._append({"event": "sent", "key": key, "usd": most})

    def answered(self, key: str, reply: Reply, cost: float | None) -> None:
        """Keep an answer, on the disk before this returns; cost None: as noted when it was sent."""
        self._append({"event": "answered", "key": key, "usd": cost, **asdict(reply)}, sync=True)

    def unanswered(self, key: str, why: str, cost: float | None) -> None:
        """Note that an attempt brought no answer; cost None: it may have been charged in full."""
        self._append({"event": "unanswered", "key": key, "usd": cost, "why": why})

    def failed(self, key: str, name: str, why: str) -> None:
        """Note that a request was given up."""
        self._append({"event": "failed", "key": key, "id": name, "why": why}, sync=True)

    def _append(self, event: dict[str, Any], sync: bool = False) -> None:
        with self._lock, writing(self._path):
            self._write(checked_line(event))
            if sync:
                os.fsync(self._file.fileno())
            self._apply(event)

    def _write(self, data: bytes) -> None:
        """Append all of the data or none, so that what comes later begins a line."""
        end = os.fstat(self._file.fileno()).st_size
        try:
            while data:
                data = data[self._file.write(data) :]
        except OSError:
            self._file.truncate(end)
            raise

    def _apply(self, event: Mapping[str, Any]) -> None:
        """Count an event that was just written or is being read."""
        match event["event"]:
            case "sent":
                self.spent += event["usd"]
                self._open[event["key"]] = event["usd"]
            case "answered" | "unanswered":
                noted = self._open.pop(event["key"], 0.0)
                if event["usd"] is not None:
                    self.spent += event["usd"] - noted
        if event["event"] == "answered":
            known = {name: event[name] for name in Reply.__dataclass_fields__ if name in event}
            self.replies[event["key"]] = Reply(**known)

    def _take_over(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.info("%s: another process is asking; waiting for its end", self._path)
            fcntl.flock(self._file, fcntl.LOCK_EX)

    def _read(self) -> None:
        good = 0
        with self._path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    # The process that wrote it was killed; the next line must not run on from it.
                    log.info("%s: the last line is cut off; it is dropped", self._path)
                    self._file.truncate(good)
                    break
                good += len(line)
                self._replay(number, line)

    def _replay(self, number: int, line: bytes) -> None:
        try:
            self._apply(_EVENT.validate_python(verified_line(line)).model_dump())
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            why = f"{'.'.join(map(str, first['loc'][1:]))}: {first['msg']}".removeprefix(": ")
            raise self._damaged(number, why) from error
        except (ValueError, KeyError) as error:
            raise self._damaged(number, error) from error

    def _damaged(self, number: int, why: object) -> DataError:
        return DataError(
            f"{self._path}: line {number} is damaged ({why}). Delete that line alone: the others "
            "hold answers that were paid for."
        )
