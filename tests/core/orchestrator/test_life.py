"""One orchestrator's life as a real process: it starts what is due, is alone, ends well, and survives being killed."""

from __future__ import annotations

import itertools
import json
import os
import pty
import signal
import stat
import subprocess
import sys
import time

import pytest

from neo_core.incumbent import read_incumbent
from neo_core.ledger.models import ControlKind, Outcome, Run, Trigger
from neo_core.ledger.store import Ledger
from neo_core.processes.source import system_source

WAITS = "while [ ! -e release ] && kill -0 $TESTED_BY; do sleep 0.05; done"
HOLD = f'[tasks.hold]\ncommand = ["sh", "-c", "{WAITS}"]\nevery = "1h"\n'


def latest_life(place):
    with Ledger(place.workspace.ledger, writable=False) as ledger:
        return ledger.orchestrators.latest()


def test_what_is_due_runs_again_and_again(place):
    place.configure(place.job("a") + 'every = "500ms"\n' + place.job("light") + 'class = "light"\nevery = "500ms"\n')
    process = place.up()
    place.until(lambda: len(place.ended("a")) >= 3 and len(place.ended("light")) >= 3)
    assert place.down(process) == 0
    starts = [row.started_at for row in place.ended("a")]
    assert all(two - one >= 0.5 for one, two in itertools.pairwise(starts))
    assert {row.outcome for row in place.ended("a")} == {Outcome.COMPLETED}
    assert latest_life(place).ending == "stopped"


def test_a_second_one_is_refused_and_names_the_first(place):
    place.configure("")
    first = place.up()
    second = place.run()
    _, told = second.communicate(timeout=20)
    assert second.returncode == 3
    assert f"runs already: pid {first.pid} since 20" in told
    assert told.count("\n") == 1
    assert first.poll() is None


def test_the_lock_names_who_has_it_and_beats(place):
    place.configure("")
    process = place.up()
    lock = place.workspace.orchestrator_lock
    told = json.loads(lock.read_text())
    assert set(told) == {"pid", "startTime", "bootId", "since", "version"}
    assert (told["pid"], told["startTime"]) == (process.pid, system_source().start_time(process.pid))
    assert stat.S_IMODE(lock.stat().st_mode) == 0o600
    before = read_incumbent(place.workspace, system_source())
    assert before.alive
    place.until(lambda: read_incumbent(place.workspace, system_source()).beat_at > before.beat_at)
    place.down(process)
    assert not read_incumbent(place.workspace, system_source()).alive


def test_a_killed_one_leaves_nothing_in_the_way_of_the_next(place):
    place.configure("")
    assert place.down(place.up(), signal.SIGKILL) == -signal.SIGKILL
    assert place.down(place.up()) == 0
    with Ledger(place.workspace.ledger, writable=False) as ledger:
        endings = ledger.database.query("SELECT ending FROM orchestrators ORDER BY orchestrator_id")
    assert [row["ending"] for row in endings] == ["killed", "stopped"]


def test_the_lock_is_not_inherited_by_what_it_starts(place):
    place.configure(HOLD)
    process = place.up()
    place.until(lambda: [row for row in place.rows("hold") if row.started_at])
    place.down(process, signal.SIGKILL)
    again = place.up()
    assert not [row for row in place.rows("hold") if not row.live]
    (place.root / "release").touch()
    place.down(again)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_leaves_the_run_to_its_runner(place, number):
    place.configure(HOLD)
    process = place.up()
    place.until(lambda: [row for row in place.rows("hold") if row.started_at])
    assert place.down(process, number) == 0
    assert [row.live for row in place.rows("hold")] == [True]
    (place.root / "release").touch()
    place.until(lambda: place.ended("hold"))
    assert place.ended("hold")[0].outcome is Outcome.COMPLETED


def test_a_run_goes_on_through_a_kill_and_is_recorded_once(place):
    place.configure(HOLD)
    process = place.up()
    place.until(lambda: [row for row in place.rows("hold") if row.started_at])
    place.down(process, signal.SIGKILL)
    again = place.up()
    (place.root / "release").touch()
    place.until(lambda: place.ended("hold"))
    place.until(lambda: ": completed" in place.log())
    place.down(again)
    assert [row.outcome for row in place.rows("hold")] == [Outcome.COMPLETED]


def test_a_killed_runner_is_found_lost_and_its_lease_free(place):
    place.configure(HOLD + 'retries = 0\n[tasks.next]\ncommand = ["true"]\nevery = "1h"\n')
    process = place.up()
    (row,) = place.until(lambda: [row for row in place.rows("hold") if row.started_at])
    for pid in (row.runner_pid, row.child_pid):
        os.kill(pid, signal.SIGKILL)
    place.until(lambda: place.ended("next"))
    place.down(process)
    assert [row.outcome for row in place.ended("hold")] == [Outcome.LOST]
    assert "Reclaimed the lease of hold" in place.log()


def test_a_kill_between_a_request_and_its_runner_holds_up_nobody_for_a_minute(place):
    place.configure(place.job("a") + 'every = "300ms"\nretries = 3\nretry_after = "1s"\n')
    with Ledger(place.workspace.ledger) as ledger:
        before = time.time() - 0.5
        ledger.runs.insert(
            Run(run_id="feed", task="a", heavy=True, trigger=Trigger.SCHEDULED, requested_at=before, last_at=before)
        )
    process = place.up()
    place.until(lambda: place.ended("a"), timeout=15)
    assert place.down(process) == 0
    (lost,) = (row for row in place.rows("a") if row.run_id == "feed")
    assert (lost.outcome, lost.reason_code) == (Outcome.LOST, "not-started")


def test_a_runner_that_is_slow_to_claim_its_run_is_waited_for(place):
    place.configure("")
    with Ledger(place.workspace.ledger) as ledger:
        before = time.time() - 10
        ledger.runs.insert(
            Run(run_id="feedface", task="a", heavy=True, trigger=Trigger.SCHEDULED, requested_at=before, last_at=before)
        )
    runner = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)", "--run", "feedface"])
    try:
        assert place.run("--once").wait(timeout=20) == 0
        assert place.rows("a")[0].live
    finally:
        runner.kill()
        runner.wait()
    assert place.run("--once").wait(timeout=20) == 0
    assert place.rows("a")[0].outcome is Outcome.LOST


def test_once_polls_once_and_leaves_the_services_alone(place):
    place.configure(place.job("a") + 'every = "1h"\n[services.s]\ncommand = ["sleep", "600"]\n')
    process = place.run("--once")
    assert process.wait(timeout=20) == 0
    place.until(lambda: place.ended("a"))
    with Ledger(place.workspace.ledger, writable=False) as ledger:
        assert ledger.services.all() == {}


def test_a_stop_by_a_row_is_acknowledged_and_a_stale_one_ignored(place):
    place.configure("")
    with Ledger(place.workspace.ledger) as ledger:
        ledger.controls.add(ControlKind.ORCHESTRATOR_STOP, "", at=1.0)
    process = place.up()
    with Ledger(place.workspace.ledger) as ledger:
        assert ledger.controls.pending(ControlKind.ORCHESTRATOR_STOP) == []
        ledger.controls.add(ControlKind.ORCHESTRATOR_STOP, "", at=2.0, because="upgrade", requested_by="ann")
    assert process.wait(timeout=20) == 0
    assert "Stopping: ann asked for it: upgrade" in place.log()
    with Ledger(place.workspace.ledger) as ledger:
        assert ledger.controls.pending(ControlKind.ORCHESTRATOR_STOP) == []


def test_a_lock_file_that_is_removed_is_taken_again(place):
    place.configure("")
    process = place.up()
    place.workspace.orchestrator_lock.unlink()
    place.until(lambda: place.workspace.orchestrator_lock.exists() and place.workspace.orchestrator_lock.read_text())
    second = place.run()
    assert second.wait(timeout=20) == 3
    assert place.down(process) == 0


def test_a_crash_is_written_down_and_never_a_success(place):
    place.configure("")
    script = (
        "import sys\nfrom neo_core.commands.orchestrator import main\nfrom neo_core.orchestrator.poll import Poller\n"
        "def crash(*_): raise RuntimeError('nobody foresaw this')\n"
        "Poller.poll = crash\nsys.exit(main(sys.argv[1:]))\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", script, "run", "--workspace", str(place.root)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert told.returncode == 70
    assert "[ERROR] Crashed: RuntimeError: nobody foresaw this" in place.log()
    assert "Traceback" in place.log()
    assert latest_life(place).ending == "crashed"


def test_a_wrong_configuration_at_the_start_is_one_sentence(place):
    place.configure('[tasks.a]\ncommand = ["true"]\nevery = "often"\n')
    process = place.run()
    _, told = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "tasks.a.every" in told
    assert "Traceback" not in told


def test_the_daemon_loads_nothing_that_it_does_not_need(place):
    heavy = {"textual", "rich", "click", "psutil", "filelock", "asyncio", "logging", "ssl", "http"}
    script = (
        "import sys\nimport neo_core.commands.orchestrator as command\nimport neo_core.services.keeper\n"
        "assert command.main(sys.argv[1:]) == 0\n"
        f"print(sorted({heavy!r} & {{name.split('.')[0] for name in sys.modules}}))\n"
    )
    place.configure("")
    told = subprocess.run(
        [sys.executable, "-c", script, "run", "--once", "--workspace", str(place.root)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert told.stdout.strip() == "[]"


def test_in_a_terminal_it_says_what_it_does_and_ctrl_c_ends_it(place):
    place.configure("")
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "neo_core.commands.orchestrator", "run", "--workspace", str(place.root)],
        stderr=follower,
    )
    os.close(follower)
    try:
        place.until(lambda: "Started" in place.log())
        told = os.read(leader, 65_536).decode()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
        process.wait()
        os.close(leader)
    assert told.count("Ctrl-C stops it") == 1
    assert str(place.workspace.orchestrator_log) in told


def test_help_names_the_exit_codes(place):
    told = subprocess.run(
        [sys.executable, "-m", "neo_core.commands.orchestrator", "run", "--help"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for words in ("exit codes", "leaving the services alone", "3 another one runs", "70 crashed"):
        assert words in " ".join(told.split())


def test_a_ledger_that_is_moved_away_is_begun_anew_and_the_services_are_not_doubled(place):
    text = '[services.nap]\ncommand = ["sleep", "600"]\n'
    place.configure(place.job("a") + 'every = "300ms"\n' + text)
    process = place.up()
    place.until(lambda: place.ended("a") and service(place, "nap").state == "running")
    before = service(place, "nap")
    for path in place.workspace.ledger.parent.glob("ledger.sqlite3*"):
        path.rename(path.with_name(f"old-{path.name}"))
    place.until(lambda: place.workspace.ledger.exists() and service(place, "nap"))
    place.until(lambda: len(place.ended("a")) > 1)
    assert place.log().count("was moved away or replaced") == 1
    assert place.down(process) == 0
    with Ledger(place.workspace.ledger, writable=False) as ledger:
        assert ledger.orchestrators.latest().ending == "stopped"
    again = place.up()
    place.until(lambda: service(place, "nap").adopted and service(place, "nap").state == "running")
    assert service(place, "nap").pid == before.pid
    place.down(again)
    os.kill(before.pid, signal.SIGKILL)


def test_a_state_folder_that_is_moved_away_is_made_anew_and_nothing_is_doubled(place):
    text = '[services.nap]\ncommand = ["sleep", "600"]\n'
    place.configure(place.job("a") + 'every = "300ms"\n' + text)
    process = place.up()
    place.until(lambda: place.ended("a") and service(place, "nap").state == "running")
    before = service(place, "nap")
    state = place.workspace.state
    state.rename(state.with_name("moved"))
    place.until(lambda: place.workspace.ledger.exists() and len(place.ended("a")) > 1)
    assert place.log().count("was removed; taking a new one") <= 1
    assert service(place, "nap").pid == before.pid
    assert place.run("--once").wait(timeout=20) == 3
    assert place.down(process) == 0
    assert "Stopping: signal 15" in place.log()
    os.kill(before.pid, signal.SIGKILL)


def service(place, name):
    with Ledger(place.workspace.ledger, writable=False) as ledger:
        return ledger.services.all().get(name)
