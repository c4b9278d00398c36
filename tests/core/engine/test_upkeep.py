"""The engine on services, the orchestrator and its own configuration; and what the snapshot shows of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from neo_core.catalogue import read_catalogue, read_catalogue_anyway
from neo_core.engine import Engine
from neo_core.errors import ConfigError, NeoError, UsageError
from neo_core.ledger.models import ControlKind, LeaseRole, Outcome, Run, ServiceRecord, ServiceState, Trigger
from neo_core.ledger.store import Ledger
from neo_core.processes.source import identity_of, system_source
from neo_core.snapshot import OrchestratorState
from neo_core.workspace import ensure_state

SOURCE = system_source()
SERVICE = '[services.chroma]\ncommand = ["sleep", "1000"]\nport = 1\nprobe = "none"\n'
SLEEP = "import time; time.sleep(1000)"
PARENT = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {SLEEP!r}]); time.sleep(1000)"


@pytest.fixture
def engine(root, workspace):
    (root / "neo-console.toml").write_text(SERVICE)
    ensure_state(workspace)
    return Engine(workspace)


@pytest.fixture
def spawned():
    """Start a program in a session of its own; all of it is killed after the test."""
    started = []

    def start(script: str = SLEEP) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-c", script], start_new_session=True)
        started.append(process)
        return process

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.wait()


def lock(workspace, pid: int, *, beat: float | None = None) -> None:
    identity = identity_of(pid, SOURCE)
    told = {"pid": pid, "startTime": identity.start_time, "bootId": identity.boot_id}
    workspace.orchestrator_lock.write_text(json.dumps({**told, "since": "2026-11-21T06:00:00.000Z"}) + "\n")
    if beat is not None:
        os.utime(workspace.orchestrator_lock, (beat, beat))


def keep(workspace, pid: int, state: ServiceState = ServiceState.RUNNING, name: str = "chroma") -> None:
    identity = identity_of(pid, SOURCE)
    with Ledger(workspace.ledger) as ledger:
        ledger.services.save(
            ServiceRecord(
                name=name, state=state, since=time.time(), pid=pid, start_time=identity.start_time,
                boot_id=identity.boot_id, reason="as told",
            )
        )  # fmt: skip


def test_a_command_for_a_service_is_a_row_that_somebody_acknowledges(engine, workspace):
    lock(workspace, os.getpid())
    asked = [engine.service_start("chroma", "a"), engine.service_stop("chroma"), engine.service_restart("chroma")]
    assert [one.kind for one in asked] == [
        ControlKind.SERVICE_START, ControlKind.SERVICE_STOP, ControlKind.SERVICE_RESTART
    ]  # fmt: skip
    assert (asked[0].target, asked[0].because) == ("chroma", "a")
    assert [engine.acknowledged(one) for one in asked] == [False] * 3
    with Ledger(workspace.ledger) as ledger:
        ledger.controls.acknowledge(asked[1].control_id, time.time())
    assert [engine.acknowledged(one) for one in asked] == [False, True, False]


def test_without_an_orchestrator_nothing_is_asked(engine, workspace):
    with pytest.raises(NeoError, match=r"no orchestrator.*neo-console orchestrator start"):
        engine.service_start("chroma")
    assert not workspace.ledger.exists()


def test_an_unknown_service_is_named_with_the_known(engine):
    for ask in (engine.service_start, engine.service_log, engine.service_events):
        with pytest.raises(UsageError, match=r"service 'mlx': is not known here\. Known: chroma"):
            ask("mlx")


def test_logs_and_events_of_services_and_the_orchestrator(engine, workspace):
    assert engine.service_log("chroma").missing
    assert engine.orchestrator_log().missing
    workspace.service_logs.mkdir()
    (workspace.service_logs / "chroma.log").write_text("one\ntwo\n")
    workspace.orchestrator_log.write_text("began\n")
    assert engine.service_log("chroma", after=4).text == "two\n"
    assert engine.orchestrator_log(after=0).text == "began\n"
    assert engine.service_events("chroma") == []
    keep(workspace, os.getpid())
    assert [(one.state, one.reason) for one in engine.service_events("chroma")] == [("running", "as told")]


def test_services_and_the_orchestrator_have_trees_that_share_nothing(engine, workspace, spawned, until):
    orchestrator, service = spawned(PARENT), spawned()
    lock(workspace, orchestrator.pid)
    keep(workspace, service.pid)

    def look():
        trees = {tree.kind: tree for tree in engine.snapshot().processes.value}
        return trees if len(trees["orchestrator"].processes) == 2 else None

    trees = until(look)
    assert (trees["service"].owner, [one.pid for one in trees["service"].processes]) == ("chroma", [service.pid])
    assert trees["orchestrator"].processes[0].pid == orchestrator.pid
    child = trees["orchestrator"].processes[1].pid
    keep(workspace, child)  # the service is a child of the orchestrator
    trees = {tree.kind: tree for tree in engine.snapshot().processes.value}
    assert [one.pid for one in trees["service"].processes] == [child]
    assert [one.pid for one in trees["orchestrator"].processes] == [orchestrator.pid]


def test_the_orchestrator_and_its_services_in_the_snapshot(engine, workspace, spawned):
    service = spawned()
    lock(workspace, os.getpid())
    keep(workspace, service.pid)
    snapshot = engine.snapshot()
    assert snapshot.orchestrator.value.state is OrchestratorState.RUNNING
    assert [(one.state, one.kept, one.pid) for one in snapshot.services.value] == [("running", True, service.pid)]
    lock(workspace, os.getpid(), beat=time.time() - 3600)
    silent = engine.snapshot()
    assert silent.orchestrator.value.state is OrchestratorState.SILENT
    assert silent.services.value[0].kept is False


def test_an_unreadable_lock_file_is_an_error_of_both_sections(engine, workspace):
    workspace.orchestrator_lock.mkdir()
    snapshot = engine.snapshot()
    for section in (snapshot.orchestrator, snapshot.services):
        assert (section.value, "is a directory" in section.error) == (None, True)
    assert snapshot.collisions.value == ()


def heavy(pid: int, run_id: str, **more) -> Run:
    identity = identity_of(pid, SOURCE)
    told = {
        "task": run_id, "heavy": True, "trigger": Trigger.MANUAL, "requested_at": time.time(), "last_at": time.time(),
        "started_at": time.time(), "lease_role": LeaseRole.HOLDER, "runner_pid": pid,
        "runner_start": identity.start_time, "boot_id": identity.boot_id, **more,
    }  # fmt: skip
    return Run(run_id=run_id, **told)


def test_two_living_heavy_runs_are_a_collision_until_one_ends(engine, workspace, spawned):
    with Ledger(workspace.ledger) as ledger:
        one, two = spawned(), spawned()
        ledger.runs.insert(heavy(one.pid, "first"))
        ledger.runs.insert(heavy(two.pid, "second"))
    (found,) = engine.snapshot().collisions.value
    assert found.runs == ("first", "second")
    two.kill()
    two.wait()
    assert engine.snapshot().collisions.value == ()


def test_a_script_with_the_lease_beside_a_run_of_ours_is_a_collision(engine, workspace, spawned):
    with Ledger(workspace.ledger) as ledger:
        ledger.runs.insert(heavy(spawned().pid, "ours"))
    now = "2026-11-21T00:00:00.000Z"
    fields = {"owner": "sandman", "reason": "manual-cli", "pid": os.getpid(), "token": "t" * 36, "acquiredAt": now}
    workspace.lease.write_text(json.dumps({**fields, "expiresAt": "2099-01-01T00:00:00Z"}))
    (found,) = engine.snapshot().collisions.value
    assert found.tasks == ("sandman", "ours")
    assert f"a script with the lease, pid {os.getpid()}" in found.sentence


def test_a_command_left_behind_by_a_lost_run_collides_with_the_next(engine, workspace, spawned):
    left, runner = spawned(), spawned()
    gone = identity_of(left.pid, SOURCE)
    with Ledger(workspace.ledger) as ledger:
        ledger.runs.insert(
            heavy(left.pid, "lost", outcome=Outcome.LOST, child_pid=left.pid, child_start=gone.start_time)
        )
        ledger.runs.insert(heavy(runner.pid, "next"))
    (found,) = engine.snapshot().collisions.value
    assert found.runs == ("lost", "next")


def edit(workspace, text: str) -> None:
    before = workspace.config.stat().st_mtime_ns if workspace.config.exists() else 0
    workspace.config.write_text(text)
    os.utime(workspace.config, ns=(before + 10**9, before + 10**9))


def test_an_edited_configuration_is_taken_over_when_it_is_asked_for(engine, workspace):
    assert engine.reconfigure_if_changed() == ""
    edit(workspace, SERVICE + '[tasks.mine]\ncommand = ["true"]\nclass = "light"\n')
    assert "mine" not in engine.tasks
    assert engine.reconfigure_if_changed() == ""
    assert engine.run_and_wait("mine").outcome is Outcome.COMPLETED
    assert "mine" in [task.name for task in engine.snapshot().schedule.value.tasks]


def test_a_wrong_one_is_refused_and_said_until_it_is_right_again(engine, workspace):
    edit(workspace, "[leese]\n")
    for _ in range(2):
        assert "leese: is not a known key" in engine.reconfigure_if_changed()
    assert list(engine.services) == ["chroma"]
    assert "leese" in engine.snapshot().config_error
    edit(workspace, SERVICE)
    assert engine.reconfigure_if_changed() == ""
    assert engine.snapshot().config_error == ""


def test_the_lease_does_not_move_under_a_running_program(engine, workspace):
    edit(workspace, SERVICE + '[lease]\npath = "elsewhere.json"\n')
    assert "lease.path: has changed" in engine.reconfigure_if_changed()


def test_a_configuration_that_is_removed_means_the_defaults(engine, workspace):
    workspace.config.unlink()
    assert engine.reconfigure_if_changed() == ""
    assert engine.services == {}


def test_looking_works_with_a_wrong_configuration_and_acting_does_not(engine, workspace):
    edit(workspace, "[leese]\n")
    with pytest.raises(ConfigError):
        Engine(workspace)
    snapshot = Engine.for_looking(workspace).snapshot()
    assert "leese" in snapshot.config_error
    assert "backup" in [task.name for task in snapshot.schedule.value.tasks]


def test_who_began_under_a_wrong_file_goes_by_the_mended_one_also_where_that_moves_the_lease(workspace):
    edit(workspace, '[lease]\npath = "elsewhere.json"\n[leese]\n')
    early, late = Engine.for_looking(workspace), workspace
    assert "leese" in early.reconfigure_if_changed()
    edit(workspace, '[lease]\npath = "elsewhere.json"\n[tasks.mine]\ncommand = ["true"]\n')
    for looking in (early, Engine.for_looking(late)):
        assert looking.reconfigure_if_changed() == ""
        assert looking.snapshot().config_error == ""
        assert looking.workspace.lease == workspace.root / "elsewhere.json"
    assert early.run_and_wait("mine").outcome is Outcome.COMPLETED
    edit(workspace, '[tasks.mine]\ncommand = ["true"]\n')
    assert "lease.path: has changed" in early.reconfigure_if_changed()


def test_what_is_mended_while_a_wrong_file_is_read_is_not_missed(workspace):
    edit(workspace, "[leese]\n")
    wrong = read_catalogue_anyway(workspace)
    edit(workspace, SERVICE)
    late = Engine(workspace, catalogue=wrong)
    assert late.reconfigure_if_changed() == ""
    assert late.snapshot().config_error == ""


@pytest.mark.parametrize(
    ("services", "known"),
    [("", "none; add a section"), (SERVICE, "Known: chroma."), (SERVICE + "enabled = false\n", "none; add")],
)
def test_a_task_that_needs_an_unknown_service_is_refused(root, workspace, services, known):
    needs = "mlx" if "enabled" not in services else "chroma"
    (root / "neo-console.toml").write_text(f'{services}[tasks.x]\ncommand = ["true"]\nneeds = ["{needs}"]\n')
    with pytest.raises(ConfigError, match=known) as caught:
        read_catalogue(workspace)
    assert caught.value.thing.endswith(": tasks.x.needs")


def test_a_task_that_needs_a_known_one_waits_for_it(root, workspace):
    (root / "neo-console.toml").write_text(SERVICE + '[tasks.x]\ncommand = ["true"]\nneeds = ["chroma"]\n')
    attempt = Engine(workspace).trigger("x")
    assert (attempt.started, attempt.decision.blocking.reason) == (False, "dependency-not-ready")
