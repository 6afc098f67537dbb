"""Asking an endpoint: every answer received is kept, nothing is asked twice, no key is shown."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from itdr.endpoints.answer_log import AnswerLog, Reply
from itdr.endpoints.endpoint import EndpointAnswer, Request, ask_all
from itdr.endpoints.limits import Pace, StoppedError
from itdr.errors import DataError, EndpointError, RefusedRequestsError, SettingsError
from itdr.settings.endpoint import EndpointSettings
from itdr.settings.reading import check
from tests.chat_server import SECRET, ChatServer, Fault, serving


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with serving() as chat:
        yield chat


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", SECRET)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "answers.jsonl"


def settings(server: ChatServer, **more: Any) -> EndpointSettings:
    given = {"base_url": server.url, "model": "m", "key_variable": "TEST_KEY"}
    quick = {"first_wait_s": 0.0, "timeout_s": 5.0, "retries": 2}
    return check(EndpointSettings, {**given, **quick, **more}, "test")


def questions(*texts: str) -> list[Request]:
    return [Request(text, [{"role": "user", "content": text}], max_tokens=100) for text in texts]


def answers(
    requests: list[Request], told: EndpointSettings, cache: Path
) -> dict[str, EndpointAnswer]:
    return {answer.id: answer for answer in ask_all(requests, told, cache)}


def received(requests: list[Request], told: EndpointSettings, cache: Path) -> tuple[set[str], str]:
    """Return the ids that were answered before the run failed, and the message."""
    got = set()
    with pytest.raises(EndpointError) as caught:
        for answer in ask_all(requests, told, cache):
            got.add(answer.id)
    return got, str(caught.value)


# What is sent and what comes


def test_every_question_gets_its_answer(server: ChatServer, cache: Path) -> None:
    got = answers(questions("a", "b", "naïve 北京"), settings(server), cache)
    assert {name: answer.text for name, answer in got.items()} == {
        "a": "re: a",
        "b": "re: b",
        "naïve 北京": "re: naïve 北京",
    }
    assert got["a"] == EndpointAnswer("a", "re: a", "stop", 1, 5, cached=False)


def test_the_request_is_what_the_api_asks_for(server: ChatServer, cache: Path) -> None:
    messages = [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}]
    list(ask_all([Request("1", messages, 7, ("\n\n",))], settings(server, temperature=0.5), cache))
    assert server.bodies == [
        {"model": "m", "messages": messages, "max_tokens": 7, "temperature": 0.5, "stop": ["\n\n"]}
    ]
    assert server.authorizations == {f"Bearer {SECRET}"}


def test_without_a_key_variable_no_key_is_sent(server: ChatServer, cache: Path) -> None:
    answers(questions("a"), settings(server, key_variable=None), cache)
    assert server.authorizations == {None}


def test_equal_questions_are_asked_once(server: ChatServer, cache: Path) -> None:
    same = [Request(name, [{"role": "user", "content": "q"}], 100) for name in "123"]
    assert sorted(answers(same, settings(server), cache)) == ["1", "2", "3"]
    assert len(server.bodies) == 1


def test_an_answer_that_a_filter_withheld_is_empty_and_says_so(
    server: ChatServer, cache: Path
) -> None:
    choice = {"message": {"content": None}, "finish_reason": "content_filter"}
    server.faults["a"] = [Fault(body=json.dumps({"choices": [choice]}))]
    got = answers(questions("a"), settings(server), cache)["a"]
    assert (got.text, got.finish_reason, got.prompt_tokens) == ("", "content_filter", None)


# The cache


def test_a_second_run_asks_nothing_and_needs_no_key(
    server: ChatServer, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = answers(questions("a", "b"), settings(server), cache)
    monkeypatch.delenv("TEST_KEY")
    second = answers(questions("a", "b"), settings(server), cache)
    assert len(server.bodies) == 2
    assert all(answer.cached for answer in second.values())
    assert {k: a.text for k, a in first.items()} == {k: a.text for k, a in second.items()}


@pytest.mark.parametrize(
    "change", [{"model": "other"}, {"temperature": 1.0}, {"base_url": "other"}], ids=str
)
def test_another_model_temperature_or_address_is_asked_anew(
    server: ChatServer, cache: Path, change: dict[str, Any]
) -> None:
    answers(questions("a"), settings(server), cache)
    if "base_url" in change:
        change = {"base_url": server.url.replace("127.0.0.1", "localhost")}
    assert not answers(questions("a"), settings(server, **change), cache)["a"].cached


def test_limits_of_time_and_money_do_not_make_it_another_question(
    server: ChatServer, cache: Path
) -> None:
    answers(questions("a"), settings(server), cache)
    other = settings(server, timeout_s=9.0, requests_at_once=1, input_price=1.0, output_price=1.0)
    assert answers(questions("a"), other, cache)["a"].cached


def test_a_line_cut_off_by_a_kill_is_dropped_and_the_others_stay(
    server: ChatServer, cache: Path
) -> None:
    answers(questions("a", "b"), settings(server, requests_at_once=1), cache)
    whole = cache.read_bytes()
    cache.write_bytes(whole[:-20])
    got = answers(questions("a", "b"), settings(server), cache)
    assert (got["a"].cached, got["b"].cached) == (True, False)
    assert all(json.loads(line) for line in cache.read_text().splitlines())
    assert answers(questions("a", "b"), settings(server), cache)["b"].cached


def test_a_damaged_line_is_named_and_nothing_is_overwritten(
    server: ChatServer, cache: Path
) -> None:
    answers(questions("a", "b"), settings(server), cache)
    damaged = b"{}\n" + cache.read_bytes()
    cache.write_bytes(damaged)
    with pytest.raises(DataError, match=r"answers\.jsonl: line 1 is damaged"):
        answers(questions("a"), settings(server), cache)
    assert cache.read_bytes() == damaged


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        "[" * 100_000,
        '{"event":"other","key":"k"}',
        '{"event":"sent","key":"k","usd":-5}',
        '{"event":"sent","key":"k","usd":NaN}',
        '{"event":"sent","key":"k","usd":' + "9" * 400 + "}",
        '{"event":"answered","key":"k","usd":null,"text":5,"finish_reason":"stop",'
        '"prompt_tokens":null,"completion_tokens":null}',
    ],
)
def test_a_line_that_no_run_has_written_is_named(cache: Path, line: str) -> None:
    cache.parent.mkdir()
    cache.write_text(line + "\n")
    with pytest.raises(DataError, match=r"answers\.jsonl: line 1 is damaged"):
        AnswerLog(cache)


def test_two_processes_do_not_ask_the_same_at_once(server: ChatServer, cache: Path) -> None:
    server.delay_s = 0.2
    runs = [_start(server.url, cache, "a", "b", "c") for _ in range(2)]
    assert [run.wait(30) for run in runs] == [0, 0]
    assert len(server.bodies) == 3


# Failures that pass


@pytest.mark.parametrize(
    "fault",
    [
        Fault(429),
        Fault(429, {"Retry-After": "0"}),
        Fault(500),
        Fault(503, body="<html>busy</html>"),
        Fault(body='{"choices": [{"mess'),
        Fault(body='{"choices": []}'),
        Fault(body='"text"'),
        Fault(body="\xff\xfe"),
        Fault(break_after=0),
        Fault(break_after=30),
    ],
    ids=repr,
)
def test_a_failure_that_passes_is_tried_again(
    server: ChatServer, cache: Path, fault: Fault
) -> None:
    server.faults = {"a": [fault, fault]}
    got = answers(questions("a", "b"), settings(server), cache)
    assert got["a"].text == "re: a"
    assert (server.asked("a"), server.asked("b")) == (3, 1)


@pytest.mark.parametrize("fault", [Fault(hang=True), Fault(drip=True)], ids=["hangs", "drips"])
def test_a_server_that_does_not_come_to_an_end_is_left(
    server: ChatServer, cache: Path, fault: Fault
) -> None:
    server.faults = {"a": [fault]}
    start = time.monotonic()
    assert answers(questions("a"), settings(server, timeout_s=0.3), cache)["a"].text == "re: a"
    assert time.monotonic() - start < 15


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("[" * 100_000, "the answer cannot be read"),
        (json.dumps({"choices": [{"message": {"content": "\ud800"}}]}), "cannot be read"),
        (
            json.dumps({"choices": [{"message": {"content": "x"}}],
                        "usage": {"prompt_tokens": 10**400, "completion_tokens": 1}}),
            "usage.prompt_tokens",
        ),
        (" " * (65 << 20), "an answer of more than 67,108,864 bytes"),
    ],
    ids=["deep", "half a character", "absurd counts", "endless"],
)  # fmt: skip
def test_an_answer_that_nothing_can_hold_is_no_answer(
    server: ChatServer, cache: Path, body: str, message: str
) -> None:
    server.always = Fault(body=body)
    _, said = received(questions("a"), settings(server, retries=0), cache)
    assert message in said


def test_retry_after_is_waited_for_by_all(server: ChatServer, cache: Path) -> None:
    server.faults = {"a": [Fault(429, {"Retry-After": "1"})]}
    start = time.monotonic()
    answers(questions("a", "b"), settings(server, requests_at_once=1), cache)
    assert time.monotonic() - start >= 1


def test_waits_grow_twofold_up_to_the_longest(server: ChatServer, cache: Path) -> None:
    server.always = Fault(500)
    start = time.monotonic()
    told = settings(server, retries=4, first_wait_s=0.05, longest_wait_s=0.1)
    received(questions("a"), told, cache)
    assert 0.05 + 0.1 * 3 <= time.monotonic() - start < 15
    assert server.asked("a") == 5


# Failures that stay


def test_what_fails_to_the_end_is_named_after_all_others_are_done(
    server: ChatServer, cache: Path
) -> None:
    server.faults = {"b": [Fault(500, body="out of order")] * 3}
    got, message = received(questions("a", "b", "c"), settings(server), cache)
    assert got == {"a", "c"}
    assert "no answer to 1 of 3 requests" in message
    assert "b: the endpoint answers 500: out of order" in message
    events = [json.loads(line) for line in cache.read_text().splitlines()]
    assert [e["id"] for e in events if e["event"] == "failed"] == ["b"]
    assert sorted(answers(questions("a", "b", "c"), settings(server), cache)) == ["a", "b", "c"]
    assert server.answered == {"a": 1, "b": 1, "c": 1}


def test_a_request_that_is_refused_is_not_sent_again(server: ChatServer, cache: Path) -> None:
    server.faults = {"a": [Fault(400, body="too long")]}
    with pytest.raises(
        RefusedRequestsError, match="a: the endpoint answers 400: too long"
    ) as caught:
        answers(questions("a", "b"), settings(server), cache)
    assert caught.value.ids == ("a",)
    assert server.answered == {"b": 1}
    assert server.asked("a") == 1


@pytest.mark.parametrize("status", [401, 402, 403, 404])
def test_an_endpoint_that_will_answer_nobody_is_asked_no_further(
    server: ChatServer, cache: Path, status: int
) -> None:
    server.always = Fault(status)
    told = settings(server, requests_at_once=1)
    _, message = received(questions(*"abcdef"), told, cache)
    assert f"the endpoint answers {status}" in message
    assert len(server.bodies) == 1


def test_a_wait_of_hours_is_not_waited_for(server: ChatServer, cache: Path) -> None:
    server.faults = {"a": [Fault(429, {"Retry-After": "7200"})]}
    _, message = received(questions("a"), settings(server), cache)
    assert "asks to wait 7200 s" in message


def test_many_failures_in_a_row_end_the_run(server: ChatServer, cache: Path) -> None:
    server.always = Fault(500)
    told = settings(server, retries=0, stop_after=3, requests_at_once=1)
    _, message = received(questions(*"abcdefgh"), told, cache)
    assert "3 requests in a row failed" in message
    assert len(server.bodies) == 3


def test_a_dead_server_is_told_apart(tmp_path: Path, cache: Path) -> None:
    with serving() as server:
        told = settings(server)
    _, message = received(questions("a"), told, cache)
    assert "a: no connection" in message


def test_a_redirect_is_not_followed(server: ChatServer, cache: Path) -> None:
    server.always = Fault(307, {"Location": f"{server.url}/elsewhere"})
    _, message = received(questions("a"), settings(server), cache)
    assert "the endpoint answers 307" in message
    assert len(server.bodies) == 1


# A killed process

RUN = """
import sys
from pathlib import Path
from itdr.endpoints.endpoint import Request, ask_all
from itdr.settings.endpoint import EndpointSettings
url, cache, *names = sys.argv[1:]
settings = EndpointSettings(base_url=url, model="m", key_variable="TEST_KEY", first_wait_s=0.0,
                            requests_at_once=4)
requests = [Request(n, [{"role": "user", "content": n}], 100) for n in names]
for answer in ask_all(requests, settings, Path(cache)):
    print(answer.id, flush=True)
"""


def _start(url: str, cache: Path, *names: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", RUN, url, str(cache), *names],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )


def test_after_kill_9_nothing_is_asked_twice_and_no_answer_is_lost(
    server: ChatServer, cache: Path
) -> None:
    names = [f"q{number}" for number in range(60)]
    server.delay_s = 0.02
    run = _start(server.url, cache, *names)
    assert run.stdout is not None
    printed = [run.stdout.readline().strip() for _ in range(20)]
    run.send_signal(signal.SIGKILL)
    run.communicate()
    before = {body["messages"][-1]["content"] for body in server.bodies}
    with AnswerLog(cache) as kept:
        whole = len(kept.replies)
    assert 20 <= whole < 60
    time.sleep(0.1)
    server.bodies.clear()

    got = answers(questions(*names), settings(server), cache)
    assert sorted(got) == sorted(names)
    assert len(server.bodies) == 60 - whole
    assert not set(printed) & {body["messages"][-1]["content"] for body in server.bodies}
    # Asked twice are at most those that were on their way when the process was killed.
    again = before & {body["messages"][-1]["content"] for body in server.bodies}
    assert len(again) <= 4


# Pace and money


def test_requests_at_once_are_kept_to(server: ChatServer, cache: Path) -> None:
    server.delay_s = 0.05
    answers(questions(*"abcdefghij"), settings(server, requests_at_once=3), cache)
    assert server.most_at_once == 3


def test_requests_per_minute_are_kept_to(server: ChatServer, cache: Path) -> None:
    start = time.monotonic()
    answers(questions(*"abcdef"), settings(server, requests_per_minute=600.0), cache)
    assert time.monotonic() - start >= 0.5


def test_whoever_waits_for_a_moment_is_woken_when_all_ends() -> None:
    stop = threading.Event()
    pace = Pace(0.1, stop)
    pace.wait()
    threading.Timer(0.05, stop.set).start()
    with pytest.raises(StoppedError):
        pace.wait()


def test_the_cost_is_told_before_anything_is_sent(
    server: ChatServer, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "itdr")
    server.always = Fault(401)
    told = settings(server, input_price=1000.0, output_price=10_000.0)
    received(questions("a" * 396), told, cache)
    assert "1 of 1 requests to ask, about 100 tokens in, at most 100 out" in caplog.text
    assert "up to about $1.1000 to come, $0.0000 spent before, no cap" in caplog.text


def test_spending_is_counted_over_all_runs(server: ChatServer, cache: Path) -> None:
    prices = {"input_price": 1e6, "output_price": 1e6}
    answers(questions("a"), settings(server, **prices), cache)
    answers(questions("a", "b"), settings(server, **prices), cache)
    with AnswerLog(cache) as kept:
        assert kept.spent == pytest.approx(2 * (1 + 5))


def test_the_cap_is_never_exceeded_and_a_higher_one_goes_on(
    server: ChatServer, cache: Path
) -> None:
    # One answer costs $6 and is expected to cost at most $169.
    prices = {"input_price": 1e6, "output_price": 1e6}
    names = "abcdefgh"
    low = settings(server, **prices, spending_cap=185.0)
    got, message = received(questions(*names), low, cache)
    assert len(got) == 3
    assert "no answer to 5 of 8 requests" in message
    assert "$18.0000 of $185 are spent" in message
    high = settings(server, **prices, spending_cap=1000.0)
    assert sorted(answers(questions(*names), high, cache)) == list(names)
    assert len(server.bodies) == 8


def test_a_cap_of_nothing_sends_nothing(server: ChatServer, cache: Path) -> None:
    told = settings(server, input_price=1.0, output_price=1.0, spending_cap=0.0)
    received(questions("a"), told, cache)
    assert server.bodies == []


def test_what_may_have_been_charged_counts_as_spent(server: ChatServer, cache: Path) -> None:
    server.faults = {"a": [Fault(break_after=3), Fault(500)]}
    answers(questions("a"), settings(server, input_price=0.0, output_price=1e6), cache)
    with AnswerLog(cache) as kept:
        assert kept.spent == pytest.approx(100 + 0 + 5)


def test_a_request_whose_end_is_unknown_counts_as_spent(cache: Path) -> None:
    with AnswerLog(cache) as kept:
        kept.sent("k", 3.0)
    with AnswerLog(cache) as kept:
        assert kept.spent == 3.0
        kept.sent("k", 3.0)
        kept.answered("k", Reply("t", "stop", 1, 1), 0.5)
    with AnswerLog(cache) as kept:
        assert kept.spent == 3.5


# The key


@pytest.mark.parametrize(
    "fault",
    [
        Fault(401, body=f"Incorrect API key provided: {SECRET}"),
        Fault(400, body=f"bad key {SECRET}"),
        Fault(500, body=SECRET),
        Fault(body=SECRET),
        Fault(break_after=0),
    ],
    ids=["401", "400", "500", "broken", "cut"],
)
def test_the_key_is_in_no_message_log_or_file(
    server: ChatServer, cache: Path, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.always = fault
    _, message = received(questions("a"), settings(server), cache)
    assert server.authorizations == {f"Bearer {SECRET}"}
    assert SECRET not in message + caplog.text + cache.read_text()


@pytest.mark.parametrize("value", ["", "  ", f"{SECRET}\n{SECRET}", f"{SECRET}ü", f"{SECRET} x"])
def test_a_missing_or_impossible_key_is_explained_and_not_shown(
    server: ChatServer, cache: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("TEST_KEY", value)
    with pytest.raises(SettingsError, match="environment variable TEST_KEY") as caught:
        answers(questions("a"), settings(server), cache)
    assert SECRET not in str(caught.value)
    assert server.bodies == []


def test_a_line_feed_after_the_key_does_no_harm(
    server: ChatServer, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", f"{SECRET}\n")
    answers(questions("a"), settings(server), cache)
    assert server.authorizations == {f"Bearer {SECRET}"}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"key_variable": SECRET}, "'key_variable': the name of an environment variable"),
        ({"base_url": f"https://user:{SECRET}@host"}, "'base_url': an http"),
        ({"base_url": f"https://host/?key={SECRET}"}, "'base_url': an http"),
        ({"base_url": "api.deepseek.com"}, "'base_url': an http"),
        ({"spending_cap": 1.0}, "spending_cap needs input_price and output_price"),
        ({"api_key": SECRET}, "unknown key 'api_key'"),
    ],
)
def test_wrong_settings_are_explained_and_show_no_key(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        check(EndpointSettings, {"base_url": "https://host", "model": "m", **wrong}, "test")
    assert SECRET not in str(caught.value)
