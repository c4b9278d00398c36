"""Exit code 2 says that the command line does not fit, and never how something stands here."""

from __future__ import annotations

import subprocess
import sys

import pytest

from neo_console.cli.main import main
from neo_core.ledger.models import Outcome, Run, Trigger
from neo_core.ledger.store import Ledger
from neo_core.workspace import ensure_state

RUN = "feedfacecafe"


@pytest.fixture
def place(root, workspace, monkeypatch):
    """A workspace with one run, which is over, and a task and a service that never ran."""
    told = '[tasks.quick]\ncommand = ["true"]\n[services.web]\ncommand = ["sleep", "9"]\n'
    (root / "neo-console.toml").write_text(told)
    monkeypatch.chdir(root)
    ensure_state(workspace)
    row = {"task": "backup", "heavy": True, "trigger": Trigger.MANUAL, "outcome": Outcome.FAILED}
    with Ledger(workspace.ledger) as ledger:
        ledger.runs.insert(Run(run_id=RUN, requested_at=1.0, last_at=1.0, ended_at=1.0, **row))
    return root


def dead():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return str(process.pid)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("stop", RUN), 1, "has ended already (failed)"),
        (("relief", "stop", RUN), 1, "has ended already (failed)"),
        (("strays", "stop", "PID"), 1, "has ended already"),
        (("logs", "quick"), 1, "has no run yet"),
        (("service", "start", "web"), 1, "neo-console orchestrator start"),
        (("orchestrator", "stop"), 3, "is not running"),
        (("orchestrator", "status"), 3, ""),
        (("status", "--check"), 1, ""),
        (("search", "token"), 1, "kbSync"),
        (("init",), 1, "exists already"),
    ],
    ids=lambda told: "-".join(told) if isinstance(told, tuple) else "",
)
def test_how_something_stands_is_not_a_mistake_of_the_command_line(place, capsys, words, code, said):
    assert main([dead() if word == "PID" else word for word in words]) == code
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ("run", "nothing"),
        ("why",),
        ("stop", "0123"),
        ("logs", "nothing"),
        ("service", "stop", "nothing"),
        ("incident", "99"),
        ("defer", "quick", "--for", "soon", "--because", "x"),
        ("pause", "--because", " "),
        ("relief", "unload", "nothing"),
        ("status", "--json", "--format", "text"),
        ("restart",),
    ],
    ids=" ".join,
)
def test_what_does_not_fit_or_is_not_there_exits_2(place, capsys, words):
    assert main(list(words)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err


def test_an_unhealthy_workspace_is_told_apart_from_a_wrong_option(place, capsys):
    (place / "neo-console.toml").write_text("[leese]\n")
    assert main(["status", "--check"]) == 3
    assert main(["status", "--chek"]) == 2
