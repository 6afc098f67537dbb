"""The command line: it answers at once, explains itself, and never ends in a bare traceback."""

import subprocess
import sys

import pytest

from itdr.cli.main import COMMANDS, main


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
