"""Ending a stray: with a real engine, a real ledger and real processes; checked again at the moment of the act."""

from __future__ import annotations

import os
import signal
import socket
import sys

import pytest

from neo_core.engine import Engine
from neo_core.errors import EndedError, NeoError
from neo_core.health import judge
from neo_core.ledger.models import ControlKind, Outcome, ServiceState
from neo_core.ledger.store import Ledger
from neo_core.processes.source import identity_of
from neo_core.snapshot_strays import StrayEnd, StrayKind
from neo_core.workspace import ensure_state

from .conftest import LIVE, ONE, RUN, ended, record
from .test_finding import LISTENS

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="real processes are read from /proc")

CONFIG = """
[tasks.light]
command = ["sh", "-c", "sleep 60 & echo $! > child; wait"]
class = "light"
grace = "0.1s"
[tasks.heavy]
command = ["sh", "-c", "sleep 60 & echo $! > child; wait"]
"""


@pytest.fixture
def engine(root, workspace, source):
    (root / "neo-console.toml").write_text(CONFIG)
    ensure_state(workspace)
    return Engine(workspace, source=source)


@pytest.fixture
def ledger(engine, workspace):
    with Ledger(workspace.ledger) as opened:
        opened.runs.insert(ended(RUN))
        yield opened


def rows(ledger):
    return ledger.database.query("SELECT * FROM controls WHERE kind = ?", (str(ControlKind.STRAY_STOP),))


def gone(process):
    return process.wait(5) is not None


def test_it_is_asked_to_end_and_that_is_written_down(engine, ledger, started):
    process = started(run=RUN)
    done = engine.stop_stray(process.pid, because="it is in the way")
    assert (done.end, gone(process)) == (StrayEnd.ENDED, True)
    assert process.returncode == -signal.SIGTERM
    (row,) = rows(ledger)
    assert row["target"] == f"{process.pid} {done.stray.start_time}"
    assert row["requested_by"]
    assert row["acknowledged_at"] is not None
    assert row["because"] == (
        f"sleep (pid {process.pid}) works on for run {RUN} of light, which was lost: sleep 60; it is in the way"
        f" → sleep (pid {process.pid}) with 1 process ended when asked"
    )
    assert engine.strays().found == ()


def test_what_does_not_hear_is_killed_with_its_whole_tree(engine, ledger, started, until, source):
    process = started("sh", "-c", "trap '' TERM; sleep 60 & echo; while :; do sleep 0.02; done", run=RUN)
    process.stdout.readline()
    done = engine.stop_stray(process.pid)
    assert (done.end, gone(process)) == (StrayEnd.KILLED, True)
    until(lambda: not [one for one in source.scan().values() if one.session == process.pid and not one.zombie])
    assert "was killed" in rows(ledger)[0]["because"]


def test_any_process_of_the_tree_names_it(engine, ledger, started):
    process = started("sh", "-c", "sleep 60 & echo $!; wait", run=RUN)
    assert engine.stop_stray(int(process.stdout.readline())).stray.pid == process.pid
    assert gone(process)


def test_a_reused_identity_is_left_alone(engine, ledger, started, source):
    process = started(run=RUN)
    with pytest.raises(NeoError, match="is another process now, which began there later"):
        engine.stop_stray(process.pid, source.start_time(process.pid) - 1)
    assert process.poll() is None
    assert rows(ledger) == []


def test_what_has_become_part_of_something_live_is_left_alone(engine, ledger, started, source):
    process = started(instance=ONE)
    ledger.services.save(record(ONE, state=ServiceState.STOPPED))
    (stray,) = engine.strays().found
    ledger.services.save(record(ONE, process))
    with pytest.raises(NeoError, match="is no stray: it belongs to a live run or service"):
        engine.stop_stray(stray.pid, stray.start_time)
    assert process.poll() is None


def test_who_has_ended_and_who_is_too_new(engine, ledger, started, source):
    process = started(run=RUN)
    process.kill()
    process.wait()
    with pytest.raises(EndedError, match="has ended already"):
        engine.stop_stray(process.pid)
    with pytest.raises(NeoError, match="carries no marker of ours"):
        engine.stop_stray(os.getpid())
    source.older = 0.0
    young = started(run=LIVE)
    ledger.runs.insert(ended(LIVE, outcome=Outcome.COMPLETED))
    with pytest.raises(NeoError, match="began too short a while ago"):
        engine.stop_stray(young.pid)
    assert young.poll() is None


def test_a_foreign_listener_is_ended_only_by_who_means_it(engine, root, ledger, started, workspace, source):
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    told = f'[services.web]\ncommand = ["true"]\nport = {port}\nprobe = "none"\n'
    (root / "neo-console.toml").write_text(told)
    main, other = started(instance=ONE), started(sys.executable, "-ISc", LISTENS, "127.0.0.1", str(port))
    assert other.stdout.readline() == b"up\n"
    ledger.services.save(record(ONE, main))
    engine = Engine(workspace, source=source)
    with pytest.raises(NeoError, match=rf"process {other.pid}: is not ours: .* old, listens on port {port}"):
        engine.stop_stray(other.pid)
    assert other.poll() is None
    done = engine.stop_stray(other.pid, foreign=True)
    assert (done.stray.kind, done.end, gone(other)) == (StrayKind.LISTENER, StrayEnd.ENDED, True)
    assert main.poll() is None
    assert rows(ledger)[0]["force"] == 1


@pytest.mark.parametrize("task", ["light", "heavy"])
def test_the_command_of_a_run_whose_runner_was_killed(engine, root, workspace, until, kill_later, source, task):
    run_id = engine.trigger(task).run_id
    child = root / "child"
    until(lambda: child.exists() and child.read_text().strip(), what="the command")
    run = until(lambda: (one := engine.run(run_id)).child_pid and one, what="its row")
    kill_later(run.child_pid)
    kill_later(int(child.read_text()))
    assert engine.strays().found == ()
    os.kill(run.runner_pid, signal.SIGKILL)
    until(lambda: source.start_time(run.runner_pid) is None, what="the end of the runner")
    if task == "heavy":  # its lease says so already; only when somebody removed the record it is ours to say
        assert engine.snapshot().lease.value.light == "orphaned"
        assert engine.strays().found == ()
        workspace.lease.unlink()
    (stray,) = engine.strays().found
    assert (stray.kind, stray.pid, stray.run_id) == (StrayKind.RUN, run.child_pid, run_id)
    assert int(child.read_text()) in dict(stray.members)
    picture = engine.snapshot()
    assert [tree.kind for tree in picture.processes.value if tree.owner == task] == ["run-orphan"]
    assert engine.run(run_id).outcome is Outcome.LOST
    assert engine.stop_stray(stray.pid, stray.start_time).end is StrayEnd.ENDED
    assert identity_of(run.child_pid, source) is None
    assert engine.snapshot().strays.value.found == ()


def test_the_workspace_of_another_user_is_unknown_and_never_free_of_strays(engine, ledger, started, monkeypatch):
    started(run=RUN)
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 4242)
    view = engine.strays()
    assert (view.found, view.looked_at, view.others > 0) == ((), 0, True)
    assert view.unknown == (f"the workspace is of user {owner}, whose processes do not show us what they are for",)
    causes = {cause.code: cause.status for cause in judge(engine.snapshot()).causes}
    assert causes["strays-unknown"] == "unknown"


def test_without_a_readable_ledger_nothing_is_called_a_stray(engine, ledger, started, workspace):
    started(run=RUN)
    assert len(engine.strays().found) == 1
    ledger.close()
    workspace.ledger.write_bytes(b"not a database at all, but long enough to be looked at as one" * 20)
    for name in ("-wal", "-shm"):
        workspace.ledger.with_name(workspace.ledger.name + name).unlink(missing_ok=True)
    section = Engine(workspace, source=engine._source).snapshot().strays
    assert (section.value, "ledger" in section.error) == (None, True)
    with pytest.raises(NeoError, match="strays: ledger"):
        engine.strays()
