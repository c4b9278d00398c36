"""The one HTTP call: every way it can end is a result and a sentence, within its time, and never an exception."""

from __future__ import annotations

import socket
import time

import pytest

from neo_core.config import UnloadConfig
from neo_core.durations import Duration
from neo_core.ledger.reliefs import ReliefResult
from neo_core.relief.call import call

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def ask(url, **changes):
    return call("m", UnloadConfig(url=url, timeout=Duration(changes.pop("timeout", 5)), **changes))


def test_a_2xx_is_done_and_the_request_is_what_was_configured(answering):
    url, asked = answering(OK)
    answer = ask(url + "/generate?a=b", body='{"keep_alive": 0}', headers={"Authorization": "Bearer abc"})

    assert (answer.result, answer.mend) == (ReliefResult.DONE, "")
    assert answer.sentence.endswith("answered with 200")
    head, _, body = asked[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /api/generate?a=b HTTP/1.1\r\n")
    for line in (b"Content-Type: application/json", b"Content-Length: 17", b"Authorization: Bearer abc"):
        assert line in head
    assert body == b'{"keep_alive": 0}'


@pytest.mark.parametrize(
    ("told", "said", "mend"),
    [
        (b"HTTP/1.1 500 Oh\r\n\r\nno such model", "answered with 500: no such model", "[unload.m]"),
        (b"HTTP/1.1 404 No\r\n\r\n<html>much</html>", "answered with 404", "[unload.m]"),
        (b"HTTP/1.1 302 Go\r\nLocation: http://x/\r\n\r\n", "answered with 302", "redirects are not followed"),
    ],
)
def test_any_other_status_failed_and_says_what_to_mend(answering, told, said, mend):
    answer = ask(answering(told)[0])

    assert answer.result is ReliefResult.FAILED
    assert answer.sentence.endswith(said)
    assert mend in answer.mend


def test_nobody_there_failed(answering):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    answer = ask(f"http://127.0.0.1:{port}/")

    assert (answer.result, answer.sentence) == (
        ReliefResult.FAILED,
        f"127.0.0.1:{port} cannot be reached: connection refused",
    )
    assert "unload.m.url" in answer.mend


@pytest.mark.parametrize("pieces", [(), (b"HTTP/1.1 200 OK\r\n", *[b"X-Slow: 1\r\n"] * 1000)], ids=["hangs", "drips"])
def test_one_that_hangs_or_drips_ends_with_its_time_and_nobody_knows_whether_it_happened(answering, pieces):
    url, _ = answering(*pieces, hold=True)
    began = time.monotonic()
    answer = ask(url, timeout=0.15)

    assert time.monotonic() - began < 10  # it drips for twenty
    assert answer.result is ReliefResult.UNKNOWN
    assert answer.sentence.endswith("did not answer within 150ms")
    assert "unload.m.timeout" in answer.mend


@pytest.mark.parametrize("told", [b"", b"SSH-2.0-x\r\n"], ids=["nothing", "no HTTP"])
def test_one_that_breaks_off_is_not_known(answering, told):
    answer = ask(answering(told)[0])

    assert answer.result is ReliefResult.UNKNOWN
    assert "broke off without an answer" in answer.sentence


def test_https_to_one_that_does_not_speak_it_failed(answering):
    answer = ask(answering(OK)[0].replace("http:", "https:"))

    assert answer.result is ReliefResult.FAILED
    assert "cannot be asked by https: " in answer.sentence
    assert "Write http into unload.m.url" in answer.mend
