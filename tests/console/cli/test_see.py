"""The commands that look: status, why, history, logs; as text for people and as JSON for programs."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from neo_core.clock import from_iso
from neo_core.engine import Engine
from neo_core.schedule.decision import Gate

TASKS = ["backup", "kbSync", "primary-dev-sync", "summary", "dream", "golden-path"]
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
OWN = ["quick", "waits", "fails", "stubborn", "light"]


def test_status_of_a_new_workspace_says_that_nothing_happened_and_makes_nothing(console, root, workspace):
    done = console("status")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"workspace     {root}" in done.stdout
    assert "lease         ○ FREE" in done.stdout
    assert "No runs yet: neo-console run TASK starts one." in done.stdout
    assert [
        line.split()[0] for line in done.stdout.splitlines() if " heavy " in line or " light " in line
    ] == TASKS + OWN
    assert not workspace.state.exists()


def test_status_as_json_has_the_documented_sections(console, root):
    told = console.json("status")
    sections = (
        "lease", "tasks", "pause", "heavyDeferral", "outcomes", "services", "orchestrator", "collisions", "strays",
        "processes", "memory",
    )  # fmt: skip
    assert list(told) == ["at", "workspace", "readOnly", "configError", "health", *sections]
    assert all(list(told[name]) == ["at", "error", "value"] for name in sections)
    assert all(ISO.fullmatch(told[name]["at"]) for name in sections)
    assert (told["workspace"], told["readOnly"]) == (str(root), "")
    assert told["lease"]["value"]["status"] == "missing"
    assert [task["name"] for task in told["tasks"]["value"]] == TASKS + OWN
    assert told["outcomes"]["value"] == []


def test_a_task_as_json_says_when_it_is_due_and_what_it_lacks(console):
    tasks = {task["name"]: task for task in console.json("status")["tasks"]["value"]}
    backup = tasks["backup"]
    assert (backup["everySeconds"], backup["state"], backup["cron"], backup["starved"]) == (86400, "due", None, False)
    assert ISO.fullmatch(backup["nextDueAt"])
    assert (tasks["dream"]["state"], tasks["dream"]["missingKey"]) == ("not-configured", "tasks.dream.command")
    assert (tasks["quick"]["state"], tasks["quick"]["nextDueAt"], tasks["light"]["class"]) == (
        "disabled",
        None,
        "light",
    )


def test_status_shows_who_holds_the_lease_and_what_waits(console, held):
    text = console("status").stdout
    assert "HELD · sandman · pid" in text
    assert "its holder is alive" in text
    told = console.json("status")
    assert told["lease"]["value"]["holder"]["owner"] == "sandman"
    assert told["lease"]["value"]["holder"]["tokenPrefix"] == held.token[:8]
    assert (told["lease"]["value"]["liveness"], told["lease"]["value"]["borrowers"]) == ("alive", [])
    assert 0 <= told["lease"]["value"]["ageSeconds"] < 60
    assert held.token not in json.dumps(told)
    assert told["tasks"]["value"][0]["state"] == "due"
    console("run", "backup")
    backup = console.json("status")["tasks"]["value"][0]
    assert (backup["state"], backup["blockedBy"]["reasonCode"]) == ("due", "heavy-maintenance-lease-held")
    assert (backup["outcome"], backup["reasonCode"]) == ("skipped", "heavy-maintenance-lease-held")
    assert (backup["lastSuccessAt"], backup["deferral"]["blocker"]) == (None, "sandman")
    assert re.search(r"lease held by sandman .*; last start deferred \d+s ago by sandman", console("status").stdout)
    assert re.search(r"Last start deferred \d+s ago by sandman; that", console("why", "backup").stdout)


def test_what_cannot_be_read_is_not_shown_as_good_and_exits_1(console, workspace):
    workspace.state.mkdir()
    workspace.ledger.write_text("garbage" * 1000)
    done = console("status", "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 1
    assert [told[name]["value"] for name in ("tasks", "pause", "outcomes")] == [None] * 3
    assert "is damaged" in told["outcomes"]["error"]
    assert told["lease"]["value"]["state"] == "free"
    assert "outcomes      ✗ unreadable: ledger" in console("status").stdout


@pytest.mark.parametrize(
    "arguments", [["status"], ["status", "--json"], ["why", "backup"], ["history"], ["run", "quick"]]
)
def test_looking_and_running_load_no_user_interface(console, root, arguments):
    script = (
        "import sys; from neo_console.cli.main import main; code = main(sys.argv[1:])\n"
        "loaded = {name.split('.')[0] for name in sys.modules}\n"
        "sys.exit(code or 10 * bool(loaded & {'textual', 'rich'}))"
    )
    done = subprocess.run([sys.executable, "-c", script, *arguments], cwd=root, capture_output=True, check=False)
    assert done.returncode == 0


def test_watching_repeats_until_interrupted(console):
    watching = console.start("status", "--watch", "--every", "100ms")
    seen = 0
    while seen < 3:
        seen += watching.stdout.readline().startswith("health")
    watching.send_signal(signal.SIGINT)
    watching.stdout.read()
    assert watching.wait(20) == 130
    assert watching.stderr.read().strip() == ""


def test_why_lists_every_gate_and_first_what_it_comes_to(console, held):
    done = console("why", "backup")
    first, empty, head, *gates = done.stdout.splitlines()
    assert first.startswith("backup may not start: lease held by sandman")
    assert first.endswith("[heavy-maintenance-lease-held]")
    assert head.split() == ["GATE", "VERDICT", "VALUE", "LIMIT", "CLEARS", "WHEN"]
    assert len(gates) == len(Gate)
    assert (empty, done.returncode) == ("", 0)


def test_why_as_json_names_the_blocking_gate_and_all_others(console, held):
    told = console.json("why", "backup")
    assert list(told) == [
        "task", "at", "trigger", "mayStart", "blockedBy", "reasonCode", "sentence",
        "clearsWhen", "blocker", "blockerPid", "gates",
    ]  # fmt: skip
    assert (told["mayStart"], told["blockedBy"], told["blocker"]) == (False, "lease", "sandman")
    assert told["blockerPid"] == os.getpid()
    assert [gate["gate"] for gate in told["gates"]] == [str(gate) for gate in Gate]
    assert [gate["gate"] for gate in told["gates"] if gate["verdict"] == "block"] == ["lease"]


def test_why_of_a_free_task_and_of_a_scheduled_start(console):
    assert console("why", "quick").stdout.startswith("quick may start now.\n")
    scheduled = console.json("why", "quick", "--scheduled")
    assert (scheduled["trigger"], scheduled["reasonCode"]) == ("scheduled", "disabled")


@pytest.fixture
def some_history(console):
    console("run", "quick")
    console("run", "fails")
    console("run", "quick")
    console("run", "dream")
    return console


def test_history_is_newest_first_and_filtered(some_history):
    console = some_history
    rows = console.json("history")
    assert [(row["task"], row["outcome"]) for row in rows] == [
        ("dream", "skipped"), ("quick", "completed"), ("fails", "failed"), ("quick", "completed")
    ]  # fmt: skip
    count = lambda *filters: len(console.json("history", *filters))  # noqa: E731
    assert count("--task", "quick") == 2
    assert count("--outcome", "failed") == count("--task", "fails", "--outcome", "failed") == 1
    assert count("--limit", "3") == 3
    assert count("--since", "1h") == count("--since", rows[3]["lastAt"]) == 4
    assert count("--since", "2099-01-01") == count("--task", "backup") == 0
    assert console("history", "--task", "backup").stdout == "No runs yet: neo-console run TASK starts one.\n"


def test_history_as_text_is_one_row_per_run(some_history):
    head, *rows = some_history("history").stdout.splitlines()
    assert head.split() == ["RUN", "TIME", "TASK", "OUTCOME", "TOOK", "PEAK", "REASON"]
    assert len(rows) == 4
    assert "✗ failed" in rows[2]
    assert "exit code 7: broken" in rows[2]


def test_the_history_of_the_lease_is_text_and_json(some_history):
    head, *rows = some_history("history", "--lease", "--limit", "2").stdout.splitlines()
    assert head.split() == ["TIME", "EVENT", "OWNER", "GENERATION", "RUN", "PID"]
    assert [row.split()[1:3] for row in rows] == [["released", "quick"], ["acquired", "quick"]]
    events = some_history.json("history", "--lease")
    assert set(events[0]) == {"at", "event", "owner", "tokenPrefix", "generation", "runId", "pid", "detail"}
    assert ISO.fullmatch(events[0]["at"])
    assert [event["event"] for event in events] == ["released", "acquired"] * 3
    assert [event["generation"] for event in events] == [3, 3, 2, 2, 1, 1]


def test_logs_of_a_task_a_run_and_the_beginning_of_an_id(some_history):
    run_id = some_history.json("history", "--task", "fails")[0]["runId"]
    by_task = some_history("logs", "fails")
    assert by_task.stdout.startswith("broken\n")
    assert some_history("logs", run_id).stdout == some_history("logs", run_id[:9]).stdout == by_task.stdout


def test_a_start_that_never_was_has_no_log_and_says_why(some_history):
    done = some_history("logs", "dream")
    assert (done.returncode, done.stdout) == (0, "")
    assert "No log: dream" in done.stderr
    assert "never started (dream is not configured" in done.stderr


def test_a_log_that_was_removed_is_not_called_a_start_that_never_was(console, some_history, until, root, workspace):
    run_id = some_history.json("history", "--task", "fails")[0]["runId"]
    workspace.run_log(run_id).unlink()
    assert f"No log: that of fails {run_id} was removed (" in some_history("logs", run_id).stderr
    run_id = console.running("waits", until)
    workspace.run_log(run_id).unlink()
    assert f"that of waits {run_id} was removed while it runs; what" in some_history("logs", run_id).stderr
    (root / "release").touch()
    until(lambda: not Engine(workspace).run(run_id).live, what="the end of the run")


def test_following_a_log_ends_with_the_run(console, until, root):
    run_id = console.running("waits", until)
    following = console.start("logs", run_id, "--follow")
    assert following.stdout.readline() == "begun\n"
    (root / "release").touch()
    rest = following.communicate(timeout=30)[0]
    assert rest.startswith("ended\n")
    assert "completed" in rest
    assert following.returncode == 0


@pytest.mark.parametrize("home", ["/nowhere/at/all", ""])
def test_a_home_that_is_gone_matters_to_no_command(console, home):
    environment = {**os.environ, "HOME": home}
    assert console("status", env=environment).returncode == 0
    assert console("run", "quick", env=environment).returncode == 0


def test_a_configured_schedule_is_json_too(console, root):
    (root / "neo-console.toml").write_text('[tasks.backup]\nevery = "12h"\ngrace = "5s"\ntime_limit = "1h"\n')
    assert console.json("status")["tasks"]["value"][0]["everySeconds"] == 43_200


SILENT = '[tasks.silent]\ncommand = ["sh", "-c", "while [ ! -e release ] && kill -0 $TESTED_BY; do sleep 0.02; done"]\n'


def test_a_run_that_wrote_nothing_yet_says_so_and_for_how_long_it_runs(console, root, until):
    (root / "neo-console.toml").write_text(SILENT)
    run_id = console("run", "silent", "--detach").stdout.strip()
    until(lambda: console.runs()[0].started_at, what="its start")
    done = console("logs", "silent")
    assert (done.returncode, done.stdout) == (0, "")
    assert re.fullmatch(rf"No output yet: silent {run_id} has been running for \d+s\.\n", done.stderr)


@pytest.mark.parametrize("command", [("run",), ("logs",), ("history", "--task")])
def test_a_mistyped_task_gets_a_guess(console, command):
    done = console(*command, "bakup")
    assert done.returncode == 2
    assert "Did you mean backup? " in done.stderr


@pytest.mark.parametrize(
    ("command", "what", "hint"),
    [
        (("logs", "chrom"), "is no task, service or run here", "Did you mean chroma?"),
        (("logs", "nosuch"), "is no task, service or run here", "List runs with"),
        (("stop", "quik"), "is no task or run here", "Did you mean quick?"),
        (("stop", "chroma"), "is no task or run here", "It is a service"),
        (("why", "chroma"), "is not known here", "It is a service"),
    ],
)
def test_a_name_that_is_nothing_says_among_what_it_was_looked_for(console, root, command, what, hint):
    with (root / "neo-console.toml").open("a") as file:
        file.write('\n[services.chroma]\ncommand = ["true"]\n')
    done = console(*command)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"'{command[1]}': {what}. {hint}" in done.stderr


def test_what_is_deferred_with_everything_heavy_is_not_called_paused(console):
    console("relief", "defer-heavy", "--for", "1h", "--because", "it swaps")
    rows = [line for line in console("status").stdout.splitlines() if line.startswith(("backup ", "kbSync "))]
    for row in rows:
        assert "‖ heavy deferred" in row
        assert re.search(r"everything heavy is deferred until .*\d\d:\d\d \(it swaps\)", row)
        assert "paused" not in row
    assert len(rows) == 2


def test_a_start_that_was_deferred_again_says_since_when(console, held):
    console("run", "backup")
    first = console.json("history", "-n", "1")[0]["requestedAt"]
    assert " since " not in console("history", "--task", "backup").stdout
    console("run", "backup")
    row = console("history", "--task", "backup", "-n", "1").stdout.splitlines()[-1]
    clock = time.strftime("%H:%M:%S", time.localtime(from_iso(first)))
    assert re.search(rf"deferred ×2 .* since {clock}: \[heavy", row), row


def test_a_pause_says_until_when_in_the_status(console):
    console("pause", "--because", "a talk", "--for", "2h")
    line = next(line for line in console("status").stdout.splitlines() if line.startswith("PAUSED"))
    assert re.fullmatch(
        r"PAUSED until .*\d\d:\d\d by \S+: a talk \(no task starts; neo-console unpause ends it\)", line
    )
