"""What becomes of a service when something happens to it: pure, from one standing to the next.

Durations are measured by the monotonic clock; the rows carry wall times, which nothing is decided by.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from neo_core.durations import format_duration
from neo_core.ledger.models import ServiceRecord, ServiceState
from neo_core.services.exits import describe_exit
from neo_core.services.standing import ALIVE, Action, After, Moment, Standing

if TYPE_CHECKING:
    from neo_core.processes.source import ProcessIdentity
    from neo_core.services.catalogue import Service
    from neo_core.services.probe import ProbeResult

Random = Callable[[], float]

_LARGEST_EXPONENT = 40
_CUT_SHORT = 0.25
_LONGEST_REFUSAL = 10.0


def fresh(name: str, now: Moment) -> Standing:
    """Return the standing of a service that nothing is known of: its first start is due."""
    record = ServiceRecord(name=name, state=ServiceState.BACKOFF, since=now.wall, next_start_at=now.wall)
    return Standing(record=record, entered=now.monotonic, until=now.monotonic)


def restored(service: Service, record: ServiceRecord, now: Moment, *, rebooted: bool) -> Standing:
    """Return the standing of a service of which no process lives any more, from the row of an earlier keeper.

    *fatal* and an accepted end hold until the machine is booted again; faults in a row are counted on. What ended with
    its orchestrator has no instance any more, and starts again.
    """
    gone = msgspec.structs.replace(record, pid=None, start_time=None, adopted=False)
    standing = Standing(record=gone, entered=now.monotonic)
    if not record.wanted:
        return _enter(standing, ServiceState.STOPPED, record.reason or "stopped by an operator", now)
    if rebooted:
        return _wait(_without_faults(standing), "the machine was booted again", 0.0, now)
    if record.state is ServiceState.FATAL or (record.state is ServiceState.STOPPED and record.instance):
        return standing
    if not resumes(service, record):
        because = "its process ended while nobody looked after it; it is not started again (restart is 'never')"
        return _enter(standing, ServiceState.STOPPED, because, now)
    seconds, reason = _resumption(service, record, now)
    return _wait(standing, reason, seconds, now)


def resumes(service: Service, record: ServiceRecord) -> bool:
    """Return whether a service whose process ended unseen is to be started again."""
    ran = record.state in (ServiceState.RUNNING, ServiceState.UNHEALTHY)
    ran = ran or (record.state is ServiceState.STARTING and record.pid is not None)
    return service.restart != "never" or not ran


def _resumption(service: Service, record: ServiceRecord, now: Moment) -> tuple[float, str]:
    """Return after how many seconds a service of an earlier keeper starts again, and why."""
    if record.state is ServiceState.BACKOFF:
        left = (record.next_start_at or now.wall) - now.wall
        return min(max(0.0, left), service.backoff_max), record.reason
    if record.state is ServiceState.STARTING and record.pid is None:
        # A process may be between fork and exec, where it does not show its marker yet.
        return _CUT_SHORT, "its start was cut short"
    if record.state is ServiceState.STOPPED:
        return 0.0, ""
    return 0.0, "its process ended while nobody looked after it"


def advance(service: Service, standing: Standing, now: Moment) -> tuple[Standing, Action]:
    """Return what the passing of time alone has changed, and what is to be done about it."""
    standing = _settled(service, standing, now)
    over = standing.until is not None and now.monotonic >= standing.until
    if standing.state is ServiceState.UNHEALTHY:
        return ending(service, standing, After.FAULT, standing.record.reason, now), Action.STOP
    if standing.state is ServiceState.STARTING and over and standing.record.pid is not None:
        answer = standing.bad_answer or "no answer"
        because = f"no good answer within {format_duration(service.start_grace)} of its start: {answer}"
        return ending(service, standing, After.FAULT, because, now), Action.STOP
    if standing.state is ServiceState.BACKOFF and over:
        return standing, Action.START
    return standing, Action.NONE


def wakes_at(service: Service, standing: Standing) -> float | None:
    """Return the monotonic time at which ``advance`` has something to do; ``None`` for never."""
    if standing.state is ServiceState.UNHEALTHY:
        return standing.entered
    if standing.state is ServiceState.RUNNING:
        return standing.entered + service.stable_after if standing.record.failures else None
    if standing.state in (ServiceState.STARTING, ServiceState.BACKOFF):
        return standing.until
    return None


def begun(service: Service, standing: Standing, instance: str, boot_id: str, now: Moment) -> Standing:
    """Return the standing to be written down just before the process ``instance`` is started."""
    before = standing.record
    return _enter(
        msgspec.structs.replace(standing, refusals=0),
        ServiceState.STARTING,
        "",
        now,
        until=now.monotonic + service.start_grace,
        instance=instance,
        boot_id=boot_id,
        pid=None,
        start_time=None,
        restarts=before.restarts + (before.started_at is not None and before.failures > 0),
        started_at=now.wall,
        next_start_at=None,
        probed_at=None,
        adopted=False,
    )


def spawned(standing: Standing, pid: int, identity: ProcessIdentity | None) -> Standing:
    """Return the standing once the process is known; ``identity`` is ``None`` when it has ended already."""
    started = identity.start_time if identity else None
    record = msgspec.structs.replace(standing.record, pid=pid, start_time=started)
    return msgspec.structs.replace(standing, record=record)


def adopted(service: Service, record: ServiceRecord, identity: ProcessIdentity, now: Moment) -> Standing:
    """Return the standing of a process of ours that outlived its keeper: to be proven by a probe like a start.

    Its state is as old as it was before: nothing changed for it.
    """
    lasts = record.since if record.state is ServiceState.RUNNING else record.started_at or now.wall
    standing = _enter(
        Standing(record=record, entered=now.monotonic),
        ServiceState.STARTING,
        "adopted from an earlier orchestrator",
        now,
        until=now.monotonic + service.start_grace,
        pid=identity.pid,
        start_time=identity.start_time,
        boot_id=identity.boot_id,
        started_at=record.started_at or now.wall,
        next_start_at=None,
        adopted=True,
    )
    return _since(standing, lasts)


def probed(service: Service, standing: Standing, result: ProbeResult, now: Moment) -> Standing:
    """Return the standing after one answer; in other states than *starting* and *running* it means nothing."""
    if standing.state not in (ServiceState.STARTING, ServiceState.RUNNING):
        return standing
    if result.ok:
        record = msgspec.structs.replace(standing.record, probed_at=now.wall)
        well = msgspec.structs.replace(standing, record=record, bad_probes=0, bad_answer="")
        if standing.state is ServiceState.RUNNING:
            return well
        runs = _enter(well, ServiceState.RUNNING, "", now)
        return _since(runs, record.since) if record.adopted else runs
    bad = standing.bad_probes + 1
    worse = msgspec.structs.replace(standing, bad_probes=bad, bad_answer=result.sentence)
    if standing.state is ServiceState.STARTING or bad < service.probe_failures:
        return worse
    reason = f"{bad} probe{'s' if bad > 1 else ''} in a row failed: {result.sentence}"
    return _enter(_settled(service, worse, now), ServiceState.UNHEALTHY, reason, now)


def ending(service: Service, standing: Standing, after: After, because: str, now: Moment) -> Standing:
    """Return *stopping*: the tree is being ended ``because`` of something, and ``after`` says what follows."""
    if standing.state is ServiceState.STOPPING:
        return msgspec.structs.replace(standing, after=after, because=because)
    standing = _settled(service, standing, now)
    stopping = _enter(standing, ServiceState.STOPPING, because, now, until=now.monotonic + service.stop_grace)
    return msgspec.structs.replace(stopping, after=after, because=because)


def exited(service: Service, standing: Standing, code: int | None, now: Moment) -> Standing:
    """Return *stopping* after the main process ended with ``code`` (``None``: unknown), until its tree has gone too."""
    how = describe_exit(code)
    record = msgspec.structs.replace(standing.record, last_exit=how)
    standing = msgspec.structs.replace(standing, record=record)
    if standing.state not in ALIVE:
        return standing
    if standing.state is ServiceState.STOPPING:
        return standing
    if service.restart == "never" or (service.restart == "on-failure" and code == 0):
        because = f"{how}; it is not started again (restart is {service.restart!r})"
        return ending(service, standing, After.STOP, because, now)
    return ending(service, standing, After.FAULT, how, now)


def gone(service: Service, standing: Standing, now: Moment, random: Random) -> Standing:
    """Return what follows once no process of the service is left."""
    record = msgspec.structs.replace(standing.record, pid=None, start_time=None, adopted=False)
    left = msgspec.structs.replace(standing, record=record, bad_probes=0, bad_answer="")
    if standing.after is After.LEAVE:
        return _enter(left, ServiceState.STOPPED, standing.because, now, instance="")
    if standing.after in (After.STOP, After.FORGET) or not record.wanted:
        return _enter(left, ServiceState.STOPPED, standing.because, now)
    if standing.after is After.START:
        return _wait(left, standing.because, 0.0, now)
    return fault(service, left, standing.because, now, random)


def fault(service: Service, standing: Standing, because: str, now: Moment, random: Random) -> Standing:
    """Return *backoff*, or *fatal* after too many faults in a row; nothing of the service may be alive."""
    failures = standing.record.failures + 1
    counted = msgspec.structs.replace(standing.record, failures=failures)
    standing = msgspec.structs.replace(standing, record=counted)
    if failures >= service.give_up_after:
        reason = because if failures == 1 else f"gave up after {failures} faults in a row, the last: {because}"
        return _enter(standing, ServiceState.FATAL, reason, now)
    return _wait(standing, because, pause(service, failures, random), now)


def refused(service: Service, standing: Standing, because: str, now: Moment, random: Random) -> Standing:
    """Return *backoff* after a start that could not even be tried: no fault, looked at again for as long as it takes.

    The looks come at the pace of the back-off, never more than 10 s apart: whoever is in the way may go at any time.
    """
    looks = standing.refusals + 1
    before = standing.record
    waiting = _wait(standing, because, min(_LONGEST_REFUSAL, pause(service, looks, random)), now)
    record = waiting.record
    if (before.state, before.reason) == (record.state, record.reason):
        record = msgspec.structs.replace(record, since=before.since)
    return msgspec.structs.replace(waiting, record=record, refusals=looks)


def pause(service: Service, failures: int, random: Random) -> float:
    """Return the seconds before the next start: half to all of a step that doubles with each fault, up to a cap."""
    step = min(service.backoff_max, service.backoff * 2.0 ** min(failures - 1, _LARGEST_EXPONENT))
    return step * (0.5 + 0.5 * random())


def told_to_start(standing: Standing, now: Moment, because: str = "") -> Standing:
    """Return the standing after an operator's start: faults are forgiven, a living service stays as it is."""
    standing = _without_faults(standing, wanted=True)
    if standing.state is ServiceState.STOPPING:
        again = standing.after if standing.after in (After.START, After.FAULT) else After.START
        return msgspec.structs.replace(standing, after=again, because=because or standing.because)
    return standing if standing.state in ALIVE else _wait(standing, because, 0.0, now)


def told_to_stop(service: Service, standing: Standing, because: str, now: Moment) -> Standing:
    """Return the standing after an operator's stop."""
    record = msgspec.structs.replace(standing.record, wanted=False)
    standing = msgspec.structs.replace(standing, record=record)
    if standing.state in ALIVE:
        return ending(service, standing, After.STOP, because, now)
    return _enter(standing, ServiceState.STOPPED, because, now)


def told_to_restart(service: Service, standing: Standing, because: str, now: Moment) -> Standing:
    """Return the standing after an operator's restart, or after a change of the configuration."""
    if standing.state in ALIVE:
        return ending(service, _without_faults(standing, wanted=True), After.START, because, now)
    return told_to_start(standing, now, because)


def removed(service: Service, standing: Standing, now: Moment) -> Standing:
    """Return the standing of a service that is no longer configured: ended if it lives, forgotten then."""
    because = "it is no longer configured"
    if standing.state in ALIVE:
        return ending(service, standing, After.FORGET, because, now)
    stopped = _enter(standing, ServiceState.STOPPED, because, now)
    return msgspec.structs.replace(stopped, after=After.FORGET)


def kept_stopped(standing: Standing) -> Standing:
    """Return the standing of a service that was removed and came back, and that its operator wants stopped."""
    return msgspec.structs.replace(standing, after=After.STOP)


def _since(standing: Standing, wall: float) -> Standing:
    return msgspec.structs.replace(standing, record=msgspec.structs.replace(standing.record, since=wall))


def _settled(service: Service, standing: Standing, now: Moment) -> Standing:
    """Forgive the faults of a service that has run long enough without one."""
    stable = standing.state is ServiceState.RUNNING and now.monotonic - standing.entered >= service.stable_after
    return _without_faults(standing) if stable and standing.record.failures else standing


def _without_faults(standing: Standing, *, wanted: bool | None = None) -> Standing:
    will = standing.record.wanted if wanted is None else wanted
    record = msgspec.structs.replace(standing.record, failures=0, wanted=will)
    return msgspec.structs.replace(standing, record=record, refusals=0)


def _wait(standing: Standing, reason: str, seconds: float, now: Moment) -> Standing:
    until = now.monotonic + seconds
    standing = msgspec.structs.replace(standing, after=After.STOP)
    return _enter(standing, ServiceState.BACKOFF, reason, now, until=until, next_start_at=now.wall + seconds)


def _enter(
    standing: Standing, state: ServiceState, reason: str, now: Moment, *, until: float | None = None, **changes: object
) -> Standing:
    if state is not ServiceState.BACKOFF:
        changes.setdefault("next_start_at", None)
    record = msgspec.structs.replace(standing.record, state=state, reason=reason, since=now.wall, **changes)
    return msgspec.structs.replace(standing, record=record, entered=now.monotonic, until=until, bad_probes=0)
