"""What else can be wrong: files that are not ours to use, the backup folder, services, the orchestrator, orphans."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import closing

import pytest

from neo_core.clock import to_iso
from neo_core.commands.lease import main as lease
from neo_core.doctor import Level, examine
from neo_core.lease.store import LeaseStore
from neo_core.lease.words import INHERITED_TOKEN
from neo_core.ledger.models import Outcome, Run, Trigger
from neo_core.ledger.store import Ledger
from neo_core.processes.source import ProcessIdentity, system_source
from neo_core.workspace import resolve_workspace

DEAD = 2**22 + 17


def test_a_shut_data_folder_is_one_clear_line(find, state, workspace, monkeypatch):
    monkeypatch.setattr(os.path, "exists", lambda path: workspace.state not in (path, *getattr(path, "parents", ())))
    monkeypatch.setattr(os, "access", lambda path, _mode: path != workspace.data)
    finding = find("state folder")
    assert (finding.level, finding.says) == (Level.FAIL, f"cannot be made: {workspace.data} is not writable for you")


@pytest.mark.parametrize("name", ["ledger.sqlite3-wal", "heavy-maintenance-lease.json.hold", "orchestrator.lock"])
def test_a_file_of_ours_that_is_not_ours_to_use(find, state, monkeypatch, name):
    (state / name).touch()
    really = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: (not str(path).endswith(name) or mode == os.F_OK) and really(path, mode)
    )
    finding = next(one for one in examine(resolve_workspace(state.parents[1])) if one.thing == str(state / name))
    assert (finding.level, finding.says) == (Level.FAIL, "is not readable and writable for you")
    assert finding.mend.startswith("Run: chmod u+rw ")


def test_the_backup_folder(find, configure, root):
    assert find("backup folder").says == "is not there yet; the first backup makes it"
    (root / "bundles").mkdir()
    configure('[jobs.backup]\nfolder = "bundles"')
    assert find("backup folder").says == "is writable"
    (root / "bundles").rmdir()
    (root / "bundles").touch()
    finding = find("backup folder")
    assert (finding.level, "is not a folder" in finding.says) == (Level.FAIL, True)


def test_the_backup_folder_of_another_program_is_its_own_business(configure, workspace):
    configure('[tasks.backup]\ncommand = ["true"]')
    assert not [one for one in examine(workspace) if one.thing.startswith("backup folder")]


def test_orphans_are_told(find, state, workspace, capsys):
    hold = LeaseStore(workspace.lease).acquire("dream", "test", metadata={"runId": "abc"}).hold
    sleeper = subprocess.Popen(["sleep", "1000"], env={**os.environ, INHERITED_TOKEN: hold.lease.token})
    try:
        fields = {**hold.lease.fields, "pid": DEAD}
        hold.release()
        workspace.lease.write_text(json.dumps(fields))
        finding = find("heavy-maintenance-lease.json")
        assert finding.level is Level.WARN
        assert finding.mend == "Let them end, or run: neo-console stop abc"
        assert not [one for one in examine(workspace) if one.thing == "strays"]  # not "none", with that one alive
        assert lease(["--workspace", str(workspace.root), "reclaim"]) == 1
        assert capsys.readouterr().err.endswith("To end it: neo-console stop abc\n")
    finally:
        sleeper.kill()
        sleeper.wait()


def test_the_program_and_the_port_of_a_service(find, configure):
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        configure(f'[services.y]\ncommand = ["no-such-program"]\nport = {port}')
        assert (find("service y").level, find("service y").mend) == (
            Level.FAIL, "Install it, or mend services.y.command."
        )  # fmt: skip
        taken = find(f"port {port}")
        assert (taken.level, f"pid {os.getpid()}), which is not ours" in taken.says) == (Level.FAIL, True)
        assert "services.y.port" in taken.mend
    configure(f'[services.y]\ncommand = ["sleep", "1"]\nport = {port}')
    assert find("service y").says == "starts sleep"
    assert find(f"port {port}").says == "is free for y"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads other environments from /proc")
def test_a_service_whose_records_are_lost_is_told_once_and_as_what_it_is(configure, state, workspace, monkeypatch):
    listens = "one = socket.create_server(('127.0.0.1', 0)); print(one.getsockname()[1], flush=True)"
    script = f"import socket, signal; {listens}; signal.pause()"
    marks = {"NEO_CONSOLE_SERVICE_ID": os.urandom(6).hex(), "NEO_CONSOLE_SERVICE_NAME": "web"}
    started = {**os.environ, **marks, "NEO_CONSOLE_STATE": str(state)}
    process = subprocess.Popen([sys.executable, "-ISc", script], env=started, stdout=subprocess.PIPE, text=True)
    try:
        port = int(process.stdout.readline())
        configure(f'[services.web]\ncommand = ["sleep", "1"]\nport = {port}')
        monkeypatch.setattr(type(system_source()), "age", lambda _source, _start: 60.0)
        told = [one for one in examine(workspace) if str(process.pid) in one.thing + one.says or str(port) in one.thing]
    finally:
        process.kill()
        process.communicate()
    (finding,) = told
    assert finding.thing == f"process {process.pid}"
    assert "is of a start of service web whose records were removed" in finding.says
    assert f"service web, whose port {port} it keeps" in finding.says
    assert finding.mend == f"Run: neo-console strays stop {process.pid}"


def test_the_orchestrator(find, state, workspace):
    assert find("orchestrator").level is Level.OK
    told = {"pid": DEAD, "startTime": 1, "bootId": "b", "since": to_iso(1.8e9)}
    workspace.orchestrator_lock.write_text(json.dumps(told) + "\n")
    killed = find("orchestrator")
    assert (killed.level, killed.mend) == (Level.WARN, "Run: neo-console orchestrator start")
    with Ledger(workspace.ledger) as ledger:
        number = ledger.orchestrators.began(ProcessIdentity(DEAD, 1, "b"), 1.8e9)
        ledger.orchestrators.ended(number, 1.8e9, "stopped")
    assert find("orchestrator").level is Level.OK  # the lock file of one that ended is no trouble
    workspace.orchestrator_lock.write_text("{}")
    assert find("orchestrator.lock").level is Level.FAIL


def test_a_need_that_no_service_meets(find, configure):
    configure('[tasks.x]\ncommand = ["true"]\nneeds = ["chroma"]')
    assert find("tasks.x.needs").level is Level.FAIL


def test_strays_are_told(find, state, workspace, monkeypatch):
    assert find("strays").says.startswith("none: ")
    run_id = os.urandom(6).hex()
    told = {"task": "light", "heavy": False, "outcome": Outcome.LOST, "trigger": Trigger.MANUAL}
    with Ledger(workspace.ledger) as ledger:
        ledger.runs.insert(Run(run_id=run_id, requested_at=1.0, last_at=1.0, **told))
    monkeypatch.setattr(type(system_source()), "age", lambda _source, _start: 60.0)
    process = subprocess.Popen(["sleep", "60"], env={**os.environ, "NEO_CONSOLE_RUN_ID": run_id})
    try:
        finding = find(f"process {process.pid}")
    finally:
        process.kill()
        process.wait()
    assert (finding.level, finding.mend) == (Level.WARN, f"Run: neo-console strays stop {process.pid}")
    assert finding.says == f"sleep works on for run {run_id} of light, which was lost"
