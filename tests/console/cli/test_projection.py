"""``status --json`` from fixed pictures: names in camelCase, times in ISO, upstream's words, no token."""

from __future__ import annotations

import json
import re

import msgspec
import pytest

from neo_console.cli.projection import snapshot_json
from neo_console.cli.records import control_json, lease_event_json
from neo_console.cli.status import orchestrator_line, status_text
from neo_core.ledger.models import Control, ControlKind, LeaseEvent, Outcome, Run, ServiceState, Trigger
from neo_core.snapshot import (
    CollisionView,
    LeaseLight,
    LeaseView,
    OrchestratorState,
    OrchestratorView,
    ScheduleView,
    Section,
    ServiceView,
    TaskState,
)
from screenshots.fixtures import snapshot
from screenshots.parts import NOW, blocked_by_lease, task

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
CAMEL = re.compile(r"[a-z][a-zA-Z0-9]*")
COLLISION = CollisionView(tasks=("dream", "backup"), runs=("a", "b"), pids=(1, 2), sentence="two heavy jobs: a and b")
SERVICE = ServiceView(
    name="chroma", title="the vector database", state=ServiceState.BACKOFF, since=NOW - 60, wanted=True, kept=True,
    sentence="restarts in 4s", next_start_at=NOW + 4, restarts=3, failures=2, last_exit="exit code 1",
    endpoint="localhost:8000", command="chroma run",
)  # fmt: skip
KEEPER = OrchestratorView(
    state=OrchestratorState.RUNNING, sentence="polls", pid=4121, started_at=NOW - 900, beat_at=NOW - 2
)
PAUSE = Control(control_id=1, kind=ControlKind.PAUSE, target="", created_at=NOW, until=NOW + 60, because="talk")
PUT_OFF = Run(
    run_id="d", task="kbSync", heavy=True, trigger=Trigger.SCHEDULED, requested_at=NOW - 90, last_at=NOW - 3,
    outcome=Outcome.DEFERRED, reason_code="heavy-maintenance-lease-held", blocker="dream", count=3,
)  # fmt: skip


@pytest.fixture
def picture():
    waiting = task(
        "kbSync", TaskState.WAITING, blocked_by_lease(), streak=3, waiting_since=NOW - 90, starved=True, failures=2,
        tries=2,
        retry_at=NOW + 60, period=86_400.0, cron="0 3 * * *", last_outcome=Outcome.COMPLETED, last_at=NOW - 900,
        last_success_at=NOW - 900, due_at=NOW - 90, last_reason="3 files indexed", deferral=PUT_OFF, retried=True,
    )  # fmt: skip
    return snapshot(
        services=(SERVICE,),
        orchestrator=KEEPER,
        collisions=(COLLISION,),
        schedule=ScheduleView(tasks=(waiting, task("backup", TaskState.DUE, due_at=0.0)), pause=PAUSE),
    )


def everything(value, path="$"):
    """Yield every key and value within, with its path."""
    if isinstance(value, dict):
        for key, inside in value.items():
            yield f"{path}.{key}", key, inside
            yield from everything(inside, f"{path}.{key}")
    elif isinstance(value, list):
        for inside in value:
            yield from everything(inside, f"{path}[]")


def test_every_name_is_camel_case_and_every_time_iso(picture):
    told = json.loads(json.dumps(snapshot_json(picture)))
    found = list(everything(told))
    assert len(found) > 200
    assert [path for path, key, _ in found if not CAMEL.fullmatch(key)] == []
    times = [(path, value) for path, key, value in found if key == "at" or key.endswith(("At", "Since", "until"))]
    assert [(path, value) for path, value in times if value is not None and not ISO.fullmatch(str(value))] == []
    assert [(path, value) for path, _, value in found if isinstance(value, float) and value > 1e9] == []


def test_a_deferral_is_skipped_with_its_reason_and_the_last_run_keeps_its_own(picture):
    waiting, due = snapshot_json(picture)["tasks"]["value"]
    assert (waiting["outcome"], waiting["reasonCode"]) == ("skipped", "heavy-maintenance-lease-held")
    assert (waiting["lastOutcome"], waiting["lastReasonCode"]) == ("completed", None)
    assert (waiting["lastReason"], waiting["retriedByOrchestrator"]) == ("3 files indexed", True)
    assert (waiting["streak"], waiting["failures"], waiting["starved"], waiting["cron"]) == (3, 2, True, "0 3 * * *")
    assert waiting["retryAt"] > waiting["waitingSince"] > waiting["lastSuccessAt"]
    assert (due["nextDueAt"], due["outcome"]) == (snapshot_json(picture)["at"], None)


def test_health_services_orchestrator_and_collisions(picture):
    told = snapshot_json(picture)
    assert told["health"]["status"] == "unhealthy"
    assert [cause["code"] for cause in told["health"]["causes"]] == ["collision", "service-backoff", "paused"]
    (service,) = told["services"]["value"]
    assert (service["state"], service["restarts"], service["endpoint"]) == ("backoff", 3, "localhost:8000")
    assert told["orchestrator"]["value"]["pid"] == 4121
    assert told["collisions"]["value"] == [
        {"tasks": ["dream", "backup"], "runIds": ["a", "b"], "pids": [1, 2], "sentence": "two heavy jobs: a and b"}
    ]
    assert told["pause"]["value"]["because"] == "talk"


def test_the_lease_has_age_liveness_and_the_first_part_of_the_token(picture):
    lease = snapshot_json(picture)["lease"]["value"]
    assert (lease["status"], lease["liveness"], lease["ageSeconds"], lease["borrowers"]) == (
        "active",
        "alive",
        732.0,
        [],
    )
    assert lease["holder"]["tokenPrefix"] == "1b0c77e2"


def test_what_could_not_be_read_has_an_error_and_no_value(picture):
    lost = msgspec.structs.replace(picture, services=Section(at=NOW, error="ledger: is damaged"))
    told = snapshot_json(lost)
    assert (told["services"]["value"], told["services"]["error"]) == (None, "ledger: is damaged")
    assert "services      ✗ unreadable: ledger: is damaged" in status_text(lost)


def test_the_text_begins_with_health_and_its_causes(picture):
    first, *causes = status_text(picture).splitlines()[:4]
    assert first == "health        ✗ UNHEALTHY"
    assert causes[0] == "              ✗ [collision] dream, backup: two heavy jobs: a and b → neo-console stop b"
    assert causes[1].startswith("              ◐ [service-backoff] chroma: restarts in 4s → ")
    text = status_text(picture)
    assert "orchestrator  ● RUNNING · pid 4121 · for 15m · polled 2s ago · polls" in text
    assert "restarts in 4s; next start at " in text
    assert text.count("in 4s") == 2, "once in the health, once in the table"


@pytest.mark.parametrize(
    ("trigger", "run_id", "reason", "told"),
    [
        (Trigger.MANUAL, "h", "manual-cli", "manual, asked for by ada"),
        (Trigger.SCHEDULED, "h", "scheduled", "scheduled"),
        (Trigger.MANUAL, "", "manual-cli", "a script"),
        (Trigger.MANUAL, "", "nightly index", "a script: nightly index"),
        (Trigger.MANUAL, "of another workspace", "manual-cli", "manual"),
    ],
    ids=["by hand", "by the schedule", "script", "script with a reason", "run elsewhere"],
)
def test_the_holder_is_shown_with_who_asked_for_it(picture, trigger, run_id, reason, told):
    run = Run(
        run_id="h", task="dream", heavy=True, trigger=trigger, requested_at=NOW, last_at=NOW, requested_by="ada"
    )  # fmt: skip
    held = LeaseView(
        light=LeaseLight.HELD, status="active", owner="dream", pid=7, run_id=run_id, reason=reason, acquired_at=NOW - 60
    )  # fmt: skip
    seen = msgspec.structs.replace(picture, lease=Section(at=NOW, value=held), outcomes=Section(at=NOW, value=(run,)))
    assert f"lease         ● HELD · dream · pid 7 · {told} · for 1m" in status_text(seen)
    assert snapshot_json(seen)["lease"]["value"]["holder"]["reason"] == reason, "as the record has it"


def test_a_control_and_a_lease_event():
    assert set(control_json(PAUSE)) == {
        "controlId", "kind", "target", "createdAt", "until", "because", "force", "requestedBy", "acknowledgedAt"
    }  # fmt: skip
    event = LeaseEvent(at=NOW, event="acquired", owner="dream", token_prefix="1b0c77e2", generation=1, run_id="", pid=1)
    assert lease_event_json(event)["runId"] is None
    assert ISO.fullmatch(lease_event_json(event)["at"])


def test_an_orchestrator_that_was_killed_is_not_said_to_run_since_its_start():
    view = OrchestratorView(
        state=OrchestratorState.KILLED, sentence="was killed", mend="x", pid=4121, started_at=NOW - 900, beat_at=NOW - 7
    )
    assert orchestrator_line(view, NOW) == "! KILLED · pid 4121 · polled 7s ago · was killed → x"
