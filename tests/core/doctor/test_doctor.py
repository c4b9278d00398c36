"""Each thing that can be wrong with a workspace is found, with its mend; a healthy one has nothing to mend."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing

import pytest

from neo_core import doctor
from neo_core.clock import to_iso
from neo_core.doctor import Level, examine
from neo_core.lease.store import LeaseStore
from neo_core.lease.words import INHERITED_TOKEN
from neo_core.ledger.models import Run, Trigger
from neo_core.ledger.store import Ledger
from neo_core.workspace import STATE_VARIABLE, ensure_state, resolve_workspace

DEAD = 2**22 + 17


def test_a_healthy_workspace_has_nothing_to_mend_before_and_after_its_first_use(workspace):
    assert {finding.level for finding in examine(workspace)} == {Level.OK}
    ensure_state(workspace)
    with Ledger(workspace.ledger):
        pass
    assert {finding.level for finding in examine(workspace)} == {Level.OK}


def test_nothing_that_stays_is_changed(workspace, root, state):
    before = sorted(path.relative_to(root) for path in root.rglob("*"))
    examine(workspace)
    assert sorted(path.relative_to(root) for path in root.rglob("*")) == before


def test_the_configuration(find, configure):
    assert find("neo-console.toml").says == "is not there; the defaults are used"
    configure("")
    assert find("neo-console.toml").says == "is valid"
    configure("[leese]")
    finding = find("neo-console.toml: leese")
    assert (finding.level, finding.says, finding.mend) == (Level.FAIL, "is not a known key", "Did you mean lease?")


def test_a_configured_task_without_a_command(find, configure):
    configure("[tasks.dream]\nevery = '2h'")
    finding = find("tasks.dream.command")
    assert (finding.level, finding.says) == (Level.FAIL, "the heavy task dream has no command")


def test_a_state_folder_that_is_a_file(find, workspace):
    workspace.state.write_text("")
    finding = find("state folder")
    assert (finding.level, finding.says) == (Level.FAIL, "is not a folder")
    assert STATE_VARIABLE in finding.mend


def test_a_state_folder_that_others_may_write(find, state):
    state.chmod(0o777)
    finding = find("state folder", Level.WARN)
    assert "can be written by others (mode 777)" in finding.says
    assert finding.mend == f"Run: chmod 700 {state}"


def test_a_state_folder_that_is_not_writable(find, state, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    finding = find("state folder")
    assert (finding.level, finding.says) == (Level.FAIL, "is not writable for you")


def test_a_state_folder_that_cannot_be_made(find, monkeypatch, workspace):
    monkeypatch.setattr(os, "access", lambda *_: False)
    finding = find("state folder")
    assert finding.level is Level.FAIL
    assert finding.says == f"cannot be made: {workspace.data} is not writable for you"


def test_a_network_file_system(find, state, monkeypatch):
    monkeypatch.setattr(doctor, "network_filesystem", lambda _: "nfs4")
    finding = find("state folder", Level.WARN)
    assert "is on a network file system (nfs4)" in finding.says
    assert "lease.allow_network_filesystem" in finding.mend


def test_a_file_system_without_hard_links(find, state, monkeypatch):
    def refuse(*_args, **_options):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("pathlib.Path.hardlink_to", refuse)
    finding = find("state folder")
    assert (finding.level, "cannot be made or linked: operation not permitted" in finding.says) == (Level.FAIL, True)
    assert list(state.glob(".doctor*")) == []


@pytest.mark.parametrize(("other", "level"), [(False, Level.WARN), (True, Level.FAIL)])
def test_two_paths_for_one_lease(root, tmp_path, monkeypatch, other, level):
    default = resolve_workspace(root).lease
    if other:
        default.parent.mkdir()
        default.write_text("{}")
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path / "moved"))
    (finding,) = [one for one in examine(resolve_workspace(root)) if one.thing == STATE_VARIABLE]
    assert finding.level is level
    assert f"scripts without it use {default}" in finding.says


def lease_of(workspace, **changes) -> None:
    fields = {
        "owner": "dream",
        "reason": "r",
        "pid": os.getpid(),
        "token": "t" * 36,
        "acquiredAt": to_iso(1.8e9),
        **changes,
    }
    workspace.lease.write_text(json.dumps(fields))
    os.utime(workspace.lease, (1, 1))


def test_the_lease(find, state, workspace):
    assert find("heavy-maintenance-lease.json").says == "nobody holds the lease"
    lease_of(workspace, expiresAt="2099-01-01T00:00:00Z")
    held = find("heavy-maintenance-lease.json")
    assert (held.level, "lease held by dream" in held.says) == (Level.OK, True)
    lease_of(workspace, pid=DEAD)
    stale = find("heavy-maintenance-lease.json")
    assert (stale.level, stale.mend) == (Level.WARN, "Run: neo-lease reclaim")
    assert "is gone" in stale.says
    workspace.lease.write_text("{")
    os.utime(workspace.lease, (1, 1))
    malformed = find("heavy-maintenance-lease.json")
    assert (malformed.level, "is not a lease" in malformed.says) == (Level.WARN, True)
    workspace.lease.unlink()
    workspace.lease.mkdir()
    unreadable = find("heavy-maintenance-lease.json")
    assert unreadable.level is Level.FAIL
    assert "nothing heavy starts" in unreadable.says
    assert "move it away while nothing runs" in unreadable.mend


def test_a_token_that_is_not_the_leases(find, state, workspace, monkeypatch):
    monkeypatch.setenv(INHERITED_TOKEN, "u" * 36)
    assert find(INHERITED_TOKEN).level is Level.WARN
    hold = LeaseStore(workspace.lease).acquire("me", "test").hold
    monkeypatch.setenv(INHERITED_TOKEN, hold.lease.token)
    assert not [finding for finding in examine(workspace) if INHERITED_TOKEN in finding.thing]
    hold.release()


def test_the_ledger(find, state, workspace):
    assert find("ledger").says == "is not there yet; a run, the orchestrator or an open console makes it"
    with Ledger(workspace.ledger):
        pass
    assert find("ledger").says == "is sound"
    with closing(sqlite3.connect(workspace.ledger)) as connection:
        connection.execute("PRAGMA user_version = 99")
    newer = find("ledger")
    assert (newer.level, newer.mend) == (Level.FAIL, "Upgrade neo-console, or use the newer one.")
    workspace.ledger.write_text("no database" * 100)
    assert (find("ledger").level, "is damaged" in find("ledger").says) == (Level.FAIL, True)


def test_a_ledger_with_a_damaged_page(find, state, workspace):
    with Ledger(workspace.ledger) as ledger:
        for number in range(200):
            text = f"run{number:05d}"
            ledger.runs.insert(
                Run(
                    run_id=text,
                    task="x",
                    heavy=True,
                    trigger=Trigger.MANUAL,
                    requested_at=1.0,
                    last_at=1.0,
                    command="c" * 100,
                )
            )
    content = bytearray(workspace.ledger.read_bytes())
    place = content.rfind(b"run00150")  # in the row or in the index: they no longer agree
    content[place : place + 8] = b"run99999"
    workspace.ledger.write_bytes(content)
    finding = find("ledger")
    assert (finding.level, "is damaged: " in finding.says) == (Level.FAIL, True)


def test_a_clock_that_was_set_back(workspace, state):
    with Ledger(workspace.ledger) as ledger:
        ledger.runs.insert(Run(run_id="r", task="x", heavy=True, trigger=Trigger.MANUAL, requested_at=2e9, last_at=2e9))

    class Back:
        def now(self) -> float:
            return 1.9e9

    (finding,) = [one for one in examine(workspace, Back()) if one.thing == "clock"]
    assert finding.level is Level.FAIL
    assert finding.says == f"is in the past: it says {to_iso(1.9e9)}, the ledger's newest row is of {to_iso(2e9)}"


@pytest.mark.parametrize(
    ("configuration", "says"),
    [
        ('command = ["no-such-program"]', "its program 'no-such-program' was not found"),
        ('command = ["./none.sh"]', "its program './none.sh' was not found"),
        ('command = ["./plain.txt"]', "its program './plain.txt' was not found"),
        ('command = ["./sub"]', "its program './sub' was not found"),
        ('command = ["ls"]\nenv = { PATH = "/nowhere" }', "its program 'ls' was not found"),
        ('command = ["ls"]\ncwd = "none"', "its folder {root}/none does not exist"),
        ('command = ["ls"]\ncwd = "plain.txt"', "its folder {root}/plain.txt does not exist"),
    ],
)
def test_a_program_that_would_not_start(find, configure, root, configuration, says):
    (root / "plain.txt").touch()
    (root / "sub").mkdir()
    configure(f"[tasks.x]\n{configuration}")
    finding = find("task x")
    assert (finding.level, finding.says) == (Level.FAIL, says.format(root=root))
    assert "tasks.x." in finding.mend


def test_a_script_is_looked_for_in_its_tasks_folder(find, configure, root, monkeypatch, tmp_path):
    (root / "sub").mkdir()
    (root / "sub" / "go.sh").touch(mode=0o755)
    monkeypatch.chdir(tmp_path)
    configure('[tasks.x]\ncommand = ["./go.sh"]\ncwd = "sub"')
    assert find("task x").says == "starts ./go.sh"


def test_a_missing_git(find, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    finding = find("git")
    assert (finding.level, finding.says) == (Level.WARN, "was not found")


def test_little_space(find, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 5 * 1024 * 1024))
    finding = find("disk of")
    assert (finding.level, finding.says) == (Level.WARN, "has 5 MiB left")


def test_a_python_without_full_text_search(find, monkeypatch):
    monkeypatch.setattr(doctor, "has_full_text_search", lambda: False)
    assert find("SQLite of this Python").level is Level.FAIL


def test_every_mistake_of_the_configuration_is_found_at_once_and_said_once(configure, workspace, root):
    configure(
        """
        [leese]
        [lease]
        ttl = "1m"
        renew_every = "50s"
        nothing = 1
        [memory]
        calm_for = 3
        critical_full = 200.0
        [tasks.dream]
        every = "2h"
        [tasks.kbSync]
        every = "soon"
        jitter = "later"
        needs = ["web", "nobody"]
        [services.web]
        command = "serve"
        port = 0
        [unload.model]
        url = 7
        [jobs]
        backup = 3
        [keys]
        trigger = 5
        """
    )
    found = [one for one in examine(workspace) if one.level is Level.FAIL]
    assert {one.thing.removeprefix(f"{root}/neo-console.toml: ") for one in found} == {
        "leese",
        "lease.nothing",
        "lease.ttl",
        "memory.calm_for",
        "memory.critical_full",
        "tasks.dream.command",
        "tasks.kbSync.every",
        "tasks.kbSync.jitter",
        "tasks.kbSync.needs",
        "services.web.command",
        "services.web.port",
        "unload.model.url",
        "jobs.backup",
        "keys.trigger",
    }
    assert len(found) == 14
    assert all(one.says and one.mend for one in found)


@pytest.mark.parametrize("text", ["not toml [", '[lease]\npath = "a\n'], ids=["somewhere", "in-the-lease"])
def test_a_file_that_is_no_toml_does_not_stop_the_other_looks(configure, workspace, state, text):
    with Ledger(workspace.ledger):
        pass
    state.chmod(0o777)
    configure(text)
    found = examine(workspace)
    assert [one.says.partition(":")[0] for one in found if one.level is Level.FAIL] == ["is not TOML"]
    assert [one.thing for one in found if one.level is Level.WARN] == [f"state folder {state}"]
    assert {"orchestrator", "strays", "task backup"} <= {one.thing for one in found}
