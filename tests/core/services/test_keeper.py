"""The keeper as a whole: changed catalogues, a ledger in trouble, its own end, what it costs while nothing happens."""

from __future__ import annotations

import subprocess
import sys
import time

from neo_core.errors import LedgerError

from .conftest import alive


def test_a_changed_catalogue_is_applied(keep, define):
    same, changed, removed = define("same"), define("changed"), define("removed")
    driver = keep(same, changed, removed)
    before = {name: driver.until_state(name, "running") for name in ("same", "changed", "removed")}

    changed = define("changed", env={"COLOUR": "red"})
    driver.keeper.configure({"same": define("same", probe_every=0.3), "changed": changed, "new": define("new")})
    driver.until(lambda: driver.record("removed") is None)
    after = driver.until(
        lambda: (now := driver.record("changed")).state == "running" and now.pid != before["changed"].pid and now
    )
    driver.until_state("new", "running")

    assert driver.record("same").pid == before["same"].pid
    assert not alive(before["removed"].pid)
    assert after.failures == 0
    with open(f"/proc/{after.pid}/environ", "rb") as file:
        assert b"COLOUR=red" in file.read().split(b"\0")


def test_a_removed_service_that_returns_is_started_again(keep, define, serve, free_port):
    port = free_port()
    web = define(command=serve(port, 200, "deaf"), port=port, probe="tcp", stop_grace=0.5)
    driver = keep(web)
    first = driver.until_state("web", "running")

    driver.keeper.configure({})
    driver.until_state("web", "stopping")
    driver.keeper.configure({"web": web})
    second = driver.until(lambda: (now := driver.record("web")).state == "running" and now.pid != first.pid and now)

    assert second.wanted


def test_a_good_probe_alone_is_not_written_down_each_time(keep, define, ledger):
    driver = keep(define(probe="exec", probe_command=("true",), probe_every=0.1))
    driver.until_state("web", "running")
    written = driver.record("web").probed_at

    driver.turns(0.6)

    assert driver.record("web").probed_at == written
    assert driver.keeper._kept["web"].standing.record.probed_at > written


def test_nothing_starts_that_could_not_be_written_down(keep, define, ledger, said, monkeypatch, until):
    driver = keep(define(), begin=False)
    broken = LedgerError("ledger x", "cannot grow: the disk is full", "Free space, then try again.")

    def refuse(_record):
        raise broken

    monkeypatch.setattr(ledger.services, "save", refuse)
    driver.keeper.begin()
    driver.turns(1.3)
    assert driver.keeper._kept["web"].standing.record.pid is None
    assert len([line for _, line in said if "cannot be written" in line]) == 1
    monkeypatch.undo()

    record = driver.until_state("web", "running")

    assert record.failures == 0


def test_services_wait_while_what_runs_cannot_be_read(keep, define, ledger, said, monkeypatch):
    driver = keep(define(), begin=False)

    def refuse():
        raise LedgerError("ledger x", "is locked by another process", "Try again.")

    monkeypatch.setattr(ledger.services, "all", refuse)
    driver.keeper.begin()
    driver.keeper.tick()
    assert driver.keeper._kept == {}
    assert driver.keeper.next_at() is not None
    monkeypatch.undo()

    driver.until_state("web", "running")

    assert len([line for _, line in said if line.startswith("Services wait")]) == 1


def test_the_end_of_the_keeper_leaves_services_or_stops_them(keep, define, serve, free_port):
    port = free_port()
    deaf = define("deaf", command=serve(port, 200, "deaf"), port=port, probe="tcp", stop_grace=0.5)
    driver = keep(define("plain"), deaf)
    before = {name: driver.until_state(name, "running") for name in ("plain", "deaf")}

    driver.keeper.end(stop=False)
    assert all(alive(record.pid) for record in before.values())
    driver.keeper.end(stop=True)

    after = {name: driver.record(name) for name in ("plain", "deaf")}
    assert not any(alive(record.pid) for record in before.values())
    assert {(record.state, record.wanted, record.reason) for record in after.values()} == {
        ("stopped", True, "ended with the orchestrator")
    }
    again = keep(define("plain"), deaf)
    again.until_state("plain", "running")
    again.until_state("deaf", "running")


def test_the_keeper_sleeps_until_something_is_due(keep, define, serve, free_port):
    ports = [free_port() for _ in range(5)]
    services = [define(f"s{port}", command=serve(port), port=port, probe="tcp", probe_every=10.0) for port in ports]
    driver = keep(*services)
    for service in services:
        driver.until_state(service.name, "running")

    driver.keeper.tick()
    assert driver.keeper.next_at() > time.monotonic()
    assert driver.keeper.filenos() == []


def test_the_trouble_of_one_service_does_not_reach_the_others(keep, define, said, monkeypatch):
    driver = keep(define("first"), define("second"))
    driver.until_state("first", "running")

    def fail():
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(driver.keeper._kept["first"], "tick", fail)
    driver.turns(0.1)
    driver.until_state("second", "running")

    told = [line for level, line in said if level == "ERROR"]
    assert told == ["Service first: cannot be looked after, trying again: [Errno 24] Too many open files"]
    monkeypatch.undo()


def test_a_jump_of_the_wall_clock_restarts_nothing(keep, define):
    class Jumping:
        ahead = 0.0

        def now(self):
            return time.time() + self.ahead

        def monotonic(self):
            return time.monotonic()

        def sleep(self, seconds):
            time.sleep(seconds)

    clock = Jumping()
    driver = keep(define(probe="exec", probe_command=("true",)), clock=clock)
    before = driver.until_state("web", "running")

    for ahead in (86_400.0, -86_400.0, 0.0):
        clock.ahead = ahead
        driver.turns(0.3)
        assert driver.record("web").pid == before.pid
        assert driver.record("web").state == "running"


def test_the_keeper_loads_nothing_heavy():
    heavy = ("asyncio", "ssl", "http", "hashlib", "logging", "click", "psutil", "textual", "secrets", "multiprocessing")
    script = (
        "import sys, neo_core.services.keeper, neo_core.services.probe_net, neo_core.services.probe_exec;"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
