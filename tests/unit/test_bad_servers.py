"""Whatever an endpoint does, asking it ends in time, in little memory, with one plain message."""

import resource
import time

import pytest

from itdr.cli.main import main
from itdr.endpoints.chat import Chat, FatalError, RefusedError, TransientError
from itdr.endpoints.keys import without_secret
from itdr.settings.endpoint import EndpointSettings
from itdr.settings.reading import check
from tests.bad_servers import SERVERS, misbehaving
from tests.chat_server import SECRET
from tests.unit.test_safety import command

TIMEOUT_S = 0.6


def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.mark.parametrize("name", SERVERS)
def test_an_exchange_ends_in_time_and_in_little_memory(name):
    with misbehaving(name) as url:
        told = {"base_url": url, "model": "m", "timeout_s": TIMEOUT_S}
        chat = Chat(check(EndpointSettings, told, "test"), SECRET)
        before, begun = peak_mb(), time.monotonic()
        with pytest.raises((TransientError, RefusedError, FatalError)) as caught:
            chat.ask({"messages": []})
        took = time.monotonic() - begun
        chat.close()
    assert str(caught.value) and "\n" not in str(caught.value)
    assert took < TIMEOUT_S + 4  # other work on the machine
    assert peak_mb() - before < 300


def test_an_answer_that_was_packed_once_is_read():
    import gzip

    from tests import bad_servers

    body = gzip.compress(b'{"choices": [{"message": {"content": "hello"}}]}')
    name = "packed well"
    bad_servers.SERVERS[name] = bad_servers._with_length(body, b"Content-Encoding: gzip\r\n")
    try:
        with misbehaving(name) as url:
            told = {"base_url": url, "model": "m", "timeout_s": 5.0}
            chat = Chat(check(EndpointSettings, told, "test"), None)
            assert chat.ask({"messages": []}).text == "hello"
            chat.close()
    finally:
        del bad_servers.SERVERS[name]


def test_codes_of_a_server_do_not_reach_the_terminal(tmp_path, capfd, monkeypatch):
    class Server:
        url = ""

    monkeypatch.setenv("TEST_KEY", SECRET)
    with misbehaving("codes for a terminal") as Server.url:
        assert main(command("annotate", Server, tmp_path)) == 1
    said = capfd.readouterr().err
    assert "answers 400: \\x1b[2J\\x1b]0;owned\\x07\\x9b1" in said
    assert not set(said) & set("\x1b\x07\x9b")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"Incorrect: {SECRET}.", "Incorrect: [key]."),
        (f"Incorrect: {SECRET[:7]}******{SECRET[-6:]}!", "Incorrect: [key]******[key]!"),
        ("sk-01 is short", "sk-01 is short"),
        ("", ""),
    ],
)
def test_parts_of_a_key_are_hidden(said, shown):
    assert without_secret(said, SECRET, 6) == shown


def test_a_cache_is_for_its_owner_alone(tmp_path, monkeypatch):
    from itdr.endpoints.answer_log import AnswerLog

    with AnswerLog(tmp_path / "cache.jsonl"):
        pass
    assert (tmp_path / "cache.jsonl").stat().st_mode & 0o777 == 0o600
