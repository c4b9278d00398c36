"""What the orchestrator does about what goes wrong: configurations, operators, wedged tasks, a shared lease."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time

import pytest

from neo_core.engine import Engine
from neo_core.jobs.index.database import search
from neo_core.ledger.models import Finished, Outcome, Run, Trigger
from neo_core.ledger.store import Ledger
from neo_core.processes.source import identity_of, system_source
from neo_core.schedule.decision import Reason

DEFERRALS = (Outcome.DEFERRED, Outcome.SKIPPED)


def life(place):
    with Ledger(place.workspace.ledger, writable=False) as ledger:
        return ledger.orchestrators.latest()


def prevented(place, task):
    return [row for row in place.rows(task) if row.started_at is None and row.outcome in DEFERRALS]


def overlaps(intervals):
    return [(one, two) for one, two in itertools.pairwise(intervals) if two[0] < one[1]]


def test_a_wrong_configuration_keeps_the_old_one_until_it_is_right_again(place):
    place.configure(place.job("a") + 'every = "300ms"\n')
    process = place.up()
    place.until(lambda: place.ended("a"))
    place.configure("[tasks.a]\nevery = 3\n")
    place.until(lambda: life(place).config_error)
    assert "tasks.a" in life(place).config_error
    ran = len(place.ended("a"))
    place.until(lambda: len(place.ended("a")) > ran + 1)
    assert {row.outcome for row in place.ended("a")} == {Outcome.COMPLETED}
    assert place.log().count("stays in force") == 1
    place.configure(place.job("b") + 'every = "300ms"\n')
    place.until(lambda: place.ended("b"))
    assert life(place).config_error == ""
    assert life(place).configured_at > life(place).started_at
    assert place.down(process) == 0
    assert "Configuration read again" in place.log()


def test_built_in_jobs_go_on_too_by_the_configuration_in_force(place):
    quiet = '[tasks.backup]\nevery = "0"\n[tasks.primary-dev-sync]\nevery = "0"\n'
    by_file = '[tasks.kbSync]\nevery = "0"\ntrigger_file = "wake"\n[jobs.kbSync]\nexclude = ["left-out.md"]\n'
    (place.root / "left-out.md").write_text("not to be found")
    (place.root / "notes.md").write_text("to be found")
    place.configure(quiet + by_file, quiet=False)
    process = place.up()
    place.configure(quiet + "# lease.path\n[tasks.kbSync\n", quiet=False, resolve=False)
    place.until(lambda: life(place).config_error)
    (place.root / "wake").touch()
    (row,) = place.until(lambda: place.ended("kbSync"))
    assert row.outcome is Outcome.COMPLETED, row.reason
    assert {hit.path for hit in search(place.workspace, "found", 9)} == {"notes.md"}
    assert place.down(process) == 0


def test_a_task_that_needs_a_service_that_is_not_there_keeps_the_old_configuration(place):
    place.configure(place.job("a") + 'every = "300ms"\n')
    process = place.up()
    place.configure(place.job("a") + 'every = "300ms"\nneeds = ["store"]\n')
    place.until(lambda: life(place).config_error)
    assert "tasks.a.needs: 'store' is not a service that is configured and enabled here" in life(place).config_error
    ran = len(place.ended("a"))
    place.until(lambda: len(place.ended("a")) > ran + 1)
    assert place.down(process) == 0
    process = place.run()
    assert process.wait(timeout=20) == 1
    assert "tasks.a.needs" in process.stderr.read()


def test_a_lease_that_is_moved_asks_for_a_restart(place):
    place.configure("")
    process = place.up()
    place.configure('[lease]\npath = "elsewhere/lease.json"\n')
    place.until(lambda: life(place).config_error)
    assert "lease.path" in life(place).config_error
    assert "Restart the orchestrator" in life(place).config_error
    place.down(process)
    again = place.up()
    assert life(place).config_error == ""
    place.down(again)


def test_a_pause_and_a_snooze_are_kept_and_recorded_once(place):
    place.configure(place.job("a") + 'every = "1h"\n' + place.job("b") + 'every = "1h"\n')
    engine = Engine(place.workspace)
    engine.pause("moving house")
    process = place.up()
    place.until(lambda: prevented(place, "a") and prevented(place, "a")[0].count > 2)
    engine.defer("b", 3600, "not today")
    engine.unpause()
    place.until(lambda: place.ended("a"))
    place.until(lambda: [row for row in prevented(place, "b") if row.reason_code == Reason.SNOOZED])
    place.down(process)
    assert [row.reason_code for row in prevented(place, "a")] == [Reason.PAUSED]
    assert [row.reason_code for row in prevented(place, "b")] == [Reason.PAUSED, Reason.SNOOZED]
    assert place.ended("b") == []
    assert place.log().count("Deferring a; every task is paused") == 1
    assert engine.decision_of(prevented(place, "b")[-1]).blocking.reason == Reason.SNOOZED


def test_a_wedged_task_is_ended_with_its_tree_and_the_waiting_backup_starts(place):
    wedge = "trap '' TERM; (trap '' TERM; sleep 600) & echo $! > child; sleep 600"
    text = f'[tasks.wedge]\ncommand = ["sh", "-c", "{wedge}"]\nevery = "1h"\ntime_limit = "1s"\ngrace = "0"\n'
    text += 'retries = 0\n[tasks.kbSync]\nevery = "0"\n[tasks.primary-dev-sync]\nevery = "0"\n[tasks.backup]\n'
    place.configure(text + 'every = "0"\n', quiet=False)
    process = place.up()
    place.until(lambda: [row for row in place.rows("wedge") if row.started_at])
    child = int(place.until(lambda: (place.root / "child").exists() and (place.root / "child").read_text()))
    place.configure(text + 'command = ["true"]\nevery = "1h"\n', quiet=False)
    place.until(lambda: prevented(place, "backup"))
    place.until(lambda: place.ended("backup"))
    place.down(process)
    (wedged,), (row,) = place.ended("wedge"), place.ended("backup")
    assert (wedged.outcome, wedged.reason_code) == (Outcome.TIMED_OUT, Reason.TIME_LIMIT)
    assert row.outcome is Outcome.COMPLETED
    assert row.requested_at - wedged.ended_at < 2.0
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
    (deferred,) = prevented(place, "backup")
    assert (deferred.reason_code, deferred.blocker) == (Reason.BACKPRESSURE, "wedge")


def test_a_task_that_cannot_be_started_is_tried_again_with_spacing_and_holds_up_nobody(place):
    place.configure(
        '[tasks.broken]\ncommand = ["no-such-program-here"]\nevery = "1h"\nretries = 1\nretry_after = "500ms"\n'
        + place.job("a")
        + 'every = "400ms"\n'
    )
    process = place.up()
    place.until(lambda: len(place.ended("a")) >= 4)
    place.until(lambda: len(place.rows("broken")) >= 2)
    time.sleep(1.2)
    place.down(process)
    tried = [row for row in place.rows("broken") if row.outcome is Outcome.FAILED]
    assert len(tried) == 2
    assert {row.reason_code for row in tried} == {str(Reason.SPAWN_ERROR)}
    assert tried[1].requested_at - tried[0].ended_at >= 0.5


def test_a_job_that_defers_itself_is_not_started_at_every_poll(place):
    command = '["sh", "-c", "echo x >> said; echo \'{\\"deferred\\": true}\'"]'
    place.configure(f'[tasks.shy]\ncommand = {command}\nevery = "1h"\n')
    process = place.up()
    place.until(lambda: place.ended("shy"))
    time.sleep(1.0)
    place.down(process)
    assert (place.root / "said").read_text() == "x\n"


def test_a_starved_task_is_warned_of_once(place):
    place.configure(
        '[tasks.hold]\nevery = "1h"\n'
        'command = ["sh", "-c", "while [ ! -e release ] && kill -0 $TESTED_BY; do sleep 0.05; done"]\n'
        + place.job("a")
        + 'every = "1h"\n'
    )
    text = (place.root / "neo-console.toml").read_text()
    (place.root / "neo-console.toml").write_text(text.replace('"100ms"', '"100ms"\nstarved_after = "500ms"', 1))
    engine = Engine(place.workspace)
    run_id = engine.trigger("hold").run_id
    place.until(lambda: engine.run(run_id).started_at)
    process = place.up()
    place.until(lambda: "a is starved" in place.log())
    time.sleep(0.5)
    place.down(process)
    again = place.up()
    place.until(lambda: place.log().count("a is starved") == 2)
    (place.root / "release").touch()
    place.until(lambda: place.ended("a"))
    place.until(lambda: "a is no longer starved" in place.log())
    place.down(again)
    assert [row.blocker for row in prevented(place, "a")] == ["hold"]


def test_a_folder_of_logs_that_is_gone_ends_no_orchestrator(place):
    place.configure(place.job("a") + 'every = "300ms"\n')
    process = place.up()
    place.until(lambda: place.ended("a"))
    logs = place.workspace.logs
    logs.rename(logs.with_name("moved"))
    place.until(lambda: "could not be started" in place.log())
    logs.with_name("moved").rename(logs)
    assert process.poll() is None
    assert place.down(process) == 0


@pytest.mark.parametrize("error", ["LedgerError('ledger x', 'is locked', 'Wait.')", "OSError(28, 'No space', 'f')"])
def test_trouble_with_the_world_is_said_once_and_tried_again(place, error):
    place.configure(place.job("a") + 'every = "1h"\n')
    script = (
        "import sys\nfrom neo_core.commands.orchestrator import main\nfrom neo_core.errors import LedgerError\n"
        "from neo_core.orchestrator.poll import Poller\nwell, polls = Poller.poll, []\n"
        "def poll(*given):\n polls.append(1)\n"
        f" if len(polls) < 5: raise {error}\n"
        " return well(*given)\n"
        "Poller.poll = poll\nsys.exit(main(sys.argv[1:]))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, "run", "--workspace", str(place.root)])
    try:
        place.until(lambda: place.ended("a"))
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0
    assert place.log().count("[ERROR] Trying again:") == 1
    assert place.log().count("The trouble with poll is over") == 1


HELD_UP = {Reason.BACKPRESSURE, Reason.LEASE_HELD}


def reasons(places):
    return {row.reason_code for place in places for row in place.rows() if row.outcome is Outcome.DEFERRED}


@pytest.mark.long
def test_two_orchestrators_on_one_lease_never_work_at_the_same_time(places, tmp_path):
    shared = tmp_path / "shared" / "intervals"
    shared.parent.mkdir()
    both = []
    for name in ("east", "west"):
        place = places(name)
        text = f'[lease]\npath = "{tmp_path / "shared" / "lease.json"}"\n'
        for task in ("one", "two"):
            text += place.job(f"{name}-{task}", 0.15, shared) + 'every = "400ms"\n'
        place.configure(text)
        both.append(place)
    processes = [place.up() for place in both]
    names = {f"{name}-{task}" for name in ("east", "west") for task in ("one", "two")}

    def worked_long_enough():
        intervals = both[0].intervals(shared)
        return len(intervals) > 12 and {name for _, _, name in intervals} == names and reasons(both) >= HELD_UP

    both[0].until(worked_long_enough, timeout=60.0)
    assert [place.down(process) for place, process in zip(both, processes, strict=True)] == [0, 0]
    for place in both:
        place.until(lambda place=place: not [row for row in place.rows() if row.live])
    intervals = both[0].intervals(shared)
    assert overlaps(intervals) == []
    assert {name for _, _, name in intervals} == names
    assert len(intervals) > 12
    rows = [row for place in both for row in place.rows()]
    assert {row.trigger for row in rows} == {Trigger.SCHEDULED}
    assert sum(row.outcome is Outcome.COMPLETED for row in rows) == len(intervals)
    others = [row for row in rows if row.outcome is Outcome.DEFERRED]
    assert reasons(both) >= HELD_UP
    assert all(row.reason and row.count >= 1 for row in others)
    _every_wait_has_its_row(both)


def _every_wait_has_its_row(both):
    """A task that started later than it was due, by more than the polls it takes, was deferred in between."""
    for place in both:
        for task in {row.task for row in place.rows()}:
            starts = [row.started_at for row in place.ended(task)]
            waits = prevented(place, task)
            for one, two in itertools.pairwise(starts):
                if two - one > 0.4 + 0.5:
                    assert [row for row in waits if row.requested_at < two and row.last_at > one], (task, one, two)


@pytest.mark.parametrize("related", [False, True])
def test_two_heavy_runs_at_the_same_time_are_said_once_and_a_run_within_another_is_not(place, related):
    place.configure("")
    myself = identity_of(os.getpid(), system_source())
    with Ledger(place.workspace.ledger) as ledger:
        for number, task in enumerate(("one", "two")):
            run = Run(
                run_id=f"feed{number}",
                task=task,
                heavy=True,
                trigger=Trigger.MANUAL,
                requested_at=time.time(),
                last_at=time.time(),
                started_at=time.time(),
                runner_pid=myself.pid,
                runner_start=myself.start_time,
                boot_id=myself.boot_id,
                parent_run_id="feed0" if related and number else "",
            )
            ledger.runs.insert(run)
    process = place.up()
    place.until(lambda: "of two is alive" in place.log())
    time.sleep(0.5)
    place.down(process)
    assert place.log().count("[WARN] Collision: two heavy jobs") == (0 if related else 1)
    with Ledger(place.workspace.ledger) as ledger:
        for number in range(2):
            ledger.runs.finish(f"feed{number}", Finished(at=time.time(), outcome=Outcome.COMPLETED))
