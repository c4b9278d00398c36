"""Starting and stopping the orchestrator from elsewhere."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from neo_core.errors import NeoError
from neo_core.incumbent import read_incumbent
from neo_core.ledger.models import ControlKind
from neo_core.ledger.store import Ledger
from neo_core.orchestrator.detached import NotRunningError, request_stop, start_detached
from neo_core.orchestrator.instance import IncumbentError
from neo_core.processes.source import system_source
from neo_core.runs.spawn import spawn_orchestrator
from neo_core.services.tree import carries

ENVIRONMENT = '[tasks.environment]\ncommand = ["sh", "-c", "env > environment"]\nevery = "1h"\n'


@pytest.fixture
def start(kill_later):
    def detached(place) -> int:
        pid = start_detached(place.workspace)
        kill_later(pid)
        return pid

    return detached


def test_it_comes_up_in_a_session_of_its_own_and_goes_when_asked(place, start):
    place.configure("")
    pid = start(place)
    assert os.getsid(pid) == pid != os.getsid(0)
    incumbent = read_incumbent(place.workspace, system_source())
    assert (incumbent.pid, incumbent.alive) == (pid, True)
    assert request_stop(place.workspace, "upgrade") is True
    assert not read_incumbent(place.workspace, system_source()).alive
    assert "asked for it: upgrade" in place.log()


def test_a_second_start_names_the_first(place, start):
    place.configure("")
    pid = start(place)
    with pytest.raises(IncumbentError, match=f"pid {pid} since 20") as caught:
        start_detached(place.workspace)
    assert caught.value.exit_code == 3
    request_stop(place.workspace)


def test_one_that_cannot_come_up_says_why(place):
    place.configure('[tasks.a]\ncommand = ["true"]\nevery = "often"\n')
    with pytest.raises(NeoError, match=r"tasks\.a\.every"):
        start_detached(place.workspace)


def test_what_is_not_running_cannot_be_stopped(place):
    place.configure("")
    with pytest.raises(NotRunningError, match="is not running"):
        request_stop(place.workspace)
    assert not place.workspace.ledger.exists()


def test_one_that_does_not_answer_is_not_waited_for_for_ever(place, start):
    place.configure("")
    pid = start(place)
    beat = read_incumbent(place.workspace, system_source()).beat_at
    # Past its first polls it writes nothing, and is not stopped within a commit.
    place.until(lambda: read_incumbent(place.workspace, system_source()).beat_at > beat + 0.3)
    os.kill(pid, signal.SIGSTOP)
    assert request_stop(place.workspace, timeout=0.3) is False
    os.kill(pid, signal.SIGCONT)
    place.until(lambda: not read_incumbent(place.workspace, system_source()).alive)
    with Ledger(place.workspace.ledger) as ledger:
        assert ledger.controls.pending(ControlKind.ORCHESTRATOR_STOP) == []


def test_nothing_of_the_run_that_started_it_sticks_to_it(place, start, monkeypatch):
    for name in ("INHERITED_TOKEN", "GENERATION"):
        monkeypatch.setenv(f"NEO_HEAVY_MAINTENANCE_LEASE_{name}", "7")
    monkeypatch.setenv("NEO_CONSOLE_RUN_ID", "feedface")
    place.configure(ENVIRONMENT)
    start(place)
    place.until(lambda: place.ended("environment"))
    request_stop(place.workspace)
    (row,) = place.ended("environment")
    assert (row.parent_run_id, row.warning) == ("", "")
    assert f"NEO_CONSOLE_RUN_ID={row.run_id}" in (place.root / "environment").read_text()


def test_the_orchestrator_is_no_part_of_the_service_that_asks_for_it(root):
    environment = {**os.environ, "NEO_CONSOLE_SERVICE_ID": "feedface"}
    process = spawn_orchestrator(root, root / "log", environment)
    try:
        assert system_source().environ(process.pid)
        assert carries(process.pid, b"NEO_CONSOLE_SERVICE_ID=feedface", system_source()) is False
    finally:
        process.kill()
        process.wait()


def test_it_outlives_the_terminal_that_it_was_started_from(place, kill_later):
    place.configure("")
    script = (
        "import sys\nfrom neo_core.orchestrator.detached import start_detached\n"
        "from neo_core.workspace import resolve_workspace\n"
        "print(start_detached(resolve_workspace(sys.argv[1])), flush=True)\nsys.stdin.read()\n"
    )
    front = subprocess.Popen(
        [sys.executable, "-c", script, str(place.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    pid = int(front.stdout.readline())
    kill_later(pid)
    os.killpg(front.pid, signal.SIGHUP)
    front.wait(timeout=10)
    front.stdin.close()
    front.stdout.close()
    beat = read_incumbent(place.workspace, system_source()).beat_at
    place.until(lambda: read_incumbent(place.workspace, system_source()).beat_at > beat + 0.2)
    assert request_stop(place.workspace) is True
