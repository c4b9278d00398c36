"""Who has the port: read from made-up and from real tables, named, never killed."""

from __future__ import annotations

import os
import signal
import socket

import pytest

from neo_core.processes import listening
from neo_core.processes.listening import Listener, listeners_on, parse_table
from neo_core.services.ports import taken_by

from .conftest import alive

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
REST = "00000000:00000000 00:00000000 00000000  1000        0"
TCP = (
    HEAD
    + f"   0: 0100007F:1F40 00000000:0000 0A {REST} 4242 1 0 100 0 0 10 0\n"
    + f"   1: 0100007F:1F40 0100007F:D2F0 01 {REST} 4243 1 0 20 4 30 10 -1\n"
    + f"   2: 00000000:1F41 00000000:0000 0A {REST} 4244 1 0 100 0 0 10 0\n"
    + "   3: torn\n"
)
TCP6 = (
    HEAD
    + f"   0: 00000000000000000000000001000000:1F40 {'0' * 32}:0000 0A {REST} 5252 1 0 100 0 0 10 0\n"
    + f"   1: 0000000000000000FFFF00000100007F:1F40 {'0' * 32}:0000 0A {REST} 5253 1 0 100 0 0 10 0\n"
    + f"   2: {'0' * 32}:1F42 {'0' * 32}:0000 0A {REST} 5254 1 0 100 0 0 10 0\n"
)


@pytest.fixture
def proc(tmp_path):
    """A made-up /proc in which chroma (pid 123) has one of the sockets."""
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "tcp").write_text(TCP)
    (tmp_path / "net" / "tcp6").write_text(TCP6)
    (tmp_path / "123" / "fd").mkdir(parents=True)
    (tmp_path / "123" / "comm").write_text("chroma\n")
    (tmp_path / "123" / "fd" / "0").symlink_to("/dev/null")
    (tmp_path / "123" / "fd" / "7").symlink_to("socket:[4242]")
    (tmp_path / "124").mkdir()
    return tmp_path


def test_a_table_is_read():
    assert parse_table(TCP, socket.AF_INET, 8000) == [("127.0.0.1", 4242)]
    assert parse_table(TCP, socket.AF_INET, 8001) == [("0.0.0.0", 4244)]
    assert parse_table(TCP6, socket.AF_INET6, 8000) == [("::1", 5252), ("127.0.0.1", 5253)]
    assert parse_table(TCP6, socket.AF_INET6, 8002) == [("::", 5254)]
    assert parse_table("", socket.AF_INET, 8000) == []


def test_the_owner_is_named_as_far_as_it_can_be_known(proc):
    assert listeners_on(8000, root=str(proc)) == [
        Listener("127.0.0.1", 123, "chroma"),
        Listener("::1", None, ""),
        Listener("127.0.0.1", None, ""),
    ]
    assert listeners_on(9000, root=str(proc)) == []


def test_a_kernel_without_ipv6_is_fine(proc):
    (proc / "net" / "tcp6").unlink()

    assert listeners_on(8000, root=str(proc)) == [Listener("127.0.0.1", 123, "chroma")]


@pytest.mark.parametrize("look", [listeners_on, listening._from_psutil], ids=["here", "through psutil"])
def test_a_real_listener_is_found(free_port, look):
    port = free_port()
    assert look(port) == []
    with socket.create_server(("127.0.0.1", port)):
        (found,) = look(port)

    assert (found.address, found.pid) == ("127.0.0.1", os.getpid())
    assert found.name


def test_a_listener_that_hides_is_found_by_knocking(free_port):
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        assert listening._from_knocking(port) == [Listener("127.0.0.1", None, "")]
    assert listening._from_knocking(port) == []


@pytest.mark.parametrize(
    ("host", "address", "taken"),
    [
        ("localhost", "127.0.0.1", True),
        ("localhost", "::1", True),
        ("127.0.0.1", "0.0.0.0", True),
        ("127.0.0.1", "::", True),
        ("127.0.0.1", "192.168.1.5", False),
        ("0.0.0.0", "192.168.1.5", True),
    ],
)
def test_only_a_listener_in_the_way_counts(define, host, address, taken):
    service = define(port=8000, host=host)

    assert bool(taken_by(service, look=lambda _port: [Listener(address, 1, "x")])) is taken


def test_what_cannot_be_known_does_not_block(define):
    def refuse(_port):
        raise PermissionError(13, "denied")

    assert taken_by(define(port=8000), look=refuse) == []


def test_a_stranger_on_the_port_is_named_and_not_killed(keep, define, serve, free_port, stranger):
    port = free_port()
    process = stranger(serve(port))
    driver = keep(define(command=serve(port), port=port, probe="http"))

    driver.until(lambda: driver.record("web").reason)

    refused = driver.record("web")
    assert refused.state == "backoff"
    assert refused.reason.startswith(f"port {port} is taken by python")
    assert refused.reason.endswith(f"(pid {process.pid}), which is not ours")
    assert process.poll() is None


def test_a_held_port_is_no_fault_and_never_fatal_and_said_once(keep, define, serve, free_port, stranger, ledger, said):
    port = free_port()
    process = stranger(serve(port))
    driver = keep(define(command=serve(port), port=port, probe="http", give_up_after=2, backoff=0.02, backoff_max=0.05))

    driver.turns(1.0)
    refused = driver.record("web")
    assert (refused.state, refused.failures, refused.restarts, refused.pid) == ("backoff", 0, 0, None)
    assert [level for level, line in said if f"port {port} is taken" in line] == ["WARN"]
    assert len([event for event in ledger.services.events() if "is taken" in event.reason]) == 1

    process.send_signal(signal.SIGTERM)
    process.wait()
    assert driver.until_state("web", "running").failures == 0


def test_the_service_starts_when_the_stranger_has_gone(keep, define, serve, free_port, stranger):
    port = free_port()
    process = stranger(serve(port))
    driver = keep(define(command=serve(port), port=port, probe="http", give_up_after=100))
    driver.until(lambda: "is taken" in driver.record("web").reason)

    process.send_signal(signal.SIGTERM)
    process.wait()
    record = driver.until_state("web", "running")

    assert alive(record.pid)


def test_two_services_on_one_port_do_not_both_start(keep, define, serve, free_port):
    port = free_port()
    first = define("first", command=serve(port), port=port, probe="http")
    second = define("second", command=serve(port), port=port, probe="http", give_up_after=2)
    driver = keep(first)
    record = driver.until_state("first", "running")

    driver.keeper.configure({"first": first, "second": second})
    driver.until(lambda: "is taken" in driver.record("second").reason)
    refused = driver.record("second")

    assert f"(pid {record.pid}), which is not ours" in refused.reason
    assert driver.record("first").pid == record.pid
