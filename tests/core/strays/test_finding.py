"""What is a stray, and what only looks like one: over real processes."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from neo_core.ledger.models import Outcome, ServiceState
from neo_core.processes.source import identity_of
from neo_core.services.catalogue import Service
from neo_core.snapshot_strays import StrayKind
from neo_core.strays.act import left_of_service
from neo_core.strays.judge import Known, find_suspects
from neo_core.strays.look import is_independent, take_look
from neo_core.strays.marks import NO_MARKS, read_marks

from .conftest import LIVE, OLD, ONE, RUN, ended, live, record

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="real processes are read from /proc")

LISTENS = """
import signal, socket, sys
one = socket.socket()
one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
one.bind((sys.argv[1], int(sys.argv[2])))
one.listen(1)
print("up", flush=True)
signal.pause()
"""


def pids(view):
    return [one.pid for one in view.found]


def test_a_process_of_an_ended_run(started, look):
    process = started(run=RUN)
    (stray,) = look(rows=[ended(RUN, outcome=Outcome.FAILED)]).found
    assert (stray.kind, stray.pid, stray.owner, stray.run_id) == (StrayKind.RUN, process.pid, "light", RUN)
    assert identity_of(process.pid, look.watch._source)[1:] == (stray.start_time, stray.boot_id)
    assert stray.sentence == f"works on for run {RUN} of light, which ended (failed)"
    assert stray.mend == f"neo-console strays stop {process.pid}"
    assert stray.age > 99
    assert stray.memory > 0
    assert stray.command == "sleep 60"


def test_a_detached_grandchild_is_found_by_its_marker(started, look, until, source):
    parent = started("sh", "-c", "setsid sh -c 'sleep 60; :' & echo $!; sleep 0.01", run=RUN)
    child = int(parent.stdout.readline())
    parent.wait()
    until(lambda: any(info.ppid == child for info in source.scan().values()), what="the sleep below it")
    (stray,) = look(rows=[ended()]).found
    assert stray.pid == child
    assert len(stray.members) == 2


def test_processes_of_one_run_in_one_session_are_one_tree(started, look, until, source):
    parent = started("sh", "-c", "sleep 60 & sleep 60 & echo; sleep 0.01", run=RUN)
    parent.wait()
    until(lambda: sum(info.session == parent.pid for info in source.scan().values() if not info.zombie) == 2)
    (stray,) = look(rows=[ended()]).found
    assert len(stray.members) == 2


def test_the_look_alike_of_another_workspace(started, look, tmp_path_factory):
    started(run="0123456789ab")
    started(run=RUN, state=tmp_path_factory.mktemp("other"))
    started(instance=OLD, service="web", state=tmp_path_factory.mktemp("third"))
    assert look(rows=[ended()], web=record()).found == ()


def test_the_same_workspace_by_another_path_is_ours(started, look, tmp_path):
    (tmp_path.parent / f"{tmp_path.name}-link").symlink_to(tmp_path)
    process = started(instance=OLD, service="web", state=tmp_path.parent / f"{tmp_path.name}-link")
    assert pids(look(web=record(state=ServiceState.STOPPED))) == [process.pid]


def test_a_live_run_and_everything_below_it_is_none(started, look, until, source):
    runner = started("sh", "-c", f"echo; NEO_CONSOLE_RUN_ID={RUN} sleep 60; :")
    below = f"NEO_CONSOLE_RUN_ID={RUN}".encode()
    until(lambda: any(one.ppid == runner.pid and below in source.environ(one.pid) for one in source.scan().values()))
    mine = live(runner_pid=runner.pid, runner_start=source.start_time(runner.pid))
    assert look(rows=[ended()], live=(mine,)).found == ()
    started(run=mine.run_id)
    assert look(rows=[ended()], live=(mine,)).found == ()
    look.watch.forget()
    stale = live(runner_pid=runner.pid, runner_start=source.start_time(runner.pid) + 1)
    assert len(look(rows=[ended()], live=(stale,)).found) == 1


def test_what_the_lease_shows_already_is_not_told_twice(started, look):
    process = started(run=RUN)
    assert look(rows=[ended()], told=frozenset({process.pid})).found == ()


def test_what_a_stray_started_for_a_live_run_is_spared(started, look, until, source):
    parent = started("sh", "-c", f"NEO_CONSOLE_RUN_ID={LIVE} sleep 60 & echo $!; sleep 60", run=RUN)
    child = int(parent.stdout.readline())
    until(lambda: source.command_line(child).startswith("sleep"))
    (stray,) = look(rows=[ended()], live=(live(),)).found
    assert child not in dict(stray.members)
    assert [pid for pid, _ in stray.spared] == [child]


@pytest.mark.parametrize("name", ["neo-orchestrator", "neo-console"])
def test_an_orchestrator_or_console_from_a_runs_shell_is_none(started, look, until, source, name):
    process = started("bash", "-c", f"exec -a /opt/bin/{name} sleep 60", run=RUN)
    until(lambda: source.command_line(process.pid).startswith("/opt/bin/"), what="the shell to become it")
    assert look(rows=[ended()]).found == ()


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("/v/bin/python -m neo_core.runs.runner --run x", True),
        ("/v/bin/python /v/bin/neo-orchestrator run", True),
        ("python -m neo_console.cli.main", True),
        ("vim neo-console.toml", False),
        ("tail -f /w/neo-console/log", False),
        ("", False),
    ],
)
def test_who_lives_for_itself(command, told):
    assert is_independent(command) is told


def test_who_looks_and_who_is_above_it_is_none(source, monkeypatch):
    me = os.getpid()
    look = take_look(source, ())
    marked = look._replace(marks={me: NO_MARKS._replace(run_id=RUN), os.getppid(): NO_MARKS._replace(run_id=RUN)})
    assert find_suspects(marked, Known(state="/w", ended={RUN: ended()})) == []
    (found,) = find_suspects(marked._replace(me=0), Known(state="/w", ended={RUN: ended()}))
    assert found.root.pid == os.getppid()


def test_what_has_only_just_appeared_is_none_until_seen_twice(started, look, source, clock):
    source.older = 0.0
    process, rows = started(run=RUN), [ended(outcome=Outcome.COMPLETED)]
    first = look(rows=rows)
    assert (first.found, first.settling) == ((), 1)
    clock.at += 4.9
    assert look(rows=rows).found == ()
    clock.at += 0.2
    assert pids(look(rows=rows)) == [process.pid]


def test_what_is_left_of_a_service_is_waited_for_and_nothing_else_is(started, look, source, clock, tmp_path):
    source.older = 0.0
    process = started(instance=OLD, service="web", state=tmp_path)
    started(run=RUN, task="web", state=tmp_path)

    def left(name):
        began = clock.at
        of_it = left_of_service(name, lambda: look(rows=[ended(outcome=Outcome.COMPLETED)], web=record()), clock)
        return [one.pid for one in of_it], 0 < clock.at - began <= 6

    assert left("other") == ([], False)
    assert left("web") == ([process.pid], True)


def test_what_a_killed_runner_left_is_told_at_once(started, look, source, clock):
    source.older = 0.0
    process = started(run=RUN)
    running = live(RUN, child_pid=process.pid)
    assert look(live=(running,)).found == ()
    clock.at += 0.5
    assert pids(look(rows=[ended()])) == [process.pid]


def test_a_run_that_the_ledger_does_not_know_is_a_stray_where_its_state_folder_is_ours(started, look, source, tmp_path):
    source.older = 0.0
    process = started(run=RUN, state=tmp_path, task="crunch")
    started(run=LIVE)  # names no folder, so it may be anybody's
    (stray,) = look().found
    assert (stray.kind, stray.pid, stray.owner, stray.run_id) == (StrayKind.RUN, process.pid, "crunch", RUN)
    assert stray.sentence == f"works on for run {RUN} of crunch, whose records were removed"


def test_an_unreadable_environment_is_counted_and_never_none(started, look, source):
    process = started(run=RUN)
    source.hidden.add(process.pid)
    before = look(rows=[ended()])
    assert (before.found, before.unreadable >= 1) == ((), True)
    source.hidden.clear()
    look.watch.forget()
    after = look(rows=[ended()])
    assert pids(after) == [process.pid]
    assert after.unreadable == before.unreadable - 1


def test_environments_are_read_at_a_budget(started, look, source, clock):
    started(run=RUN)
    found = look(rows=[ended()]).found
    read = source.read
    for _ in range(9):
        clock.at += 1.0
        assert look(rows=[ended()]).found == found
    assert source.read == read
    clock.at += 1.0
    look(rows=[ended()])
    assert source.read > read


def test_a_tree_that_changes_all_the_time_costs_no_pass_each_time(started, look, source, clock, until):
    process = started("sh", "-c", "sleep 60 & echo $!; wait; sleep 60", run=RUN)
    child = int(process.stdout.readline())
    (stray,) = look(rows=[ended()]).found
    assert child in dict(stray.members)
    read = source.read
    os.kill(child, 9)
    until(lambda: source.start_time(child) is None, what="its end")
    clock.at += 1.0
    assert pids(look(rows=[ended()])) == [process.pid]
    assert source.read == read
    clock.at += 1.0
    assert child not in dict(look(rows=[ended()]).found[0].members)


def test_a_stray_that_ends_is_gone_at_the_next_look(started, look):
    process = started(run=RUN)
    assert look(rows=[ended()]).found
    process.kill()
    process.wait()
    assert look(rows=[ended()]).found == ()


@pytest.mark.parametrize(
    ("state", "kept", "stray"),
    [
        (ServiceState.STOPPING, True, False),
        (ServiceState.STARTING, True, False),
        (ServiceState.STOPPED, True, True),
        (ServiceState.BACKOFF, True, True),
        (ServiceState.STOPPING, False, True),
    ],
)
def test_what_is_left_of_a_service(started, look, state, kept, stray):
    process = started(instance=ONE)
    found = look(web=record(state=state), kept=kept).found
    assert [(one.kind, one.pid, one.owner) for one in found] == [(StrayKind.SERVICE, process.pid, "web")] * stray


def test_a_second_instance_of_a_service(started, look, tmp_path):
    main = started(instance=ONE, service="web", state=tmp_path)
    older = started(instance=OLD, service="web", state=tmp_path)
    (stray,) = look(web=record(ONE, main), alive=frozenset({"web"})).found
    assert (stray.kind, stray.pid) == (StrayKind.SECOND, older.pid)
    assert stray.sentence == "is of an earlier start of service web, which runs without it"


@pytest.fixture
def port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_second_listener_on_a_services_port(started, look, port, address):
    main = started(sys.executable, "-ISc", LISTENS, "127.0.0.1", str(port), instance=ONE)
    other = started(sys.executable, "-ISc", LISTENS, address, str(port))
    assert (main.stdout.readline(), other.stdout.readline()) == (b"up\n", b"up\n")
    web = Service(name="web", command=("x",), cwd="/", port=port)
    (stray,) = look(web=record(ONE, main), alive=frozenset({"web"}), services=[web]).found
    assert (stray.kind, stray.pid, stray.owner, stray.foreign) == (StrayKind.LISTENER, other.pid, "web", True)
    assert stray.blocks == f"service web, whose port {port} it shares"
    assert stray.mend.endswith(f"{other.pid} --foreign")
    look.watch.forget()
    (waits,) = look(web=record(ONE, state=ServiceState.BACKOFF), kept=True, services=[web]).found[1:]
    assert waits.blocks == f"service web, whose port {port} it keeps"
    look.watch.forget()
    stopped = look(web=record(ONE, state=ServiceState.STOPPED, wanted=False), kept=True, services=[web])
    assert pids(stopped) == [main.pid]  # nobody wants the port: the other one is nobody's trouble


def test_a_port_that_cannot_be_looked_at_is_unknown(look):
    def deaf(_port):
        raise PermissionError(13, "permission denied")

    look.watch._listening = deaf
    view = look(web=record(), alive=frozenset(), services=[Service(name="web", command=("x",), cwd="/", port=9)])
    assert view.unknown == ("who listens on web's port 9 cannot be read",)


def test_markers_are_read_from_whole_pairs():
    told = b"A=1\0XNEO_CONSOLE_RUN_ID=no\0NEO_CONSOLE_RUN_ID=r\0NEO_CONSOLE_SERVICE_ID=i-probe\0NEO_CONSOLE_RUN_ID=z"
    assert read_marks(told)[:2] == ("r", "i")
    assert read_marks(b"A=1\0B") is NO_MARKS
