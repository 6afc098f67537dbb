"""The command line: it answers at once, explains itself, and never ends in a bare traceback."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from itdr.cli.main import COMMANDS, main
from itdr.cli.options import any_path, input_path, output_path
from itdr.planning.loading import load_workflow
from tests.conftest import ROOT


def itdr(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "itdr", *words], capture_output=True, text=True)


def test_help_lists_every_command():
    text = itdr("--help").stdout
    assert all(f"  {name}" in text for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert "--" in text and "usage: itdr" in text


def test_help_loads_no_heavy_library():
    code = (
        "import sys\nfrom itdr.cli.main import main\n"
        "try: main(sys.argv[1:])\nexcept SystemExit: pass\n"
        "heavy = {'torch', 'transformers', 'peft', 'pandas', 'duckdb', 'matplotlib', 'pyarrow'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    for words in (["--help"], ["train", "--help"], ["score", "--help"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True
        )
        assert done.stderr.strip() == "[]", words


def test_an_error_is_one_message_and_a_status(tmp_path):
    done = itdr("split", "--examples", str(tmp_path / "none.parquet"), "--out", str(tmp_path / "o"))
    assert done.returncode == 1
    assert "none.parquet: no such file" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_command_is_refused():
    done = itdr("bild")
    assert done.returncode == 2
    assert "invalid choice: 'bild'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_may_not_be_written_is_explained(tmp_path):
    (tmp_path / "file").write_text("")
    size = ["--users", "5", "--items", "30", "--interactions-per-user", "4"]
    done = itdr("simulate", "movielens-1m", *size, "--out", str(tmp_path / "file" / "out"))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert str(tmp_path / "file") in done.stderr


def test_normalise_may_be_spelt_with_a_z(capsys):
    assert main(["normalize", "movielens-1m", "--raw", "none", "--out", "out"]) == 1
    assert capsys.readouterr().err.startswith("itdr normalise: none: no such file or folder")


def test_a_shell_completes_commands_options_and_files():
    script = itdr("completion", "bash").stdout
    ask = f"{script}\nCOMP_WORDS=(itdr $1); COMP_CWORD=$2; _shtab_itdr; echo ${{COMPREPLY[@]}}"
    for words, place, completed in (("sta", 1, "statistics status"),
                                    ("score --pred", 2, "--predictions"),
                                    ("completion z", 2, "zsh"),
                                    ("plan pyproject", 2, "")):  # fmt: skip
        done = subprocess.run(["bash", "-c", ask, "-", words, str(place)],
                              capture_output=True, text=True, check=True, cwd=ROOT)  # fmt: skip
        assert done.stdout.strip() == completed
    assert "_arguments" in itdr("completion", "zsh").stdout
    assert itdr("completion", "fish").returncode == 2


@pytest.mark.parametrize(("words", "shown"), [([], {"info", "warning"}), (["-q"], {"warning"}),
                                              (["--quiet"], {"warning"}),
                                              (["-v"], {"debug", "info", "warning"})])  # fmt: skip
def test_quiet_and_verbose_choose_what_is_logged(words, shown):
    code = (
        "import logging, sys\nfrom itdr.cli import main as cli\n"
        "log = logging.getLogger('itdr')\n"
        "def run(args):\n"
        "    for level in ('debug', 'info', 'warning'): getattr(log, level)(level)\n"
        "import itdr.cli.completion\nitdr.cli.completion.run = run\n"
        "sys.exit(cli.main(sys.argv[1:]))"
    )
    done = subprocess.run([sys.executable, "-c", code, "completion", "bash", *words],
                          capture_output=True, text=True, check=True)  # fmt: skip
    lines = [line.partition(" ")[2] for line in done.stderr.splitlines()]
    assert set(lines) == {"warning: warning" if one == "warning" else one for one in shown}


@pytest.mark.parametrize(
    ("told", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_errors_are_red_on_a_terminal_unless_it_is_told_otherwise(told, coloured):
    variables = {**os.environ, "TERM": "xterm"}
    variables.pop("NO_COLOR", None)
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "itdr", "trace", "x"]
    subprocess.run(words, stderr=theirs, env=variables | told)
    os.close(theirs)
    text = os.read(ours, 10_000).decode()
    os.close(ours)
    assert text.startswith("\x1b[31mitdr trace: 'x' is no id") == coloured
    assert "\x1b" not in itdr("trace", "x").stderr


def test_verbose_says_where_an_error_arose():
    assert "Traceback" not in itdr("trace", "x").stderr
    told = itdr("trace", "x", "-v").stderr
    assert "Traceback" in told and told.splitlines()[-1].startswith("itdr trace: 'x' is no id")


def test_help_names_the_choices_of_every_setting():
    text = " ".join(itdr("train", "--help").stdout.split())
    assert "one of cosine, linear, constant (default: cosine)" in text
    assert "one of examples, tokens (default: examples)" in text
    text = " ".join(itdr("trivial", "--help").stdout.split())
    assert "user-mean: mean of the ratings shown" in text


def test_the_home_folder_may_be_written_as_a_tilde(tmp_path, monkeypatch):
    home = tmp_path / "my home"
    (home / "own" / "tasks").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(ROOT)
    assert input_path("~/own") == home / "own"
    assert output_path("~/a b/c.csv") == home / "a b" / "c.csv"
    assert any_path("~") == home
    assert any_path("a/~/b") == Path("a/~/b") and any_path("~x") == Path("~x")
    changes = {
        "results": "~/my results",
        "config_folders": ["~/own"],
        "raw_folders": {"movielens-1m": "~/own"},
        "release": {"folder": "~/own"},
        "teacher": {"cache": "~/teacher.jsonl"},
    }
    workflow = load_workflow([Path("config/config.yaml")], changes)
    told = workflow.experiment
    assert told.results == f"{home}/my results"
    assert told.config_folders == (f"{home}/own",)
    assert workflow.local_folders == {"movielens-1m": f"{home}/own"}
    assert (told.release.folder, told.teacher.cache) == (f"{home}/own", f"{home}/teacher.jsonl")
