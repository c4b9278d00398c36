"""One typo in ``neo-console.toml``: what looks, stops and holds back goes on, and says so in one line on stderr."""

from __future__ import annotations

import json

import pytest

from neo_console.cli.main import main
from neo_core.commands.lease import main as neo_lease
from neo_core.engine import Engine
from neo_core.lease.store import LeaseStore
from neo_core.ledger.models import Outcome, Trigger
from neo_core.orchestrator.reload import load_settings
from neo_core.workspace import ensure_state, resolve_workspace

GOOD = """
[tasks.crunch]
command = ["sh", "-c", "while [ ! -e release ] && kill -0 $TESTED_BY; do sleep 0.02; done"]
every = "0"
[services.web]
command = ["./serve"]
"""
TYPOS = {
    "syntax": "# path of the lease\n[tasks.hindered\n",
    "unknown-key": "[orchestrator]\npol_every = '3s'\n",
    "not-utf8": "\udcff",
}


@pytest.fixture
def place(root, monkeypatch, capsys):
    """A workspace in whose folder we are; ``say`` is how a command went: its exit code, stdout and stderr."""
    monkeypatch.chdir(root)
    (root / "neo-console.toml").write_text(GOOD)

    def say(*words):
        code = main(words)
        told = capsys.readouterr()
        return code, told.out, told.err

    return say


@pytest.fixture(params=TYPOS)
def mistyped(request, root):
    """Write the typo into the file."""

    def write():
        path = root / "neo-console.toml"
        path.write_bytes(path.read_bytes() + TYPOS[request.param].encode("utf-8", "surrogateescape"))

    return write


def keep_last_good(workspace):
    """Do as an orchestrator does with each configuration that it takes over."""
    ensure_state(workspace)
    load_settings(workspace)


def warned(err, by):
    """Return whether stderr is the one line that names the file, what is wrong, the mend, and what holds instead."""
    line = err.strip()
    return (
        "\n" not in line
        and line.startswith("neo-console: ")
        and "neo-console.toml" in line
        and line.endswith(f" Until then this goes by {by}.")
    )


LOOKS = [
    (("status",), 1, "UNHEALTHY"),
    (("status", "--json"), 1, "crunch"),
    (("status", "--format", "prometheus"), 1, "neo_"),
    (("status", "--check"), 3, "UNHEALTHY"),
    (("memory", "-n", "1"), 0, "available"),
    (("services",), 0, "web"),
    (("orchestrator", "status"), 3, "STOPPED"),
    (("why", "crunch"), 0, "crunch may not start: neo-console.toml has a mistake"),
    (("backups",), 0, "No backups yet"),
    (("incidents",), 0, "No memory incident"),
    (("relief", "resume-heavy"), 0, "Nothing heavy was deferred"),
    (("defer", "crunch", "--for", "1h", "--because", "x"), 0, "crunch is snoozed"),
    (("resume", "crunch"), 0, "crunch was not snoozed"),
    (("pause", "--because", "x"), 0, "Every task is paused"),
    (("unpause",), 0, "Nothing was paused"),
]


@pytest.mark.parametrize(
    ("words", "code", "shown"), LOOKS, ids=lambda value: "-".join(value) if isinstance(value, tuple) else ""
)
def test_it_is_shown_and_done_by_the_last_good_configuration(place, workspace, mistyped, words, code, shown):
    keep_last_good(workspace)
    mistyped()
    ended, out, err = place(*words)
    assert (ended, shown in out) == (code, True), out
    assert warned(err, "the last good configuration"), err


@pytest.mark.parametrize("words", [("status",), ("strays",), ("history",), ("pause", "--because", "x")])
def test_where_none_was_kept_or_that_is_wrong_too_it_goes_by_the_defaults(place, workspace, root, mistyped, words):
    mistyped()
    if words == ("status",):
        ensure_state(workspace)
        workspace.config_in_force.write_text("[lease\npath = '")
    ended, out, err = place(*words)
    assert out
    assert "crunch" not in out
    assert ended == int(words == ("status",))
    assert warned(err, "the defaults"), err


@pytest.mark.parametrize("kept", [True, False])
def test_a_run_can_be_found_followed_and_stopped_by_its_tasks_name(place, workspace, mistyped, kept, until):
    if kept:
        keep_last_good(workspace)
    engine = Engine(workspace)
    run = engine.run(engine.trigger("crunch").run_id)
    until(lambda: engine.run(run.run_id).started_at)
    mistyped()
    assert place("logs", "crunch")[0] == 0
    ended, out, err = place("stop", "crunch", "--because", "typo")
    assert (ended, "cancelled: crunch" in out) == (0, True)
    assert warned(err, "the last good configuration" if kept else "the defaults")
    assert engine.wait(run.run_id).outcome is Outcome.CANCELLED


def test_a_start_by_hand_is_refused_and_says_what_can_still_be_done(place, workspace, mistyped):
    keep_last_good(workspace)
    mistyped()
    for words in (("run", "crunch"), ("run", "crunch", "--wait=1s"), ("orchestrator", "start")):
        ended, out, err = place(*words)
        assert (ended, out) == (1, "")
        assert err.endswith("Until then nothing is started by hand; what runs can be stopped: neo-console stop RUN.\n")
    assert Engine.for_looking(workspace).history() == []


def test_why_and_the_picture_say_that_nothing_starts_by_hand_and_name_the_mistake(place, workspace, mistyped):
    keep_last_good(workspace)
    mistyped()
    told = json.loads(place("why", "crunch", "--json")[1])
    first = told["gates"][0]
    assert (told["mayStart"], first["verdict"], first["reasonCode"]) == (False, "block", "configuration")
    assert "neo-console.toml" in first["clearsWhen"].removeprefix("it is mended: ")
    engine = Engine.for_looking(workspace)
    view = next(task for task in engine.snapshot().schedule.value.tasks if task.name == "crunch")
    assert view.decision.blocking.reason == "configuration"
    assert engine.preview("crunch", Trigger.SCHEDULED).blocking.reason != "configuration"
    attempt = engine.trigger("crunch")
    assert (attempt.started, attempt.run.outcome) == (False, Outcome.SKIPPED)


def test_the_lease_is_looked_for_where_the_last_good_configuration_put_it(place, root, mistyped, capsys, tmp_path):
    with (root / "neo-console.toml").open("a") as file:
        file.write(f"[lease]\npath = '{tmp_path}/lease.json'\n")
    workspace = resolve_workspace(root)
    keep_last_good(workspace)
    hold = LeaseStore(workspace.lease).acquire("dream", "nightly").hold
    mistyped()
    assert json.loads(place("status", "--json")[1])["lease"]["value"]["holder"]["owner"] == "dream"
    readable = "pol_every" in (root / "neo-console.toml").read_text(errors="replace")
    assert neo_lease(["inspect"]) == int(not readable)
    told = capsys.readouterr()
    assert "owner    dream" in told.out
    assert bool(told.err) is not readable
    assert readable or ("Until then this is its last known or its usual place." in told.err)
    if not readable:  # nobody may take a lease whose place is a guess
        assert neo_lease(["run", "--", "true"]) == 125
        assert neo_lease(["reclaim"]) == 1
    hold.release()
