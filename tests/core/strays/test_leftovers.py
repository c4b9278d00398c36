"""What a killed ``neo-lease run`` leaves keeps the lease: it is shown, its end is named, and an operator can end it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from neo_core.engine import Engine
from neo_core.errors import NeoError
from neo_core.health import judge
from neo_core.ledger.models import ControlKind, Outcome
from neo_core.ledger.store import Ledger
from neo_core.snapshot_strays import StrayEnd, StrayKind
from neo_core.workspace import ensure_state

from .conftest import Source, ended

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="real processes are read from /proc")

SCRIPT = "sleep 600 & echo $$ $!; wait"


@pytest.fixture
def engine(root, workspace, source):
    (root / "neo-console.toml").write_text('[tasks.heavy]\ncommand = ["true"]\n')
    ensure_state(workspace)
    return Engine(workspace, source=source)


@pytest.fixture
def left(root, engine, kill_later, until):
    """Kill ``neo-lease run`` over a script that has a child; returns the pids of both."""
    command = [sys.executable, "-m", "neo_core.commands.lease", "run", "--owner", "nightly", "--", "sh", "-c", SCRIPT]
    holder = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    pids = [int(word) for word in holder.stdout.readline().split()]
    for pid in pids:
        kill_later(pid)
    until(lambda: engine.snapshot().lease.value.light == "held", what="the lease")
    holder.kill()
    holder.wait()
    holder.stdout.close()
    return pids


def gone(pid):
    return Source().start_time(pid) is None


def rewritten(workspace, **changes):
    """Change the record as if somebody else had written it."""
    fields = json.loads(workspace.lease.read_text())
    metadata = {**fields["metadata"], **changes}
    fields["metadata"] = {name: value for name, value in metadata.items() if value is not None}
    workspace.lease.write_text(json.dumps(fields))


def test_it_is_shown_with_what_it_blocks_and_the_command_that_ends_it(engine, left):
    script, child = left
    picture = Engine(engine.workspace, source=engine._source).snapshot()  # whose first look is a whole one
    lease, (stray,) = picture.lease.value, picture.strays.value.found
    blocking = engine.preview("heavy").blocking

    assert (stray.kind, stray.pid, stray.owner, stray.foreign) == (StrayKind.LEASE, script, "nightly", False)
    assert {pid for pid, _ in stray.members} == {script, child}
    assert stray.sentence.startswith("works on under the lease of nightly, which is gone (pid ")
    assert stray.blocks == "the lease, which is not let go before it ends"
    assert lease.light == "orphaned"
    assert lease.mend in (f"neo-console strays stop {script}", f"neo-console strays stop {child}")
    assert blocking.clears_when.endswith(f"; to end them: {lease.mend}")
    assert [tree.kind for tree in picture.processes.value if tree.owner == "nightly"] == ["lease-orphan"]
    codes = {cause.code for cause in judge(picture).causes}
    assert ("lease-orphaned" in codes, "strays" in codes) == (True, False)


def test_the_named_command_ends_all_of_it_and_frees_the_lease(engine, left, workspace):
    pid = int(engine.snapshot().lease.value.mend.split()[-1])
    done = engine.stop_stray(pid, because="the report hangs")
    assert done.end is StrayEnd.ENDED
    assert all(map(gone, left))
    assert engine.preview("heavy").may_start
    with Ledger(workspace.ledger) as ledger:
        (row,) = ledger.database.query("SELECT * FROM controls WHERE kind = ?", (str(ControlKind.STRAY_STOP),))
    assert row["acknowledged_at"] is not None
    assert "works on under the lease of nightly" in row["because"]
    assert row["because"].endswith("with 2 processes ended when asked")


def test_another_identity_is_left_alone(engine, left):
    with pytest.raises(NeoError, match="is another process now"):
        engine.stop_stray(left[0], Source().start_time(left[0]) - 1)
    assert not gone(left[0])


def test_what_a_killed_script_left_is_told_at_once(engine, left, source):
    source.older = 0.0
    picture = Engine(engine.workspace, source=source).snapshot()
    (stray,) = picture.strays.value.found
    assert (stray.kind, stray.age < 5) == (StrayKind.LEASE, True)
    assert picture.lease.value.mend == stray.mend
    assert [tree.kind for tree in picture.processes.value if tree.owner == "nightly"] == ["lease-orphan"]


@pytest.mark.parametrize("changes", [{"holder": None}, {"runId": "feedfacecafe"}], ids=["javascript", "elsewhere"])
def test_what_was_not_started_here_ends_only_for_who_means_it(engine, left, workspace, changes):
    rewritten(workspace, **changes)
    (stray,) = engine.strays().found
    assert (stray.kind, stray.foreign, stray.mend) == (
        StrayKind.LEASE,
        True,
        f"neo-console strays stop {stray.pid} --foreign",
    )
    with pytest.raises(NeoError, match="is not ours"):
        engine.stop_stray(stray.pid)
    assert not gone(stray.pid)
    assert engine.stop_stray(stray.pid, foreign=True).end is StrayEnd.ENDED


def test_what_a_run_of_ours_left_is_stopped_as_that_run(engine, left, workspace):
    with Ledger(workspace.ledger) as ledger:
        ledger.runs.insert(ended("feedfacecafe", task="heavy", heavy=True, outcome=Outcome.LOST))
    rewritten(workspace, runId="feedfacecafe")
    assert engine.strays().found == ()
    assert engine.snapshot().lease.value.mend == "neo-console stop feedfacecafe"
    with pytest.raises(NeoError, match=r"is no stray: .* ends with: neo-console stop RUN"):
        engine.stop_stray(left[0])
    engine.stop("feedfacecafe")


def test_a_living_script_is_nobodys_leftover(root, engine, kill_later):
    command = [sys.executable, "-m", "neo_core.commands.lease", "run", "--owner", "nightly", "--", "sh", "-c", SCRIPT]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as holder:
        child = int(holder.stdout.readline().split()[1])
        kill_later(child)
        assert engine.strays().found == ()
        os.kill(child, signal.SIGTERM)
