"""Memory in the whole engine: real runs held back by real readings, and let go again."""

from __future__ import annotations

import pytest

from neo_core.engine import Engine
from neo_core.errors import UsageError
from neo_core.health import judge
from neo_core.ledger.models import Outcome
from neo_core.ledger.store import Ledger
from neo_core.memory.incidents import Phase
from neo_core.snapshot import HealthStatus

# No machine has so much of its memory free, so that a real reading is below it.
ALWAYS = "critical_available = 99.9"
GROW = "kept = bytearray(200 * 1024 * 1024); kept[::4096] = b'x' * len(kept[::4096]); import time; time.sleep(0.6)"


def engine(workspace, memory, command=("true",)):
    told = ", ".join(f'"{word}"' for word in command)
    workspace.config.write_text(
        f'[memory]\n{memory}\n[tasks.work]\ncommand = [{told}]\n[tasks.light]\ncommand = ["true"]\nclass = "light"\n'
    )
    return Engine(workspace)


@pytest.fixture
def pressed(workspace):
    return engine(workspace, ALWAYS)


def test_a_heavy_start_into_pressure_is_deferred_with_value_and_limit(pressed):
    run = pressed.run_and_wait("work")

    assert (run.outcome, run.reason_code) == (Outcome.DEFERRED, "memory-pressure")
    assert "available" in run.reason
    assert "limit 99.9 %" in run.reason
    assert pressed.run_and_wait("light").outcome is Outcome.COMPLETED


def test_an_operators_override_starts_it_and_is_kept_with_the_run(pressed):
    attempt = pressed.trigger("work", override_memory=True)
    run = pressed.wait(attempt.run_id)

    assert run.outcome is Outcome.COMPLETED
    decision = pressed.decision_of(run)
    assert any("overridden by" in result.value for result in decision.results)


def test_it_starts_again_when_the_memory_is_calm(workspace, pressed):
    assert pressed.run_and_wait("work").outcome is Outcome.DEFERRED

    assert engine(workspace, "").run_and_wait("work").outcome is Outcome.COMPLETED


def test_what_a_task_needed_before_is_what_it_must_find(workspace):
    grow = ("python3", "-c", GROW)
    assert engine(workspace, "", grow).run_and_wait("work").outcome is Outcome.COMPLETED

    run = engine(workspace, 'reserve = "500TiB"', grow).run_and_wait("work")
    assert (run.outcome, run.reason_code) == (Outcome.DEFERRED, "memory-forecast")
    assert "95 % of 1 run)" in run.reason


def test_an_open_console_records_and_the_snapshot_tells_the_incident(workspace, pressed):
    pressed.record_memory()
    snapshot = pressed.snapshot()
    pressed.close()

    assert snapshot.memory.value.phase is Phase.CRITICAL
    assert snapshot.memory.value.incident == 1
    (incident,) = pressed.incidents()
    assert incident.worst.signal == "available"
    assert pressed.incident(1).incident == incident
    with Ledger(workspace.ledger, writable=False) as ledger:
        assert len(ledger.memory.samples(0, 1e12)) == 1


def test_pressure_is_a_cause_of_bad_health(pressed):
    causes = {cause.code: cause for cause in judge(pressed.snapshot()).causes}

    assert causes["memory-critical"].status is HealthStatus.UNHEALTHY
    assert "nothing heavy starts" in causes["memory-critical"].sentence


def test_an_incident_that_is_not_there_is_said(pressed):
    with pytest.raises(UsageError, match="neo-console incidents"):
        pressed.incident(7)


def test_what_was_recorded_is_there_as_a_course_a_replay_and_two_files(pressed):
    assert pressed.memory_course(600).samples == ()
    pressed.record_memory()
    pressed.close()

    course = pressed.memory_course(600, 10)
    assert len(course.samples) == 1
    assert [incident.incident_id for incident in course.incidents] == [1]
    replay = pressed.replay(1)
    assert replay.phases == (Phase.CRITICAL,)
    assert replay.moment(0).trees
    page, data = pressed.export_incident(1)
    assert page.read_text().startswith("# Memory incident 1: critical")
    assert data.parent == page.parent


def test_a_replay_of_nothing_is_refused(pressed):
    for ask in (pressed.replay, pressed.export_incident):
        with pytest.raises(UsageError, match="is not in the ledger"):
            ask(7)
