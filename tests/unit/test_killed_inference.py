"""Whenever inference is killed, the next run asks what is missing and ends with the same file."""

import json
import multiprocessing
import os
import signal

import pyarrow as pa
import pytest

from itdr.errors import DataError
from itdr.files.checksums import sha256
from itdr.files.formats import write_parquet
from itdr.inference.engine import GeneratedAnswer
from itdr.inference.journal import Journal
from itdr.instructions.record import RECORD
from itdr.settings.experiment import InferenceSettings
from itdr.settings.folders import FOLDERS
from tests.unit.test_inference import settings_of

ROWS = 40
BATCH = 4
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["itdr.inference.transformers_engine", "peft"])


def run(model, test_part, out, log, kill_at):
    """Answer the test part, in a process that kills itself at a named point.

    The ids asked are written to `log`, one line a forward pass, before the pass begins.
    """
    from itdr.inference import infer as module
    from itdr.inference.transformers_engine import TransformersEngine

    def die(point):
        if point == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    generate, add, write = TransformersEngine._generate, Journal.add, module.write_parquet
    passes = []

    def watched_generate(self, weights, prompts):
        passes.append(len(prompts))
        with log.open("a") as file:
            file.write(json.dumps([len(prompt.ids) for prompt in prompts]) + "\n")
        die(("asking", len(passes)))
        found = generate(self, weights, prompts)
        die(("asked", len(passes)))
        return found

    def watched_add(self, answered):
        add(self, answered)
        die(("written", len(passes)))

    def watched_write(path, table):
        die("complete")
        write(path, table)
        die("published")

    TransformersEngine._generate, Journal.add = watched_generate, watched_add
    module.write_parquet = watched_write
    settings = InferenceSettings(engine="transformers", batch_size=BATCH)
    module.infer(settings_of(model), {out: None}, [test_part], settings,
                 folders=FOLDERS)  # fmt: skip


def answer_in_a_process(*arguments):
    process = PROCESSES.Process(target=run, args=arguments)
    process.start()
    process.join()
    return process.exitcode


@pytest.fixture(scope="module")
def test_part(tmp_path_factory):
    """Return a test part in which every prompt has a length of its own."""
    rows = [
        {"id": f"RP/movielens-32m/{n}", "task": "RP", "dataset": "movielens-32m",
         "instruction": "Rate.", "input": "x" * (n * 7 % ROWS + 1), "output": "3.5",
         "template_version": 1}
        for n in range(ROWS)
    ]  # fmt: skip
    path = tmp_path_factory.mktemp("part") / "test.parquet"
    write_parquet(path, pa.Table.from_pylist(rows, schema=RECORD))
    return path


@pytest.fixture(scope="module")
def whole(random_model, test_part, tmp_path_factory):
    """Return the checksum of the file of a run that nobody killed."""
    folder = tmp_path_factory.mktemp("whole")
    out = folder / "p.parquet"
    assert answer_in_a_process(random_model, test_part, out, folder / "log", None) == 0
    return sha256(out)


@pytest.mark.parametrize(
    ("point", "written"),
    [
        (("asking", 1), 0),
        (("written", 1), 1),
        (("asked", 4), 3),
        (("written", 7), 7),
        ("complete", 10),
        ("published", 10),
    ],
    ids=str,
)
def test_a_killed_run_goes_on(random_model, test_part, whole, tmp_path, point, written):
    out, log = tmp_path / "p.parquet", tmp_path / "log"
    assert answer_in_a_process(random_model, test_part, out, log, point) == -signal.SIGKILL
    assert out.exists() == (point == "published")
    lines = (tmp_path / "p.answers" / "answers.jsonl").read_text().splitlines()
    assert len(lines) == written

    assert answer_in_a_process(random_model, test_part, out, log, None) == 0
    assert sha256(out) == whole
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "p.parquet"]
    passes = [json.loads(line) for line in log.read_text().splitlines()]
    lost = 1 if point[0] in ("asking", "asked") else 0  # the pass that the kill interrupted
    if lost:
        assert passes[written] == passes[written + 1]
        del passes[written]
    asked = [length for one in passes for length in one]
    assert len(asked) == len(set(asked)) == ROWS


IDS = ("a", "b", "c")
ANSWERS = {name: GeneratedAnswer(f"{name} \u2028\n\ud800", "stop", 3, None) for name in IDS}


def journal(folder, **manifest):
    return Journal(folder, {"model": "m"} | manifest, IDS)


@pytest.fixture
def stopped(tmp_path):
    first = journal(tmp_path / "j")
    first.add([("a", ANSWERS["a"]), ("b", ANSWERS["b"])])
    first.add([("c", ANSWERS["c"])])
    first.close()
    return tmp_path / "j"


def test_answers_come_back_as_they_were(stopped):
    assert journal(stopped).answers == ANSWERS


@pytest.mark.parametrize("lost", [1, 2, 10, 60])
def test_a_torn_line_is_as_if_it_had_not_been_written(stopped, lost):
    path = stopped / "answers.jsonl"
    path.write_bytes(path.read_bytes()[:-lost])
    again = journal(stopped)
    assert again.answers.keys() == {"a", "b"}
    again.add([("c", ANSWERS["c"])])
    again.close()
    assert journal(stopped).answers == ANSWERS


@pytest.mark.parametrize("damage", [b"\0" * 300, b"[1]\n", b'[{"id": "x"}]\n', b"{}\n[]\xff\n"])
def test_what_a_power_failure_leaves_at_the_end_is_dropped(stopped, damage):
    with (stopped / "answers.jsonl").open("ab") as file:
        file.write(damage)
    again = journal(stopped)
    assert again.answers == ANSWERS
    again.close()
    assert b"\0" not in (stopped / "answers.jsonl").read_bytes()


def test_answers_of_another_run_are_refused_by_the_name_of_what_differs(stopped):
    with pytest.raises(DataError, match=r"manifest.json: 'model' is 'm' .* and 'other' now"):
        journal(stopped, model="other")
    assert journal(stopped).answers == ANSWERS


def test_a_run_that_got_no_answer_holds_nobody_to_its_settings(tmp_path):
    journal(tmp_path / "j").close()
    assert journal(tmp_path / "j", model="other").answers == {}
