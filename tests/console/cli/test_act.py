"""The commands that act: run, stop, defer and resume, pause and unpause."""

from __future__ import annotations

import json
import os
import re
import signal
from datetime import datetime

import pytest

from neo_core.ledger.models import Outcome
from neo_core.runs.outcome import judge_exit


def test_a_run_prints_its_log_and_how_it_ended(console):
    done = console("run", "quick")
    assert done.returncode == 0
    assert done.stdout.startswith("done quickly\n")
    assert done.stderr.startswith("✓ completed: quick ")


def test_a_run_that_fails_exits_1_and_says_with_which_code(console):
    done = console("run", "fails")
    assert done.returncode == 1
    assert done.stdout.startswith("broken\n")
    assert "✗ failed: fails" in done.stderr
    assert "exit code 7: broken" in done.stderr


def test_a_run_as_json_is_one_object_on_stdout(console):
    done = console("run", "fails", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (1, "")
    assert (told["task"], told["outcome"], told["exitCode"], told["leaseRole"]) == ("fails", "failed", 7, "holder")
    assert told["command"] == "sh -c echo broken; exit 7"


def test_a_detached_run_outlives_the_command(console, until, root):
    run_id = console.running("waits", until)
    state = {task["name"]: task["state"] for task in console.json("status")["tasks"]["value"]}
    assert state["waits"] == "running"
    (root / "release").touch()
    assert console.ended(run_id, until)["outcome"] == "completed"


def test_a_detached_run_as_json_is_its_row(console, until):
    told = console.json("run", "quick", "--detach")
    assert told["outcome"] is None
    assert console.ended(told["runId"], until)["outcome"] == "completed"


def test_a_start_while_the_lease_is_held_is_deferred_exits_0_and_is_in_the_history(console, held, workspace):
    done = console("run", "quick")
    first, second = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert first.startswith("deferred: quick did not start: lease held by sandman")
    since = datetime.fromtimestamp(held.acquired_at).astimezone().strftime("%H:%M:%S")
    assert first.endswith(f" since {since} [heavy-maintenance-lease-held]")
    assert second == "Clears when: sandman ends. Details: neo-console why quick"
    row = console.json("history")[0]
    assert (row["outcome"], row["healthOutcome"], row["count"]) == ("deferred", "skipped", 1)
    assert (row["reasonCode"], row["blocker"], row["blockerPid"]) == (
        "heavy-maintenance-lease-held",
        "sandman",
        os.getpid(),
    )
    assert workspace.lease.exists()


def test_a_task_whose_command_is_such_a_start_is_told_as_deferred_itself(console, tmp_path):
    console("pause", "--because", "a [talk]")
    log = tmp_path / "outer.log"
    log.write_text(console("run", "quick").stdout)
    ending = judge_exit(0, log, 0)
    assert (ending.outcome, ending.reason_code) == (Outcome.DEFERRED, "paused")


def test_a_deferral_that_repeats_is_one_row_with_a_count_and_nobody_waits_for_it(console, held):
    for _ in range(3):
        assert console("run", "quick", "--deferred-exit-code", "75").returncode == 75
    rows = console.json("history")
    assert [(row["count"], row["outcome"]) for row in rows] == [(3, "deferred")]
    assert rows[0]["requestedAt"] < rows[0]["lastAt"]
    task = next(task for task in console.json("status")["tasks"]["value"] if task["name"] == "quick")
    assert (task["state"], task["streak"], task["waitingSince"], task["waiters"]) == ("disabled", 0, None, [])
    assert task["deferral"] == {
        "at": rows[0]["lastAt"], "blocker": "sandman", "reasonCode": "heavy-maintenance-lease-held"
    }  # fmt: skip
    assert "◐ deferred ×3" in console("history").stdout


def test_a_deferral_as_json_is_its_decision(console, held):
    told = console.json("run", "quick")
    assert (told["started"], told["blockedBy"], told["reasonCode"]) == (False, "lease", "heavy-maintenance-lease-held")
    assert told["runId"] == console.json("history")[0]["runId"]


def test_another_heavy_run_is_backpressure_and_a_light_one_is_not(console, until):
    run_id = console.running("waits", until)
    done = console("run", "quick")
    assert done.returncode == 0
    assert f"waits is running ({run_id}" in done.stdout
    assert "[heavy-maintenance-backpressure]" in done.stdout
    running = console.json("run", "light", "--detach")
    assert running["outcome"] is None
    skipped = console("run", "waits")
    assert (skipped.returncode, "skipped: waits did not start" in skipped.stdout) == (0, True)


@pytest.mark.parametrize(("options", "reason"), [([], "stopped by"), (["--force"], "stopped by force by")])
def test_stop_ends_a_run_by_its_task_and_says_how(console, until, options, reason):
    task = "stubborn" if options else "waits"
    run_id = console.running(task, until)
    done = console("stop", task, "--because", "too hot", *options)
    assert done.returncode == 0
    assert done.stdout.startswith(f"⊘ cancelled: {task} {run_id}")
    row = console.json("history")[0]
    assert (row["outcome"], row["reasonCode"]) == ("cancelled", "operator")
    assert reason in row["reason"]
    assert row["reason"].endswith(": too hot")
    assert not console.json("status")["lease"]["value"]["holder"]


def test_stop_names_the_script_that_holds_the_lease_its_pid_and_what_ends_it(console, held):
    by_name, by_pid = console("stop", "sandman"), console("strays", "stop", str(os.getpid()))
    for done in (by_name, by_pid):
        assert (done.returncode, done.stdout) == (1, "")
        assert "script 'sandman': is no run of ours but a script that holds the lease by itself" in done.stderr
        assert done.stderr.endswith(f"End it where it was started, or with: kill {os.getpid()}.\n")


def test_stop_without_waiting_returns_at_once_and_force_follows(console, until):
    run_id = console.running("stubborn", until)
    asked = console("stop", run_id[:8], "--no-wait", "--json")
    assert (asked.returncode, json.loads(asked.stdout)["outcome"]) == (0, None)
    assert console("stop", run_id, "--force").returncode == 0
    assert console.ended(run_id, until)["outcome"] == "cancelled"


def test_ctrl_c_stops_the_run_that_the_command_follows(console):
    following = console.start("run", "waits")
    assert following.stdout.readline() == "begun\n"
    following.send_signal(signal.SIGINT)
    _, notes = following.communicate(timeout=30)
    assert following.returncode == 130
    assert "Stopping the run" in notes
    assert "cancelled: waits" in notes


def test_the_second_ctrl_c_leaves_the_run_to_end_by_itself(console, until):
    following = console.start("run", "stubborn")
    assert following.stdout.readline() == "begun\n"
    following.send_signal(signal.SIGINT)
    assert following.stderr.readline().startswith("Stopping the run")
    until(lambda: "Ending the run" in following.stdout.readline(), what="the stop")
    following.send_signal(signal.SIGINT)
    _, notes = following.communicate(timeout=30)
    assert following.returncode == 130
    assert "Left. The run goes on ending: neo-console logs" in notes
    assert console.json("history")[0]["outcome"] is None


def test_a_snooze_defers_until_it_is_ended(console):
    done = console("defer", "quick", "--for", "2h", "--because", "demo")
    assert done.returncode == 0
    assert done.stdout.startswith("quick is snoozed until ")
    assert done.stdout.endswith(": demo. Ends earlier with: neo-console resume quick\n")
    refused = console("run", "quick").stdout
    assert "[snoozed]" in refused
    assert refused.count("neo-console resume quick") == 1
    assert not re.search(r"T\d\d:\d\d", refused + console("why", "quick").stdout)
    assert console.json("why", "quick")["clearsWhen"].endswith("Z, or neo-console resume quick")
    assert console("run", "fails").returncode == 1
    assert console("resume", "quick").stdout == "quick is no longer snoozed.\n"
    assert console("resume", "quick").stdout == "quick was not snoozed.\n"
    assert console("run", "quick").stdout.startswith("done quickly\n")


def test_a_later_snooze_replaces_the_earlier(console):
    console("defer", "quick", "--for", "2h", "--because", "one")
    told = console.json("defer", "quick", "--for", "1h", "--because", "two")
    assert (told["kind"], told["target"], told["because"]) == ("snooze", "quick", "two")
    assert "two" in console("why", "quick").stdout
    assert console("resume", "quick").stdout == "quick is no longer snoozed.\n"
    assert console.json("why", "quick")["mayStart"]


def test_a_pause_holds_everything_until_it_is_ended(console):
    assert console("pause", "--because", "demo").stdout.startswith(
        "Every task is paused until neo-console unpause: demo. Services "
    )
    for task in ("quick", "light"):
        assert f"deferred: {task} did not start: every task is paused" in console("run", task).stdout
    assert console("status").stdout.count("PAUSED by ") == 1
    assert console.json("status")["pause"]["value"]["because"] == "demo"
    assert console("unpause").stdout == "The pause has ended.\n"
    assert console("unpause").stdout == "Nothing was paused.\n"
    assert console.json("status")["pause"]["value"] is None


def test_a_pause_may_have_an_end(console):
    told = console.json("pause", "--because", "demo", "--for", "90m")
    until, created = (datetime.fromisoformat(told[name]) for name in ("until", "createdAt"))
    assert (until - created).total_seconds() == 5400
    assert told["acknowledgedAt"] is None
