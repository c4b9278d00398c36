"""A service that nobody looks after is stopped from here as its keeper would, and no orchestrator can race that."""

from __future__ import annotations

import json
import os
import shutil
import sys

import pytest

from neo_core.engine import Engine
from neo_core.errors import NeoError, UsageError
from neo_core.incumbent import no_orchestrator
from neo_core.ledger.models import ControlKind, ServiceRecord, ServiceState
from neo_core.ledger.store import Ledger
from neo_core.orchestrator.instance import IncumbentError, take_instance_lock
from neo_core.processes.procfs import ProcFs
from neo_core.processes.source import identity_of, system_source
from neo_core.workspace import ensure_state

from .conftest import alive, members

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="real processes are read from /proc")

SOURCE = system_source()


class Later(ProcFs):
    """The machine when everything on it is a minute older."""

    def age(self, start_time):
        return super().age(start_time) + 60


TREE = ("sh", "-c", "sleep 600 & sleep 600 & wait")
DEAF = ("sh", "-c", "trap '' TERM; while kill -0 $TESTED_BY; do sleep 0.02; done")


@pytest.fixture
def engine(root, workspace):
    """Make an engine over services of these commands."""

    def make(**commands):
        told = (
            f'[services.{name}]\ncommand = {json.dumps(one)}\nstop_grace = "300ms"' for name, one in commands.items()
        )
        (root / "neo-console.toml").write_text("\n".join(told))
        return Engine(workspace)

    return make


@pytest.fixture
def left_running(keep, define):
    """Have services started by a keeper that then goes and leaves them; returns what is known of each."""

    def start(**commands):
        driver = keep(*(define(name, one, probe="none", stop_grace=0.3) for name, one in commands.items()))
        records = {name: driver.until_state(name, ServiceState.RUNNING) for name in commands}
        driver.keeper.end(stop=False)
        return records

    return start


def stops(ledger):
    return ledger.database.query("SELECT * FROM controls WHERE kind = ?", (str(ControlKind.SERVICE_STOP),))


def test_its_whole_tree_ends_and_that_is_recorded(engine, left_running, ledger, until):
    record = left_running(web=TREE)["web"]
    until(lambda: len(members(record.instance)) == 3, what="the tree")
    control = engine(web=TREE).service_stop("web", "it leaks")
    (row,) = stops(ledger)
    after = ledger.services.all()["web"]

    assert members(record.instance) == []
    assert not alive(record.pid)
    assert (after.state, after.wanted, after.pid) == (ServiceState.STOPPED, False, None)
    assert after.reason.startswith("stopped by ")
    assert after.reason.endswith("(it leaks)")
    assert control.acknowledged_at == row["acknowledged_at"] is not None
    assert row["because"] == control.because == "it leaks; no orchestrator was running → 3 processes ended"


def test_what_does_not_hear_its_stop_signal_is_killed_after_its_grace(engine, left_running, ledger):
    record = left_running(web=DEAF)["web"]
    control = engine(web=DEAF).service_stop("web")
    assert members(record.instance) == []
    assert control.because.endswith(" ended; did not end on TERM, killing it")


def test_only_that_service_ends_and_no_later_keeper_starts_or_adopts_it(engine, left_running, ledger, keep, define):
    sleep = ("sleep", "600")
    records = left_running(web=sleep, other=sleep)
    engine(web=sleep, other=sleep).service_stop("web")
    later = keep(*(define(name, sleep, probe="none", stop_grace=0.3) for name in records))
    other = later.until_state("other", ServiceState.RUNNING)
    later.turns(0.1)

    assert (other.pid, other.adopted) == (records["other"].pid, True)
    assert later.record("web").state is ServiceState.STOPPED
    assert not alive(records["web"].pid)


def test_nothing_is_done_while_an_orchestrator_starts_and_none_starts_meanwhile(
    engine, left_running, ledger, workspace
):
    record = left_running(web=("sleep", "600"))["web"]
    with no_orchestrator(workspace):
        with pytest.raises(NeoError, match=r"orchestrator\.lock: is taken: .*Try again in a moment"):
            engine(web=("sleep", "600")).service_stop("web")
        with pytest.raises(IncumbentError, match="is just starting in another process, or a service is just being"):
            take_instance_lock(workspace, SOURCE)
    assert alive(record.pid)
    assert stops(ledger) == []
    take_instance_lock(workspace, SOURCE).release()


def test_an_orchestrator_whose_lock_file_is_gone_is_asked_all_the_same(engine, left_running, ledger):
    record = left_running(web=("sleep", "600"))["web"]
    ledger.orchestrators.began(identity_of(os.getpid(), SOURCE), 1.0)
    control = engine(web=("sleep", "600")).service_stop("web")
    assert control.acknowledged_at is None
    assert alive(record.pid)


def test_a_start_that_a_killed_orchestrator_never_saw_is_not_obeyed_by_the_next(engine, left_running, ledger):
    left_running(web=("sleep", "600"))
    ledger.controls.add(ControlKind.SERVICE_START, "web", at=1.0)
    engine(web=("sleep", "600")).service_stop("web")
    assert ledger.controls.pending(ControlKind.SERVICE_START) == []


def test_a_process_that_does_not_carry_the_marker_is_left_alone_and_said(engine, ledger, stranger):
    process = stranger(("sh", "-c", "echo up; exec sleep 600"))
    told = identity_of(process.pid, SOURCE)
    ledger.services.save(
        ServiceRecord(
            name="web",
            state=ServiceState.RUNNING,
            since=1.0,
            instance="web-0123456789abcdef",
            pid=told.pid,
            start_time=told.start_time,
            boot_id=told.boot_id,
        )
    )
    with pytest.raises(NeoError, match=f"service web: pid {process.pid} is a look-alike: .* and was left alone"):
        engine(web=("sleep", "600")).service_stop("web")
    assert process.poll() is None
    assert "was left alone" in stops(ledger)[0]["because"]


def test_one_that_has_ended_or_never_began_is_stopped_too(engine, left_running, ledger, root):
    made = engine(web=("sleep", "600"))
    assert made.service_stop("web").because == "no orchestrator was running → nothing of it was running"
    assert (ledger.services.all()["web"].state, ledger.services.all()["web"].wanted) == (ServiceState.STOPPED, False)


def test_one_that_is_no_longer_configured_can_still_be_stopped_and_an_unknown_one_is_named(
    engine, left_running, ledger
):
    record = left_running(gone=("sleep", "600"))["gone"]
    made = engine(web=("sleep", "600"))
    made.service_stop("gone")
    assert not alive(record.pid)
    with pytest.raises(UsageError, match=r"service 'nobody': is not known here\. Known: web"):
        made.service_stop("nobody")


def test_what_lives_of_it_ends_also_where_its_records_were_removed(engine, left_running, ledger, workspace, until):
    record = left_running(web=TREE)["web"]
    until(lambda: len(members(record.instance)) == 3, what="the tree")
    shutil.rmtree(workspace.state)
    engine(web=TREE)
    control = Engine(workspace, source=Later()).service_stop("web", "it leaks")

    assert members(record.instance) == []
    assert control.because.startswith(
        f"it leaks; of an earlier start sh (pid {record.pid}) with 3 processes ended when"
    )
    with Ledger(workspace.ledger) as anew:
        assert anew.services.all()["web"].state is ServiceState.STOPPED
        (told,) = anew.controls.history(ControlKind.STRAY_STOP, 9)
        assert "whose records were removed: sh -c" in told.because


def test_an_earlier_start_ends_also_where_a_new_orchestrator_is_asked_to_stop_the_later_one(
    engine, left_running, ledger, workspace, keep, define
):
    sleep = ("sleep", "600")
    earlier = left_running(web=sleep)["web"]
    shutil.rmtree(workspace.state)
    ensure_state(workspace)
    with Ledger(workspace.ledger) as anew:
        later = keep(define("web", sleep, probe="none", stop_grace=0.3), on=anew)
        later.ledger = anew
        now = later.until_state("web", ServiceState.RUNNING)
        anew.orchestrators.began(identity_of(os.getpid(), SOURCE), 1.0)
        engine(web=sleep)
        control = Engine(workspace, source=Later()).service_stop("web")
        assert not alive(earlier.pid)
        assert alive(now.pid)
        assert control.acknowledged_at is None
        assert f"sleep (pid {earlier.pid}) with 1 process ended when asked" in control.because
        later.keeper.end(stop=True)
