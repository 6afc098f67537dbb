"""`itdr annotate`: a teacher's answers get into the examples, whole and named."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from itdr.cli.main import main
from itdr.demo.rules_teacher import RuleTeacher
from itdr.errors import DataError, EndpointError
from itdr.files.formats import read_parquet, write_parquet
from itdr.instructions.record import DRAFT, RECORD
from itdr.settings.flags import as_flags
from itdr.settings.folders import FOLDERS
from itdr.settings.reading import check
from itdr.settings.teacher import TeacherSettings
from itdr.teacher.annotate import annotate
from itdr.teacher.endpoint import EndpointTeacher
from tests.chat_server import SECRET, ChatServer, Fault, serving
from tests.conftest import ROOT


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    monkeypatch.setenv("TEST_KEY", SECRET)
    with serving() as chat:
        yield chat


def teacher(server: ChatServer, tmp_path: Path, **more: Any) -> EndpointTeacher:
    return EndpointTeacher(settings(server, tmp_path, **more))


def settings(server: ChatServer, tmp_path: Path, **more: Any) -> TeacherSettings:
    given = {"base_url": server.url, "model": "m", "key_variable": "TEST_KEY", "max_tokens": 64}
    quick = {"first_wait_s": 0.0, "timeout_s": 5.0, "retries": 1}
    cache = str(tmp_path / "cache.jsonl")
    return check(TeacherSettings, {**given, **quick, "cache": cache, **more}, "test")


def draft(name: str, **more: Any) -> dict[str, Any]:
    return {
        "id": f"IR/movielens-32m/{name}",
        "task": "IR",
        "dataset": "movielens-32m",
        "user_id": name,
        "instruction": "Describe the user.",
        "input": f"Films of {name}",
        "teacher_prompt": f"Say in a sentence what {name} likes.",
        "template_version": 1,
    } | more


def drafts(tmp_path: Path, *records: dict[str, Any]) -> Path:
    path = tmp_path / "examples.parquet"
    write_parquet(path, pa.Table.from_pylist(list(records), schema=DRAFT))
    return path


def outputs(path: Path) -> dict[str, tuple[str, str | None]]:
    return {
        record["id"].rpartition("/")[2]: (record["output"], record["teacher"])
        for record in read_parquet(path, RECORD).to_pylist()
    }


# Any teacher


def test_outputs_are_filled_in_and_name_their_teacher(server: ChatServer, tmp_path: Path) -> None:
    examples = drafts(tmp_path, draft("b"), draft("a"), draft("c", output="There already"))
    assert annotate(examples, tmp_path / "out.parquet", teacher(server, tmp_path)) == 3
    assert list(outputs(tmp_path / "out.parquet").items()) == [
        ("b", ("re: Say in a sentence what b likes.", "m")),
        ("a", ("re: Say in a sentence what a likes.", "m")),
        ("c", ("There already", None)),
    ]
    assert server.asked("Say in a sentence what c likes.") == 0


def test_nothing_else_changes(server: ChatServer, tmp_path: Path) -> None:
    history = [{"item_id": "1", "title": "A", "rating": 4.5}]
    examples = drafts(tmp_path, draft("a", history=history, domain="D", targets=["x"]))
    annotate(examples, tmp_path / "out.parquet", teacher(server, tmp_path))
    (before,) = read_parquet(examples, DRAFT).to_pylist()
    (after,) = read_parquet(tmp_path / "out.parquet", RECORD).to_pylist()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"output", "teacher"}


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([draft("a", teacher_prompt=None)], "IR/movielens-32m/a has neither an output nor"),
        ([draft("a"), draft("a")], "the id 'IR/movielens-32m/a' stands twice"),
    ],
)
def test_examples_that_cannot_be_asked_for_are_named_before_anything_is_asked(
    server: ChatServer, tmp_path: Path, records: list[dict[str, Any]], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        annotate(drafts(tmp_path, *records), tmp_path / "out", teacher(server, tmp_path))
    assert server.bodies == []


# A language model


def test_a_failure_leaves_no_file_but_what_was_received(server: ChatServer, tmp_path: Path) -> None:
    examples = drafts(tmp_path, *(draft(name) for name in "abc"))
    server.faults = {"Say in a sentence what b likes.": [Fault(500)] * 2}
    out = tmp_path / "out.parquet"
    with pytest.raises(EndpointError, match="IR/movielens-32m/b: the endpoint answers 500"):
        annotate(examples, out, teacher(server, tmp_path))
    assert not out.exists()
    annotate(examples, out, teacher(server, tmp_path))
    assert len(outputs(out)) == 3
    assert set(server.answered.values()) == {1}


def completion(text: str | None, finish_reason: str) -> Fault:
    choice = {"message": {"content": text}, "finish_reason": finish_reason}
    return Fault(body=json.dumps({"choices": [choice]}))


def test_an_answer_that_is_cut_is_asked_for_again_with_more_room(
    server: ChatServer, tmp_path: Path
) -> None:
    prompt = "Say in a sentence what a likes."
    server.faults = {prompt: [completion("This user", "length"), completion("This", "length")]}
    annotate(drafts(tmp_path, draft("a")), tmp_path / "out", teacher(server, tmp_path))
    assert outputs(tmp_path / "out") == {"a": (f"re: {prompt}", "m")}
    assert [body["max_tokens"] for body in server.bodies] == [64, 128, 256]


@pytest.mark.parametrize(
    "fault",
    [
        completion(None, "content_filter"),
        completion("Half a", "content_filter"),
        completion(" \n", "stop"),
    ],
    ids=["filtered", "broken off", "blank"],
)
def test_a_withheld_answer_is_an_error_or_left_out(
    server: ChatServer, tmp_path: Path, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    server.faults = {"Say in a sentence what a likes.": [fault]}
    examples = drafts(tmp_path, draft("a"), draft("b"))
    with pytest.raises(DataError, match="m gives no answer to 1 of 2 examples: IR/movielens-32m/a"):
        annotate(examples, tmp_path / "out", teacher(server, tmp_path))
    kept = annotate(examples, tmp_path / "out", teacher(server, tmp_path), drop_withheld=True)
    assert kept == 1
    assert list(outputs(tmp_path / "out")) == ["b"]
    assert "IR/movielens-32m/a; they are left out" in caplog.text
    assert len(server.bodies) == 2


def test_a_refused_request_is_an_error_or_left_out(server: ChatServer, tmp_path: Path) -> None:
    server.faults = {"Say in a sentence what a likes.": [Fault(400, body="risky")] * 2}
    examples = drafts(tmp_path, draft("a"), draft("b"))
    with pytest.raises(EndpointError, match="400: risky"):
        annotate(examples, tmp_path / "out", teacher(server, tmp_path))
    dropping = teacher(server, tmp_path, withheld="drop")
    assert annotate(examples, tmp_path / "out", dropping, drop_withheld=True) == 1


def test_the_command_asks_and_says_what_it_did(
    server: ChatServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    examples, out = drafts(tmp_path, draft("a")), tmp_path / "out.parquet"
    flags = as_flags(settings(server, tmp_path)).split()
    words = ["annotate", "--examples", str(examples), "--out", str(out), *flags]
    caplog.set_level("INFO")
    assert main(words) == 0
    assert outputs(out) == {"a": ("re: Say in a sentence what a likes.", "m")}
    assert "1 examples, answers by m" in caplog.text
    assert SECRET not in caplog.text


def test_the_command_tells_the_cost_without_asking_or_a_key(
    server: ChatServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    annotate(drafts(tmp_path, draft("a")), tmp_path / "out", teacher(server, tmp_path))
    examples = drafts(tmp_path, draft("a"), draft("b"), draft("c", output="There already"))
    monkeypatch.delenv("TEST_KEY")
    caplog.clear()
    caplog.set_level("INFO")
    flags = as_flags(settings(server, tmp_path)).split()
    assert main(["annotate", "--examples", str(examples), "--estimate", *flags]) == 0
    assert "m: 1 of 2 requests to ask, about" in caplog.text
    assert "to come" in caplog.text
    assert len(server.bodies) == 1


def test_the_command_explains_a_missing_key(
    server: ChatServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.delenv("TEST_KEY")
    flags = as_flags(settings(server, tmp_path)).split()
    examples = drafts(tmp_path, draft("a"))
    assert main(["annotate", "--examples", str(examples), "--out", str(tmp_path / "o"), *flags])
    assert "the environment variable TEST_KEY is not set" in capsys.readouterr().err


def test_whatever_the_server_does_every_answer_is_kept_and_none_is_paid_for_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", SECRET)
    names = [f"q{number}" for number in range(40)]
    examples = drafts(tmp_path, *(draft(name, teacher_prompt=name) for name in names))
    out, server = tmp_path / "out.parquet", ChatServer()
    server.faults = {
        "q1": [Fault(429, {"Retry-After": "1"})],
        "q3": [Fault(500), Fault(503)],
        "q5": [Fault(body='{"choices": [{"mess')],
        "q7": [Fault(break_after=20)],
        "q9": [Fault(hang=True)],
    }

    def run(**more: Any) -> "subprocess.Popen[str]":
        told = settings(server, tmp_path, retries=3, timeout_s=3.0, requests_at_once=4, **more)
        words = ["--examples", str(examples), "--out", str(out), *as_flags(told).split()]
        return subprocess.Popen(
            [sys.executable, "-m", "itdr", "annotate", *words],
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )

    with serving(server):
        server.delay_s = 0.05
        first = run()
        while len(server.answered) < 25 and first.poll() is None:
            time.sleep(0.01)
        first.kill()
        first.communicate()
    received = dict(server.answered)
    assert not out.exists()

    dead = run()
    assert "no connection" in dead.communicate()[1]
    assert dead.returncode == 1

    with serving(server):
        last = run()
        told = last.communicate()[1]
        assert last.returncode == 0, told
    assert outputs(out) == {name: (f"re: {name}", "m") for name in names}
    twice = {name for name, times in server.answered.items() if times > 1}
    # Only what was on its way at the kill can have been answered unheard.
    assert len(twice) <= 4
    assert sum(server.answered[name] == 1 for name in received) >= len(received) - 4
    assert SECRET not in told


# Rules

ITEMS = [
    ("1", "Silent River (1990)", ["Drama"]),
    ("2", "Loud Party (2001)", ["Comedy", "Romance"]),
    ("3", "Big Laugh (2002)", ["Comedy"]),
    ("4", "Dark Cellar (1980)", ["Horror"]),
    ("5", "Untold (1985)", []),
]


@pytest.fixture
def rules(write_tables: Any, tmp_path: Path) -> RuleTeacher:
    task = yaml.safe_load((ROOT / "config" / "tasks" / "IR.yaml").read_text())
    of = {"examples": 1, "template": "x", "liked": 4.0}
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "OPINIONS.yaml").write_text(
        yaml.safe_dump(task | {"task": "OPINIONS", "datasets": {"movielens-32m": of}})
    )
    return RuleTeacher(write_tables([], ITEMS, []), [*FOLDERS, tmp_path])


@pytest.mark.parametrize(
    ("ratings", "text"),
    [
        (
            {"1": 5.0, "2": 4.0, "3": 4.5, "4": 1.0},
            "This user enjoys Comedy and Drama films such as Silent River (1990) and cares little "
            "for Horror films such as Dark Cellar (1980).",
        ),
        (
            {"2": 4.0, "3": 2.0},
            "This user enjoys Romance films such as Loud Party (2001) and cares little for Big "
            "Laugh (2002).",
        ),
        ({"3": 5.0}, "This user enjoys Comedy films such as Big Laugh (2002)."),
        (
            {"3": 1.0, "4": 2.0},
            "This user cares little for Comedy and Horror films such as Big Laugh (2002).",
        ),
        ({"5": 5.0, "1": 5.0}, "This user enjoys Drama films such as Silent River (1990)."),
        (
            {"3": None, "4": None},
            "This user often turns to Comedy and Horror films such as Big Laugh (2002).",
        ),
    ],
)
def test_rules_tell_a_users_interests_from_what_is_shown(
    rules: RuleTeacher, ratings: dict[str, float | None], text: str
) -> None:
    titles = {item: title for item, title, _ in ITEMS}
    history = [{"item_id": i, "title": titles[i], "rating": r} for i, r in ratings.items()]
    record = draft("a", task="OPINIONS", history=history)
    assert rules.answer([record]) == {record["id"]: text}


def test_rules_tell_whom_an_item_suits(write_tables: Any, tmp_path: Path) -> None:
    items = [
        {"item_id": "1", "title": "Deep Mine", "categories": ["Indie", "Puzzle", "2D", "Cheap"],
         "creator": "Blue Lamp", "year": 2016},
        {"item_id": "2", "title": "Nameless", "categories": []},
    ]  # fmt: skip
    tables = write_tables([], items, [])
    records = [
        draft(item, task="TUI", dataset="steam", user_id=None, item_id=item) for item in "12"
    ]
    assert list(RuleTeacher(tables, FOLDERS).answer(records).values()) == [
        "Deep Mine suits players who enjoy Indie, Puzzle and 2D games, other work by Blue Lamp and "
        "the 2010s.",
        "Nameless suits players who enjoy games of any kind.",
    ]


def test_rules_name_themselves_and_need_no_network(rules: RuleTeacher, tmp_path: Path) -> None:
    history = [{"item_id": "3", "title": "Big Laugh (2002)", "rating": 5.0}]
    annotate(
        drafts(tmp_path, draft("a", task="OPINIONS", history=history)), tmp_path / "out", rules
    )
    assert re.fullmatch(r"rules/\d+", str(outputs(tmp_path / "out")["a"][1]))


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (draft("a", task="RP"), "no rules for examples sampled as 'rating'"),
        (draft("a", task="TUI", item_id="99"), "has no item '99'"),
    ],
)
def test_what_the_rules_do_not_know_is_an_error(
    rules: RuleTeacher, record: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        rules.answer([record])
