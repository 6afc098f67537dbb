"""Released files, predictions, what is kept of answers, and what an endpoint says."""

import atexit
import io
import json
from collections import Counter
from contextlib import ExitStack
from functools import lru_cache
from math import isfinite
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from itdr.endpoints.answer_log import AnswerLog, Reply
from itdr.endpoints.chat import Chat, FatalError, RefusedError, TransientError
from itdr.evaluation.answers import Reading
from itdr.evaluation.cells import score_cell
from itdr.evaluation.predictions import read_cells
from itdr.evaluation.text_metrics import TextScorer
from itdr.inference.engine import GeneratedAnswer
from itdr.inference.journal import Journal
from itdr.instructions.record import PREDICTION
from itdr.instructions.tasks import load_task
from itdr.released.importing import _read
from itdr.released.manifest import ReleasedFile
from itdr.settings.endpoint import EndpointSettings
from itdr.settings.folders import FOLDERS
from itdr.settings.reading import check
from itdr.settings.scoring import ScoringSettings
from tests.bad_input.reader import Reader, empty_folder, scratch_file
from tests.chat_server import ChatServer, Fault, serving
from tests.release import example

_DATASET_OF = {"RP": "movielens-32m", "TKR": "movielens-32m", "NIR": "movielens-32m",
               "CDR": "amazon-2023", "UAP": "movielens-1m", "IR": "movielens-32m",
               "TUI": "movielens-32m"}  # fmt: skip


def _pair(task: str) -> str:
    known = load_task(task).datasets
    return _DATASET_OF[task] if _DATASET_OF[task] in known else next(iter(known))


def _released() -> list[bytes]:
    found = []
    for place, task in enumerate(_DATASET_OF):
        rows = [example(task, number) for number in range(3)]
        found.append(bytes([place]) + json.dumps(rows).encode())
        found.append(bytes([place]) + b"\n".join(json.dumps(row).encode() for row in rows))
    return found


def read_released_file(data: bytes) -> None:
    """Import a released file as a test part: every row is an example or rejected."""
    task = list(_DATASET_OF)[data[0] % len(_DATASET_OF) if data else 0]
    path = scratch_file("released.json", data[1:])
    about = {"path": "x.json", "part": "test", "task": task, "dataset": _pair(task),
             "sha256": "0" * 64, "bytes": 1}  # fmt: skip
    done = _read(check(ReleasedFile, about, "here"), path, load_task(task))
    report = done.report
    assert report["read"] == report["kept"] + sum(report["rejected"].values())
    places = [int(record["id"].rpartition("-")[2]) for record in done.records]
    places += [row["row"] for row in done.rejected]
    assert sorted(places) == list(range(1, report["read"] + 1))
    json.dumps([done.records, done.rejected]).encode()


def _predicted() -> list[dict[str, Any]]:
    shown = ["Alien (1979)", "Heat (1995)", "Rocky II (1979)"]
    references = {"RP": "4.0", "UAP": "age_group:25-34, gender:F, occupation:writer"}
    rows = []
    for task in _DATASET_OF:
        listed = task in ("TKR", "CDR", "NIR")
        rows.append(
            {
                "id": f"{task}/1",
                "task": task,
                "dataset": _pair(task),
                "domain": None,
                "prompt_tokens": 9,
                "answer": "1. Heat (1995)",
                "finish_reason": "stop",
                "answer_tokens": 3,
                "reference": references.get(task, "Heat (1995)"),
                "candidates": shown if listed else None,
                "targets": shown[1:2] if listed else None,
            }
        )
    return rows


def _predictions_jsonl() -> list[bytes]:
    lines = [json.dumps(row).encode() for row in _predicted()]
    return [b"\n".join(lines), *lines]


def _predictions_parquet() -> list[bytes]:
    table = pa.Table.from_pylist(_predicted(), PREDICTION)
    large = table.cast(pa.schema(f.with_type(_larger(f.type)) for f in table.schema))
    found = []
    for one, options in (
        (table, {}),
        (table, {"compression": "none", "use_dictionary": False}),
        (large, {"compression": "gzip", "data_page_version": "2.0"}),
    ):
        file = io.BytesIO()
        pq.write_table(one, file, **options)
        found.append(file.getvalue())
    return found


def _larger(kind: pa.DataType) -> pa.DataType:
    kinds = {pa.string(): pa.large_string(), pa.int32(): pa.int64()}
    return kinds.get(kind, kind)


@lru_cache
def _texts() -> TextScorer:
    return TextScorer(ScoringSettings())


def _score(name: str, data: bytes) -> None:
    cells = read_cells(scratch_file(name, data), FOLDERS)
    assert cells
    for cell in cells:
        for reading in Reading:
            scores = score_cell(cell, reading, ScoringSettings(), _texts())
            assert all(len(column.values) == len(cell.examples) for column in scores.columns)


def read_predictions_jsonl(data: bytes) -> None:
    """Score predictions in JSON lines; none is lost."""
    _score("predictions.jsonl", data)


def read_predictions_parquet(data: bytes) -> None:
    """Score predictions in Parquet."""
    _score("predictions.parquet", data)


def _cache() -> list[bytes]:
    path = empty_folder("cache") / "teacher.jsonl"
    with AnswerLog(path) as log:
        for key in "abc":
            log.sent(key, 0.5)
        log.answered("a", Reply("x é \u2028", "stop", 3, None), 0.25)
        log.unanswered("b", "why", None)
        log.failed("c", "id", "why")
    return [path.read_bytes()]


def read_cache(data: bytes) -> None:
    """Open a log of answers; what is in it can be used, and it can be written on."""
    path = scratch_file("answers.jsonl", data)
    with AnswerLog(path) as log:
        assert isfinite(log.spent)
        for reply in log.replies.values():
            assert isinstance(reply.text, str) and isinstance(reply.finish_reason, str)
        kept = dict(log.replies)
        log.sent("k", 0.1)
        log.answered("k", Reply("again", "stop", None, None), None)
    with AnswerLog(path) as log:
        assert log.replies == kept | {"k": Reply("again", "stop", None, None)}


_JOURNAL_NOTE = {"model": "m", "seed": 1}


def _journals() -> list[bytes]:
    folder = empty_folder("journal")
    journal = Journal(folder, _JOURNAL_NOTE, ["a", "b", "c"])
    journal.add(
        [
            ("a", GeneratedAnswer("x", "stop", 1, 2)),
            ("b", GeneratedAnswer("é", "length", None, None)),
        ]
    )
    journal.add([("c", GeneratedAnswer("", "refused", None, None))])
    journal.close()
    note, answers = ((folder / n).read_bytes() for n in ("manifest.json", "answers.jsonl"))
    return [b"0" + answers, b"1" + note]


def read_journal(data: bytes) -> None:
    """Go on with unfinished inference of which a file is bad."""
    _journals()
    folder = empty_folder("journal-bad")
    good = _journals()
    for path, content, mark in (("answers.jsonl", good[0], b"0"), ("manifest.json", good[1], b"1")):
        (folder / path).write_bytes(data[1:] if data[:1] == mark else content[1:])
    journal = Journal(folder, _JOURNAL_NOTE, ["a", "b", "c"])
    answers = dict(journal.answers)
    journal.add([("a", GeneratedAnswer("again", "stop", 1, 2))])
    journal.close()
    for answer in answers.values():
        assert isinstance(answer.text, str) and isinstance(answer.finish_reason, str)
    journal = Journal(folder, _JOURNAL_NOTE, ["a", "b", "c"])
    journal.close()
    assert journal.answers == answers | {"a": GeneratedAnswer("again", "stop", 1, 2)}


def _responses() -> list[bytes]:
    choice = {"message": {"role": "assistant", "content": "x é"}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 3, "completion_tokens": 4}
    return [json.dumps({"choices": [choice], "usage": usage}).encode()]


@lru_cache
def _server() -> ChatServer:
    """Return a server that ends with this process."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(serving())


def read_response(data: bytes) -> None:
    """Ask a server on this machine that answers with these bytes."""
    server = _server()
    server.always = Fault(body=data)
    told = {"base_url": server.url, "model": "m", "timeout_s": 20.0}
    chat = Chat(check(EndpointSettings, told, "here"), None)
    try:
        reply = chat.ask({"messages": [{"content": "q"}]})
    except (TransientError, RefusedError, FatalError) as error:
        assert str(error)
    else:
        json.dumps(reply.text, ensure_ascii=False).encode()
        assert Counter(map(type, (reply.text, reply.finish_reason))) == {str: 2}
        pa.array([reply.prompt_tokens, reply.completion_tokens], pa.int32())
    finally:
        chat.close()


def readers() -> dict[str, Reader]:
    """Return all readers of this module by name."""
    return {
        "released": Reader(_released, read_released_file),
        "predictions-jsonl": Reader(_predictions_jsonl, read_predictions_jsonl),
        "predictions-parquet": Reader(_predictions_parquet, read_predictions_parquet),
        "cache": Reader(_cache, read_cache),
        "journal": Reader(_journals, read_journal),
        "responses": Reader(_responses, read_response),
    }
