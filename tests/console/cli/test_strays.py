"""``neo-console strays``: the list, what was not looked at, and ending one; over real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from neo_console.cli.main import main
from neo_console.cli.strays import strays_text
from neo_core import engine
from neo_core.ledger.models import Outcome, Run, Trigger
from neo_core.ledger.store import Ledger
from neo_core.processes.procfs import ProcFs
from neo_core.snapshot_strays import StraysView
from neo_core.workspace import ensure_state

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="real processes are read from /proc")

RUN = os.urandom(6).hex()  # other workers look at the same machine


class Older(ProcFs):
    def age(self, start_time):
        return super().age(start_time) + 100


@pytest.fixture
def command(root, capsys, monkeypatch):
    monkeypatch.setattr(engine, "system_source", Older)

    def run(*arguments):
        code = main(["--workspace", str(root), *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def orphan(workspace):
    ensure_state(workspace)
    told = {"task": "light", "heavy": False, "outcome": Outcome.LOST, "trigger": Trigger.MANUAL}
    with Ledger(workspace.ledger) as ledger:
        ledger.runs.insert(Run(run_id=RUN, requested_at=1.0, last_at=1.0, **told))
    process = subprocess.Popen(["sleep", "60"], env={**os.environ, "NEO_CONSOLE_RUN_ID": RUN})
    yield process
    process.kill()
    process.wait()


def test_none(command):
    code, out, err = command("strays")
    assert (code, err) == (0, "")
    assert out.startswith("No stray among ")


def test_the_list(command, orphan):
    code, out, err = command("strays")
    assert (code, err) == (0, "")
    assert "◍ orphan of a run" in out
    assert f"sleep works on for run {RUN} of light, which was lost: sleep 60" in out
    assert f"{orphan.pid} ends with: neo-console strays stop {orphan.pid}" in out
    code, out, err = command("strays", "--json")
    (told,) = json.loads(out)["found"]
    assert (told["kind"], told["pid"], told["runId"], told["pids"]) == ("run-orphan", orphan.pid, RUN, [orphan.pid])
    assert told["ageSeconds"] > 99
    code, out, err = command("status", "--json")
    assert json.loads(out)["strays"]["value"]["found"][0]["pid"] == orphan.pid
    assert "strays" in {cause["code"] for cause in json.loads(out)["health"]["causes"]}


def test_one_is_ended(command, orphan):
    code, out, err = command("strays", "stop", str(orphan.pid), "--json")
    assert (code, err, orphan.wait(5)) == (0, "", -15)
    assert json.loads(out)["end"] == "ended"
    code, out, err = command("strays", "stop", str(orphan.pid))
    assert (code, out) == (1, "")
    assert err == f"neo-console: process {orphan.pid}: has ended already. List them with: neo-console strays.\n"


def test_one_is_offered_against_memory_pressure_and_what_ending_it_freed_is_measured(root, command, orphan):
    (root / "neo-console.toml").write_text('[memory]\nrelief_settle = "100ms"\n')
    offered = command("relief")[1].splitlines()[2]
    assert offered.startswith(f"end stray sleep {orphan.pid}")
    assert f"ends what works on for run {RUN} of light, which was lost" in offered
    assert offered.endswith(f"neo-console relief end-stray {orphan.pid}")
    code, out, err = command("relief", "end-stray", str(orphan.pid), "--because", "it swaps", "--json")
    told = json.loads(out)
    assert (code, err, orphan.wait(5)) == (0, "", -15)
    assert (told["kind"], told["target"], told["result"]) == ("end-stray", str(orphan.pid), "done")
    assert told["freedBytes"] == told["treeBeforeBytes"] > told["treeAfterBytes"] == 0
    assert "it swaps" in json.loads(command("strays", "history", "--json")[1])[0]["because"]
    code, out, err = command("relief", "end-stray", str(orphan.pid))
    assert (code, out) == (1, "")
    assert f"process {orphan.pid}: has ended already" in err
    assert len(json.loads(command("relief", "history", "--json")[1])) == 1


def test_what_is_none_is_left_alone(command):
    code, out, err = command("strays", "stop", str(os.getpid()))
    assert (code, out) == (1, "")
    assert "is no stray" in err
    assert command("strays", "stop", "0")[0] == 2


def test_what_was_not_looked_at_is_said():
    told = strays_text(StraysView(looked_at=1, unreadable=2, others=140, settling=1, unknown=("the port is deaf",)))
    assert told.splitlines() == [
        "No stray among 1 process of yours.",
        "Unknown: the port is deaf.",
        "1 more began too short a while ago to be called one: look again in five seconds.",
        "Not looked at: 2 of yours that do not show their environment and 140 of other users.",
    ]
