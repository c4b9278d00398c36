"""Asking real sockets and real programs, and never waiting for them."""

from __future__ import annotations

import os
import select
import socket
import time

import pytest

from neo_core.ledger.models import ServiceRecord, ServiceState
from neo_core.processes.source import identity_of, system_source
from neo_core.services.observe import is_up
from neo_core.services.probe import begin_probe, ping

from .conftest import alive

ANSWERS = {
    "well": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", True, "answers with 200"),
    "redirect": (b"HTTP/1.0 301 Moved\r\n\r\n", True, "answers with 301"),
    "missing": (b"HTTP/1.1 404 Not Found\r\n\r\n", False, "answers with 404"),
    "broken": (b"HTTP/1.1 500\r\n\r\n", False, "answers with 500"),
    "ssh": (b"SSH-2.0-OpenSSH_9.6\r\n", False, "answers, but not in HTTP"),
    "endless": (b"x" * 5000, False, "answers, but not in HTTP"),
    "nothing": (b"", False, "closed the connection without an answer"),
}


@pytest.fixture
def listen():
    """Listen on a free port of loopback; answers nothing by itself."""
    opened = []

    def make(family=socket.AF_INET, address="127.0.0.1", backlog=8, port=0):
        listening = socket.socket(family)
        opened.append(listening)
        listening.bind((address, port))
        listening.listen(backlog)
        return listening, listening.getsockname()[1]

    yield make
    for one in opened:
        one.close()


def drive(probe, listening=None, answer=None, timeout=5.0):
    """Advance a probe as a loop does, answering the first connection with ``answer``."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        began = time.monotonic()
        result = probe.advance(began)
        assert time.monotonic() - began < 0.25  # shorter than any time limit here: it did not wait
        if result is not None:
            return result
        if listening is not None and answer is not None and select.select([listening], [], [], 0)[0]:
            connection, _ = listening.accept()
            connection.recv(4096)
            connection.sendall(answer)
            connection.close()
        time.sleep(0.002)
    return pytest.fail("no result")


@pytest.mark.parametrize("name", ANSWERS)
def test_an_http_answer_is_judged_by_its_status(define, listen, name):
    answer, ok, words = ANSWERS[name]
    listening, port = listen()

    result = drive(begin_probe(define(probe="http", port=port), time.monotonic()), listening, answer)

    assert result.ok is ok
    assert result.sentence.endswith(words)


def test_the_question_is_a_plain_get(define, listen):
    listening, port = listen()
    probe = begin_probe(define(probe="http", port=port, probe_path="/api/v2/heartbeat"), time.monotonic())
    probe.advance(time.monotonic())
    connection, _ = listening.accept()
    probe.advance(time.monotonic())

    asked = connection.recv(4096).decode()

    connection.close()
    probe.cancel()
    assert asked.startswith(f"GET /api/v2/heartbeat HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n")
    assert "Connection: close\r\n" in asked
    assert asked.endswith("\r\n\r\n")


def test_a_connection_that_stays_open_after_its_answer_is_not_waited_for(define, listen):
    listening, port = listen()
    probe = begin_probe(define(probe="http", port=port, probe_timeout=30.0), time.monotonic())
    probe.advance(time.monotonic())
    connection, _ = listening.accept()
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n")

    assert drive(probe, timeout=2.0).ok
    connection.close()


def test_a_silent_server_is_given_up_at_the_time_limit(define, listen):
    _, port = listen()
    began = time.monotonic()

    result = drive(begin_probe(define(probe="http", port=port, probe_timeout=0.3), began))

    assert not result.ok
    assert result.sentence.endswith("accepted, but did not answer in time")
    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize("probe", ["tcp", "http"])
def test_nobody_listening_is_told(define, free_port, probe):
    port = free_port()

    result = ping(define(probe=probe, port=port))

    assert result == (False, f"127.0.0.1:{port}: connection refused")


@pytest.mark.parametrize(
    ("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")], ids=["IPv4", "IPv6"]
)
def test_localhost_is_both_addresses(define, listen, family, address):
    try:
        listening, port = listen(family, address)
    except OSError:
        pytest.skip("this machine has no such address")
    service = define(probe="http", port=port, host="localhost")

    assert drive(begin_probe(service, time.monotonic()), listening, ANSWERS["well"][0]).ok
    assert ping(define(probe="tcp", port=port, host="localhost")).ok


def test_a_name_that_means_nothing_is_told(define):
    result = ping(define(probe="tcp", port=80, host="no-such-host.invalid"))

    assert not result.ok
    assert result.sentence.startswith("no-such-host.invalid means no address: ")


def test_a_full_backlog_does_not_block(define, listen):
    _, port = listen(backlog=0)
    waiting = []
    for _ in range(4):
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex(("127.0.0.1", port))
        waiting.append(one)

    result = drive(begin_probe(define(probe="tcp", port=port, probe_timeout=0.3), time.monotonic()))

    for one in waiting:
        one.close()
    assert result == (False, f"127.0.0.1:{port} did not accept in time")


def test_a_program_that_hangs_is_killed_with_its_tree(define, root, until):
    script = "sleep 600 & echo $! > pids; echo $$ >> pids; sleep 600"
    service = define(probe="exec", probe_command=("sh", "-c", script), probe_timeout=0.5)

    result = ping(service, 5.0)

    assert result == (False, "sh did not end in time")
    pids = [int(line) for line in (root / "pids").read_text().split()]
    assert len(pids) == 2
    until(lambda: not any(alive(pid) for pid in pids))
    for pid in pids:
        try:
            os.waitpid(pid, 0)
        except ChildProcessError:
            continue


@pytest.mark.parametrize(
    ("command", "wanted"),
    [
        (("true",), (True, "true exited with 0")),
        (("sh", "-c", "exit 3"), (False, "sh exited with 3")),
        (("sh", "-c", "kill -9 $$"), (False, "sh was killed by SIGKILL")),
    ],
)
def test_a_program_is_judged_by_its_exit(define, command, wanted):
    assert ping(define(probe="exec", probe_command=command)) == wanted


def test_a_program_that_cannot_be_started_is_told(define):
    assert "was not found" in ping(define(probe="exec", probe_command=("no-such-program-here",))).sentence


def test_the_observer_pings_and_does_not_touch(define, serve, free_port, stranger):
    port = free_port()
    service = define(command=serve(port), port=port, probe="http", probe_timeout=60.0)
    assert not is_up(service).ok
    process = stranger(service.command)

    assert is_up(service).ok
    os.kill(process.pid, 19)
    began = time.monotonic()
    assert not is_up(service, timeout=0.3).ok
    assert time.monotonic() - began < 30.0
    os.kill(process.pid, 18)
    assert is_up(service).ok
    assert process.poll() is None


def test_without_a_probe_the_process_is_looked_at(define, stranger):
    process = stranger(("sh", "-c", "echo; exec sleep 600"))
    source = system_source()
    _, started, boot = identity_of(process.pid, source)
    record = ServiceRecord(
        name="web", state=ServiceState.RUNNING, since=0.0, pid=process.pid, start_time=started, boot_id=boot
    )

    assert not is_up(define()).ok
    assert is_up(define(), record=record, source=source).ok
    process.kill()
    process.wait()
    assert is_up(define(), record=record, source=source) == (False, f"its process (pid {process.pid}) is gone")
