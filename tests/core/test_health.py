"""The verdict over a snapshot: every cause on its own, the worst of several, and nothing unread passes for well."""

from __future__ import annotations

import msgspec
import pytest

from neo_core.health import SECTIONS, judge
from neo_core.ledger.models import Control, ControlKind, Outcome, ServiceState, Trigger
from neo_core.schedule.decision import Decision
from neo_core.snapshot import (
    CollisionView,
    HealthStatus,
    LeaseLight,
    LeaseView,
    MemoryView,
    OrchestratorState,
    OrchestratorView,
    ScheduleView,
    Section,
    ServiceView,
    Snapshot,
    TaskState,
    TaskView,
)
from neo_core.snapshot_strays import StrayKind, StraysView, StrayView

NOW = 1_800_000_000.0
DAY = 86_400.0


def task(name: str = "backup", **more) -> TaskView:
    told = {"every": DAY, "period": DAY, "state": TaskState.IDLE, "last_success_at": NOW - 60, "first_seen_at": NOW - 9}
    decision = Decision(task=name, at=NOW, trigger=Trigger.MANUAL, results=())
    told = {"title": "", "heavy": True, "configured": True, "missing_key": "", "decision": decision, **told, **more}
    return TaskView(name=name, **told)


def service(state: ServiceState = ServiceState.RUNNING, **more) -> ServiceView:
    told = {"title": "", "since": NOW, "wanted": True, "kept": True, "sentence": "as it is", "command": "c", **more}
    return ServiceView(name="chroma", state=state, **told)


def orchestrator(state: OrchestratorState, **more) -> OrchestratorView:
    return OrchestratorView(state=state, sentence="as it is", **more)


def lease(light: LeaseLight = LeaseLight.FREE) -> LeaseView:
    return LeaseView(light=light, status="missing", sentence="as it is")


def picture(*, config_error: str = "", read_only: str = "", **values) -> Snapshot:
    told = {
        "lease": lease(),
        "schedule": ScheduleView(tasks=(task(),)),
        "outcomes": (),
        "processes": (),
        "memory": MemoryView(total=2, available=1, swap_used=0),
        "services": (service(),),
        "orchestrator": orchestrator(OrchestratorState.RUNNING),
        "collisions": (),
        "strays": StraysView(),
        **values,
    }
    sections = {
        name: value if isinstance(value, Section) else Section(at=NOW, value=value) for name, value in told.items()
    }
    return Snapshot(at=NOW, workspace="/w", read_only=read_only, config_error=config_error, **sections)


def tasks(*views: TaskView, **more) -> dict[str, ScheduleView]:
    return {"schedule": ScheduleView(tasks=views, **more)}


PAUSE = Control(control_id=1, kind=ControlKind.PAUSE, target="", created_at=NOW, because="talk", requested_by="ada")
COLLISION = CollisionView(tasks=("dream", "backup"), runs=("a1", "b2"), pids=(1, 2), sentence="two heavy jobs")
STRAY = StrayView(
    kind=StrayKind.RUN,
    pid=77,
    start_time=1,
    boot_id="b",
    owner="light",
    name="sleep",
    command="sleep 60",
    sentence="works on for run a1 of light, which was lost",
    mend="neo-console strays stop 77",
)

BAD, WORSE, UNKNOWN = HealthStatus.DEGRADED, HealthStatus.UNHEALTHY, HealthStatus.UNKNOWN
CASES = [
    ("lease-unreadable", WORSE, {"lease": lease(LeaseLight.UNREADABLE)}),
    ("lease-holder-unknown", UNKNOWN, {"lease": lease(LeaseLight.UNKNOWN)}),
    ("lease-malformed", BAD, {"lease": lease(LeaseLight.MALFORMED)}),
    ("lease-orphaned", BAD, {"lease": lease(LeaseLight.ORPHANED)}),
    ("lease-overdue", BAD, {"lease": lease(LeaseLight.OVERDUE)}),
    ("collision", WORSE, {"collisions": (COLLISION,)}),
    ("strays", BAD, {"strays": StraysView(found=(STRAY,))}),
    ("strays-unknown", UNKNOWN, {"strays": StraysView(unknown=("who listens on web's port 9 cannot be read",))}),
    ("starved", BAD, tasks(task(state=TaskState.WAITING, starved=True, waiting_since=NOW - 7200))),
    ("failing", BAD, tasks(task(failures=4, last_outcome=Outcome.FAILED))),
    ("failing", BAD, tasks(task(failures=1, last_outcome=Outcome.TIMED_OUT, retry_at=None))),
    ("failing", BAD, tasks(task("sandman", period=0.0, failures=1, retry_at=NOW + 60))),
    ("failing", BAD, tasks(task(failures=3, tries=1, retry_at=NOW + 60))),  # the turn before used its tries up
    ("failing", BAD, tasks(task("by-hand", period=0.0, failures=3, tries=1, last_at=NOW - DAY))),
    ("failing", BAD, tasks(task("by-file", period=0.0, prompted=True, failures=3, tries=3, last_at=NOW - 9 * DAY))),
    ("stale", BAD, tasks(task(last_success_at=NOW - 2 * DAY - 1))),
    ("stale", BAD, tasks(task(last_success_at=None, first_seen_at=NOW - 2 * DAY - 1))),
    ("stale", BAD, tasks(task(last_success_at=NOW - 3 * DAY, last_outcome=Outcome.SKIPPED))),
    ("stale", BAD, tasks(task(every=0.0, cron="0 3 * * *", last_success_at=NOW - 3 * DAY))),
    ("service-fatal", WORSE, {"services": (service(ServiceState.FATAL),)}),
    ("service-fatal", WORSE, {"services": (service(ServiceState.FATAL, kept=False),)}),
    ("service-backoff", BAD, {"services": (service(ServiceState.BACKOFF),)}),
    ("service-unstable", BAD, {"services": (service(ServiceState.STARTING, failures=1),)}),
    ("service-unstable", BAD, {"services": (service(ServiceState.RUNNING, failures=2),)}),
    ("service-unstable", BAD, {"services": (service(ServiceState.STOPPING, failures=2),)}),
    ("service-unhealthy", BAD, {"services": (service(ServiceState.UNHEALTHY),)}),
    ("service-down", BAD, {"services": (service(ServiceState.STOPPED),)}),
    ("service-not-kept", BAD, {"services": (service(kept=False),)}),
    ("orchestrator-silent", WORSE, {"orchestrator": orchestrator(OrchestratorState.SILENT)}),
    ("orchestrator-killed", WORSE, {"orchestrator": orchestrator(OrchestratorState.KILLED)}),
    ("orchestrator-crashed", WORSE, {"orchestrator": orchestrator(OrchestratorState.CRASHED)}),
    ("orchestrator-unknown", UNKNOWN, {"orchestrator": orchestrator(OrchestratorState.UNKNOWN)}),
    ("orchestrator-not-running", BAD, {"orchestrator": orchestrator(OrchestratorState.STOPPED)}),
    (
        "orchestrator-configuration",
        BAD,
        {"orchestrator": orchestrator(OrchestratorState.RUNNING, config_error="leese is not a known key")},
    ),
    ("configuration", WORSE, {"config_error": "leese is not a known key"}),
    ("read-only", BAD, {"read_only": "/w is not writable for you"}),
    ("paused", BAD, tasks(task(), pause=PAUSE)),
]


def test_what_was_all_read_and_is_well_is_healthy():
    assert judge(picture()) == msgspec.structs.replace(judge(picture()), status=HealthStatus.HEALTHY, causes=())


@pytest.mark.parametrize(("code", "status", "told"), CASES)
def test_each_cause_alone(code, status, told):
    verdict = judge(picture(**told))
    assert [(cause.code, cause.status) for cause in verdict.causes] == [(code, status)]
    assert verdict.status is status
    assert verdict.causes[0].subject
    assert verdict.causes[0].sentence


@pytest.mark.parametrize(
    "told",
    [
        {"lease": lease(LeaseLight.HELD)},
        {"strays": StraysView(unreadable=3, others=140, settling=1)},  # said, and no trouble
        {"lease": lease(LeaseLight.STALE)},  # the next start takes it over
        tasks(task(failures=2, tries=2, retry_at=NOW + 60)),  # it is tried again
        tasks(task("by-hand", period=0.0, failures=3, tries=1, last_at=NOW - DAY - 1)),  # no news any more
        tasks(task(configured=False, failures=2, last_success_at=None, first_seen_at=0.0)),
        tasks(task(last_success_at=None, first_seen_at=None)),  # never scheduled: the orchestrator's cause says it
        tasks(task(state=TaskState.SNOOZED, starved=True, last_success_at=NOW - 9 * DAY)),  # by an operator's will
        tasks(task("primary-dev-sync", period=600.0, last_success_at=None, first_seen_at=0.0,
                   last_outcome=Outcome.SKIPPED)),
        tasks(task(state=TaskState.RUNNING, last_success_at=NOW - 9 * DAY)),  # it is being mended
        tasks(task(period=0.0, every=0.0, last_success_at=NOW - 99 * DAY)),
        {"services": (service(ServiceState.STOPPED, wanted=False, kept=False),)},
        {"services": (service(ServiceState.STOPPED, command="", kept=False),)},  # no longer configured
        {"services": (service(ServiceState.STARTING),)},
        {"services": (), **tasks(task(period=0.0)), "orchestrator": orchestrator(OrchestratorState.STOPPED)},
    ],
)  # fmt: skip
def test_what_is_no_cause(told):
    assert judge(picture(**told)).causes == ()


@pytest.mark.parametrize("name", SECTIONS)
@pytest.mark.parametrize("error", ["ledger: is damaged", ""])
def test_nothing_that_was_not_read_is_healthy(name, error):
    verdict = judge(picture(**{name: Section(at=NOW, error=error)}))
    assert verdict.status is UNKNOWN
    assert verdict.causes[0].subject == name
    assert judge(picture(**{name: Section(at=NOW, error=error)}, read_only="no")).status is UNKNOWN


def test_one_error_behind_several_sections_is_one_cause():
    lost = Section(at=NOW, error="ledger: is damaged")
    (cause,) = judge(picture(schedule=lost, outcomes=lost, services=lost)).causes
    assert (cause.code, cause.subject) == ("unreadable", "schedule, outcomes, services")


def test_the_worst_is_first_and_decides():
    verdict = judge(picture(read_only="no", outcomes=Section(at=NOW, error="e"), collisions=(COLLISION,)))
    assert [cause.status for cause in verdict.causes] == [WORSE, UNKNOWN, BAD]
    assert verdict.status is WORSE


def test_the_words_name_what_to_do():
    starving = task(state=TaskState.WAITING, starved=True, waiting_since=NOW - 7290)
    starved, paused = judge(picture(**tasks(starving))).causes[0], judge(picture(**tasks(pause=PAUSE))).causes[0]
    assert (starved.sentence, starved.mend) == ("backup has waited for 2h01m", "neo-console why backup")
    assert paused.sentence == "no task starts; paused by ada: talk"
    never = judge(picture(**tasks(task(last_success_at=None, first_seen_at=NOW - 3 * DAY)))).causes[0]
    assert never.sentence == "backup has never done its work, though due every 1d00h for 3d00h"
    assert judge(picture(collisions=(COLLISION,))).causes[0].mend == "neo-console stop b2"
    crashing = service(ServiceState.STARTING, failures=3, last_exit="exited with 9")
    unstable = judge(picture(services=(crashing,))).causes[0]
    assert unstable.sentence == "3 faults in a row, the last: exited with 9; as it is"
    failed, lost = (task(failures=1, tries=1, last_outcome=ending) for ending in (Outcome.FAILED, Outcome.LOST))
    assert judge(picture(**tasks(failed))).causes[0].mend == "neo-console logs backup"
    assert judge(picture(**tasks(lost))).causes[0].mend == "neo-console history --task backup"
