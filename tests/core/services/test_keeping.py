"""A keeper over real processes: starts, restarts, limits, operators, changed catalogues."""

from __future__ import annotations

import os
import signal
import sys
import time

import msgspec
import pytest

from neo_core.services.logs import service_log

from .conftest import alive, members

LEAVES = """
import os, subprocess, sys, time
subprocess.Popen(["sleep", "600"], start_new_session=True)
subprocess.Popen(["sleep", "600"])
print("ready", flush=True)
time.sleep(600)
"""


def test_a_service_is_started_and_is_running_after_a_good_answer(keep, define, serve, free_port, workspace):
    port = free_port()
    driver = keep(define(command=serve(port), port=port, host="localhost", probe="http"))

    record = driver.until_state("web", "running")

    assert alive(record.pid)
    assert members(record.instance) == [record.pid]
    assert (record.failures, record.restarts, record.adopted) == (0, 0, False)
    assert record.probed_at is not None
    assert [event.state for event in reversed(driver.ledger.services.events("web"))] == [
        "starting",
        "running",
    ]
    log = service_log(workspace, "web")
    assert f"serving as {record.pid}" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600
    assert log.parent.stat().st_mode & 0o777 == 0o700


def test_a_killed_service_is_back_within_its_back_off(keep, define, serve, free_port):
    port = free_port()
    driver = keep(define(command=serve(port), port=port, probe="tcp", backoff=1.0))
    before = driver.until_state("web", "running")

    os.kill(before.pid, signal.SIGKILL)
    killed = time.monotonic()
    waiting = driver.until_state("web", "backoff")
    took = time.monotonic() - killed
    after = driver.until_state("web", "running")

    assert waiting.reason == "was killed by SIGKILL"
    assert 0.5 <= waiting.next_start_at - waiting.since <= 1.0
    assert took < 10.0
    assert (after.failures, after.restarts, after.last_exit) == (1, 1, "was killed by SIGKILL")
    assert after.pid != before.pid
    assert after.instance != before.instance


def test_a_service_deaf_to_its_signal_is_killed_after_its_grace(keep, define, serve, free_port, said):
    port = free_port()
    driver = keep(define(command=serve(port, 200, "deaf"), port=port, probe="http", stop_grace=0.6))
    record = driver.until_state("web", "running")

    began = time.monotonic()
    driver.command("service-stop", "web", requested_by="ana", because="upgrade")
    stopping = driver.until_state("web", "stopping")
    stopped = driver.until_state("web", "stopped")
    took = time.monotonic() - began

    assert not alive(record.pid)
    assert 0.6 <= took < 15.0
    assert stopping.reason == "stopped by ana (upgrade)"
    assert (stopped.wanted, stopped.pid) == (False, None)
    assert any("killing it" in line for _, line in said)


def test_the_whole_tree_is_ended(keep, define):
    driver = keep(define(command=(sys.executable, "-S", "-c", LEAVES)))
    record = driver.until_state("web", "running")
    pids = driver.until(lambda: len(members(record.instance)) == 3 and members(record.instance))

    driver.command("service-stop", "web")
    driver.until_state("web", "stopped")

    assert not any(alive(pid) for pid in pids)


def test_what_a_killed_service_left_behind_is_ended_before_the_next_start(keep, define):
    driver = keep(define(command=(sys.executable, "-S", "-c", LEAVES)))
    first = driver.until_state("web", "running")
    driver.until(lambda: len(members(first.instance)) == 3)

    os.kill(first.pid, signal.SIGKILL)
    second = driver.until(lambda: (now := driver.record("web")).restarts == 1 and now.pid and now)

    assert members(first.instance) == []
    assert second.instance != first.instance


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({"command": ("no-such-program-here",)}, "program 'no-such-program-here': was not found"),
        ({"cwd": "/nonexistent/folder"}, "folder /nonexistent/folder: does not exist"),
        ({"command": ("false",)}, "exited with 1"),
    ],
)
def test_a_service_that_never_starts_is_fatal_with_the_reason(keep, define, more, wanted):
    service = msgspec.structs.replace(define(give_up_after=3, backoff=0.1, backoff_max=0.1), **more)
    driver = keep(service)

    record = driver.until_state("web", "fatal")
    driver.turns(0.4)

    assert record.reason.startswith("gave up after 3 faults in a row, the last: ")
    assert wanted in record.reason
    assert driver.record("web") == record
    assert driver.keeper.next_at() is None


def test_a_log_that_cannot_be_written_is_told(keep, define, workspace):
    workspace.service_logs.write_text("a file where the folder should be")
    driver = keep(define(give_up_after=1))

    record = driver.until_state("web", "fatal")

    assert str(workspace.service_logs) in record.reason


def test_an_operators_start_ends_fatal(keep, define, root):
    script = "test -e mended && exec sleep 600; exit 4"
    driver = keep(define(command=("sh", "-c", script), give_up_after=2, backoff=0.1, backoff_max=0.1))
    driver.until_state("web", "fatal")

    (root / "mended").touch()
    driver.command("service-start", "web")
    record = driver.until_state("web", "running")

    assert record.failures == 0


@pytest.mark.parametrize(
    ("policy", "code", "again"), [("on-failure", 0, False), ("on-failure", 3, True), ("never", 3, False)]
)
def test_the_restart_policy_decides_what_follows_an_end(keep, define, policy, code, again):
    driver = keep(define(command=("sh", "-c", f"sleep 0.05; exit {code}"), restart=policy, give_up_after=2))

    record = driver.until_state("web", "fatal" if again else "stopped")

    assert f"exited with {code}" in record.reason
    assert record.wanted


def test_failed_probes_in_a_row_restart_it(keep, define, serve, free_port, root):
    port = free_port()
    service = define(command=serve(port), port=port, probe="http", probe_failures=2, probe_path="/health")
    driver = keep(service)
    first = driver.until_state("web", "running")

    (root / "status").write_text("503")
    driver.until(lambda: driver.record("web").failures == 1)
    (root / "status").unlink()
    second = driver.until_state("web", "running")

    states = [(event.state, event.reason) for event in reversed(driver.ledger.services.events("web"))]
    told = f"2 probes in a row failed: 127.0.0.1:{port}/health answers with 503"
    assert ("unhealthy", told) in states
    assert ("stopping", told) in states
    assert second.pid != first.pid


def test_a_start_without_a_good_answer_in_its_grace_is_a_fault(keep, define, free_port):
    driver = keep(define(port=free_port(), probe="tcp", start_grace=0.5, give_up_after=1))

    record = driver.until_state("web", "fatal")

    assert record.reason.startswith("no good answer within 500ms of its start: 127.0.0.1:")
    assert record.reason.endswith("connection refused")


def test_the_memory_of_the_tree_has_a_limit(keep, define):
    eats = "import time; block = bytearray(60_000_000); time.sleep(600)"
    command = ("sh", "-c", f'"{sys.executable}" -S -c "{eats}"; true')
    driver = keep(define(command=command, memory_limit=30_000_000, give_up_after=1))
    driver.keeper._kept["web"]._rounds._memory_at = 0.0

    def looked():
        driver.keeper._kept["web"]._rounds._memory_at = 0.0
        return driver.record("web").state == "fatal"

    driver.until(looked)

    assert driver.record("web").reason.startswith("it uses ")
    assert driver.record("web").reason.endswith("above its limit of 29 MiB")


def test_an_exec_probe_decides(keep, define, root):
    command = ("sh", "-c", "echo not yet; test -e ready")
    driver = keep(define(probe="exec", probe_command=command, start_grace=10.0, backoff=1.0))
    driver.turns(0.4)
    assert driver.record("web").state == "starting"

    (root / "ready").touch()
    driver.until_state("web", "running")
    (root / "ready").unlink()
    record = driver.until(lambda: driver.record("web").failures == 1 and driver.record("web"))

    assert record.reason == "3 probes in a row failed: sh exited with 1: not yet"


def test_an_operator_stops_starts_and_restarts(keep, define):
    driver = keep(define())
    first = driver.until_state("web", "running")

    driver.command("service-restart", "web", requested_by="ana")
    second = driver.until(lambda: (now := driver.record("web")).state == "running" and now.pid != first.pid and now)
    driver.command("service-stop", "web", force=True)
    driver.until_state("web", "stopped")
    driver.turns(0.3)
    assert driver.record("web").state == "stopped"
    driver.command("service-start", "web")
    third = driver.until_state("web", "running")

    assert not alive(first.pid)
    assert not alive(second.pid)
    assert (second.failures, third.failures, third.wanted) == (0, 0, True)


def test_a_command_for_nobody_is_told_and_dropped(keep, define, said):
    driver = keep(define())

    driver.command("service-stop", "nobody")

    assert ("WARN", "Service nobody: there is none of that name; service-stop is dropped.") in said
