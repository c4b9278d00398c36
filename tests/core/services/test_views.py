"""What an operator reads: the row corrected by what can be seen, and never better than it is."""

from __future__ import annotations

import msgspec
import pytest

from neo_core.ledger.models import ServiceRecord, ServiceState
from neo_core.processes.source import identity_of, system_source
from neo_core.services.views import service_views

NOW = 1000.0


@pytest.fixture
def living(stranger):
    process = stranger(("sh", "-c", "echo; exec sleep 600"))
    return identity_of(process.pid, system_source())


def row(state, process=None, **more):
    found = (
        {} if process is None else {"pid": process.pid, "start_time": process.start_time, "boot_id": process.boot_id}
    )
    return ServiceRecord(name="web", state=ServiceState(state), since=NOW - 5, **{**found, **more})


def view(service, record, *, kept=True):
    records = {} if record is None else {"web": record}
    (found,) = service_views({"web": service}, records, kept=kept, source=system_source(), now=NOW)
    return found


def test_a_running_service(define, living):
    found = view(define(port=8000, host="localhost", probe="http", title="the web"), row("running", living))

    assert (found.state, found.pid, found.start_time) == ("running", living.pid, living.start_time)
    assert (found.endpoint, found.command, found.title) == ("localhost:8000", "sleep 600", "the web")
    assert found.sentence == "answers its probe"
    assert view(define(), row("running", living)).sentence == "alive (it has no probe)"
    assert view(define(), row("running", living)).endpoint == ""


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        (
            row("backoff", failures=2, reason="exited with 1", next_start_at=NOW + 4),
            "restarts in 4s (2 of 10 faults: exited with 1)",
        ),
        (row("backoff", next_start_at=NOW), "starts in a moment"),
        (row("backoff", reason="its configuration changed"), "starts in a moment (its configuration changed)"),
        (row("starting"), "waiting to see it live"),
        (row("starting", reason="adopted"), "adopted; waiting to see it live"),
        (
            row("unhealthy", reason="3 probes in a row failed: x"),
            "3 probes in a row failed: x; it is about to be restarted",
        ),
        (
            row("stopping", reason="stopped by ana"),
            "ending its processes (stopped by ana); what is left in 5s is killed",
        ),
        (row("stopped", reason="stopped by ana"), "stopped by ana; start it to have it again"),
        (row("stopped"), "stopped; start it to have it again"),
        (row("fatal", reason="gave up"), "gave up; mend that, then start it"),
    ],
)
def test_every_state_says_what_it_means_and_what_comes_next(define, record, sentence):
    found = view(define(stop_grace=10.0), record)

    assert (found.state, found.sentence) == (record.state, sentence)


@pytest.mark.parametrize("state", ["starting", "running", "unhealthy"])
@pytest.mark.parametrize("kept", [True, False])
def test_a_dead_process_is_never_shown_as_alive(define, living, state, kept):
    dead = living._replace(start_time=living.start_time - 1)

    found = view(define(), row(state, dead), kept=kept)

    assert found.state == ("backoff" if kept else "stopped")
    assert found.sentence.startswith(f"its process (pid {living.pid}) is gone; ")
    assert found.pid is None


def test_without_an_orchestrator_nobody_looks_after_it(define, living):
    alive = view(define(), row("running", living), kept=False)
    waiting = view(define(), row("backoff", reason="exited with 1", next_start_at=NOW + 4), kept=False)
    fatal = view(define(), row("fatal", reason="gave up"), kept=False)
    never = view(define(), None, kept=False)

    assert (alive.state, alive.kept, alive.pid) == ("running", False, living.pid)
    for one in (alive, waiting, fatal, never):
        assert one.sentence.endswith("nobody looks after it: the orchestrator is not running")
        assert one.next_start_at is None


def test_a_service_without_a_row_starts_in_a_moment(define):
    never = view(define(), None)
    assert (never.state, never.since, never.sentence) == ("stopped", None, "starts in a moment")


def test_a_service_on_its_way_out_is_still_shown(define, living):
    gone = msgspec.structs.replace(row("stopping", living, reason="it is no longer configured"), name="old")

    views = service_views({"web": define()}, {"old": gone}, kept=True, source=system_source(), now=NOW)

    assert [one.name for one in views] == ["web", "old"]
    assert "it is no longer configured" in views[1].sentence
