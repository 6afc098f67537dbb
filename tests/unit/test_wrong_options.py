"""Every option of every command, with every value that it cannot have: one message, no harm."""

import hashlib
import logging
import os
import shutil
import signal
import traceback
from pathlib import Path

import pytest

from itdr.cli.main import COMMANDS, main
from itdr.cli.terminal import printable
from tests.conftest import ROOT
from tests.faults.stages import DRAFTS, STAGES
from tests.wrong_values import (
    MISSING,
    NUMBERS,
    WORDS,
    kind_of,
    odd_places,
    options_of,
    settings_of,
    wrong_for,
)

LONGEST_S = 30
MODEL = "config/models/tiny.yaml"
WORDS_OF = {
    "simulate": "movielens-1m --users 9 --items 30 --interactions-per-user 5 --out {out}",
    "fetch": "movielens-32m --from {run}/simulated --out {out}",
    "normalise": "movielens-32m --raw {run}/raw/movielens-32m --threads 1 --out {out}",
    "build": "RP movielens-32m --tables {run}/tables/movielens-32m --threads 1 --out {out}",
    "annotate": "--examples {run}/drafts.parquet --tables {run}/tables/movielens-32m --kind rules"
    " --out {out}",
    "split": "--examples {run}/examples.parquet --out {out}",
    "fetch-release": "RP movielens-32m --folder {run}/none --out {out}",
    "import-release": "RP movielens-32m --release {run}/none --out {out}",
    "audit": "--parts {run}/parts/train.parquet --tables {run}/tables --threads 1 --out {out}",
    "statistics": "--examples ours {run}/parts/train.parquet --tokenizer config/models/tiny"
    " --out {out}",
    "export": "llama-factory --parts {run}/parts/train.parquet --audit {run}/audit/audit.json"
    " --out {out}",
    "mix": "--train {run}/parts/train.parquet --audit {run}/audit/audit.json --out {out}",
    "tiny-model": "--recipe {run}/none --out {out}",
    "train": f"--model {MODEL} --mixture {{run}}/none --out {{out}}",
    "import-adapter": f"--model {MODEL} --folder {{run}}/none --out {{out}}",
    "infer": f"--model {MODEL} --test {{run}}/none --out {{out}}",
    "trivial": "user-mean --train {run}/parts/train.parquet --test {run}/parts/test.parquet"
    " --out {out}",
    "score": "--predictions {run}/answers.parquet --resamples 9 --out {out}",
    "compare": "--first {run}/answers.parquet --second {run}/answers.parquet --resamples 9"
    " --out {out}",
    "completion": "bash",
    "trace": "RP/movielens-32m --configfile {run}/mine.yaml",
    "report": "--scores {run}/scores/m/v/1.csv --results {run} --make main --out {out}",
}
REFUSED_OTHERWISE = {
    *("tiny-model", "train", "infer"),
    *("import-adapter", "import-release", "fetch-release"),
}
"""Their words above name an input that is not there, because they would work for long."""


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """Return the folder of a miniature run without any model."""
    run = tmp_path_factory.mktemp("small")
    for name in ("simulate", "fetch", "normalise"):
        assert STAGES[name].start(run) == 0
    for stage in (STAGES["build"], DRAFTS, STAGES["split"], STAGES["audit"]):
        assert stage.start(run) == 0
    answers = run / "answers.parquet"
    words = WORDS_OF["trivial"].format(run=run, out=answers)
    assert main(["trivial", *words.split()]) == 0
    (run / "scores/m/v").mkdir(parents=True)
    words = WORDS_OF["score"].format(run=run, out=run / "scores/m/v/1.csv")
    assert main(["score", *words.split()]) == 0
    cell = run / "instructions/RP/movielens-32m"
    cell.mkdir(parents=True)
    (cell / "parts").symlink_to(run / "parts")
    (run / "mine.yaml").write_text(f"results: {run}\n")
    return run


def cases(command, places):
    """Yield option, value and whether the value may be taken."""
    fields = settings_of(command)
    for action in options_of(command):
        kind = kind_of(action)
        if action.dest in fields:
            values = [(value, False) for value in wrong_for(fields[action.dest])]
        elif kind == "number":
            values = [(value, False) for value in NUMBERS]
        elif kind == "input":
            odd = [name for name in places if name not in ("folder", "random")]
            values = [(value, False) for value in [*MISSING, *(str(places[name]) for name in odd)]]
        elif kind == "output":
            odd = ["link", "loop", "pipe", "device"]
            fills = action.type.__name__ == "folder_to_fill"  # beside what is there
            odd += ["file"] if fills else ["folder"]
            values = [(str(places[name]), False) for name in odd]
            values += [("", False), ("\udcff", False), ("x" * 5000, False)]
            values += [(str(places["file"].parent / name), False) for name in ("a?b", "a\\b")]
            hostile = ("a b'\"", "a*[x]", "$(touch P)", "a\nb", "é%s{x}")
            values += [(str(places["file"].parent / name), True) for name in hostile]
        else:
            values = [(value, False) for value in WORDS]
        for value, may_be_taken in values:
            yield action, value, may_be_taken


def words_with(command, action, value, run, out):
    """Return the words of a command with one of them replaced or added."""
    words = WORDS_OF[command].format(run=run, out=out).split()
    if not action.option_strings:
        place = [a.dest for a in options_of(command) if not a.option_strings].index(action.dest)
        return [command, *words[:place], value,
                *words[place + 1 :]]  # fmt: skip
    option = action.option_strings[0]
    if option in words:
        at = words.index(option)
        end = next((i for i in range(at + 1, len(words)) if words[i][:2] == "--"), len(words))
        words = words[:at] + words[end:]
    if action.nargs is None:
        return [command, *words, f"{option}={value}"]
    return [command, *words, option, value]


def seen(*folders: Path):
    """Return what lies in folders: path to what it is, with the bytes of files."""
    found = {}
    for folder in folders:
        for path in folder.rglob("*"):
            status = path.lstat()
            content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
            found[path] = (status.st_mode, status.st_size, hashlib.sha256(content).digest())
    return found


def hung(number, frame):
    raise AssertionError("it hangs at\n" + "".join(traceback.format_stack(frame)[-2:]))


def run_one(command, action, value, run, out, capfd):
    """Run a command with a wrong value; return its status and what it said."""
    for handler in logging.getLogger().handlers[:]:
        if type(handler) is logging.StreamHandler:
            logging.getLogger().removeHandler(handler)
    capfd.readouterr()
    signal.signal(signal.SIGALRM, hung)
    signal.alarm(LONGEST_S)
    try:
        status = main(words_with(command, action, value, run, out))
    except SystemExit as ended:
        status = ended.code
    finally:
        signal.alarm(0)
    return status, capfd.readouterr().err


def names(said, action, value):
    """Say whether a message names the option, or what was given."""
    known = [*action.option_strings, f"'{action.dest}'", action.dest, action.dest.upper()]
    shown = {value, printable(value), repr(value)[1:-1], value.strip(), Path(value).name}
    return (
        (not value and "''" in said)
        or any(word in said for word in known)
        or any(part and part[:40] in said for part in shown)
    )


def search(command, small, tmp_path, capfd, chosen):
    places = odd_places(tmp_path / "odd")
    os.chdir(tmp_path)
    for name in ("config", "src"):
        Path(name).symlink_to(ROOT / name)
    out, wrong, tried = tmp_path / "out", [], 0
    before = seen(small, tmp_path / "odd")
    for number, (action, value, may_be_taken) in enumerate(cases(command, places)):
        if not chosen(action, number):
            continue
        tried += 1
        try:
            status, said = run_one(command, action, value, small, out, capfd)
        except BaseException as error:  # the very thing that is searched for
            if isinstance(error, KeyboardInterrupt):
                raise
            wrong.append((action.dest, value[:60], f"{type(error).__name__}: {error}"[:200]))
            continue
        finally:
            shutil.rmtree(out, ignore_errors=True)
            out.unlink(missing_ok=True)
            out.with_name(f"{out.name}.sha256").unlink(missing_ok=True)
        if may_be_taken:
            for made in (tmp_path / "odd").iterdir():
                if made not in before:
                    shutil.rmtree(made) if made.is_dir() else made.unlink()
        faults = [
            *(["taken"] if status == 0 and not may_be_taken else []),
            *(["traceback"] if "Traceback" in said else []),
            *(["says nothing of it: " + said[-200:]]
              if status and command not in REFUSED_OTHERWISE and not names(said, action, value)
              else []),
            *(["control characters"] if set(said) & set("\x1b\x07") else []),
        ]  # fmt: skip
        wrong += [(action.dest, value[:60], fault) for fault in faults]
    after = seen(small, tmp_path / "odd")
    changed = [str(path) for path in before.keys() | after.keys()
               if before.get(path) != after.get(path)]  # fmt: skip
    strays = {path.name for path in tmp_path.iterdir()} - {"odd", "config", "src"}
    assert not wrong, "\n".join(f"{command} {w[0]}={w[1]!r}: {w[2]}" for w in wrong)
    assert not changed and not strays and not list(tmp_path.rglob("P"))
    return tried


@pytest.fixture
def here(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("command", WORDS_OF)
def test_a_wrong_value_in_any_option_is_refused(command, small, tmp_path, capfd, here):
    """A fifth of the values here, the others in the slow test."""
    assert search(command, small, tmp_path, capfd, lambda action, number: number % 5 == 0)


@pytest.mark.slow
@pytest.mark.parametrize("command", WORDS_OF)
def test_every_wrong_value_in_every_option_is_refused(command, small, tmp_path, capfd, here):
    assert search(command, small, tmp_path, capfd, lambda action, number: True)


def test_every_command_is_searched():
    planned = {"plan", "doctor", "status"}  # by Snakemake, in tests/workflow
    planned |= {"recommend", "fetch-model", "reference"}  # train, ask a hub, write the docs
    assert WORDS_OF.keys() == COMMANDS.keys() - planned
