"""Services for the snapshot: what their keeper wrote down, corrected by what can be seen, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_core.durations import format_duration
from neo_core.ledger.models import ServiceRecord, ServiceState
from neo_core.processes.source import is_alive
from neo_core.services.catalogue import Service, unconfigured
from neo_core.services.row import PROBED_EVERY
from neo_core.snapshot import ServiceView

if TYPE_CHECKING:
    from neo_core.processes.source import ProcessSource

_SHOULD_LIVE = (ServiceState.STARTING, ServiceState.RUNNING, ServiceState.UNHEALTHY)
_PROBES = 3  # that may be on their way before an answer is late
_UNKEPT = "nobody looks after it: the orchestrator is not running"


def service_views(
    services: dict[str, Service],
    records: dict[str, ServiceRecord],
    *,
    kept: bool,
    source: ProcessSource,
    now: float,
) -> tuple[ServiceView, ...]:
    """Return every configured service, then those that are on their way out.

    ``kept`` is whether an orchestrator lives; ``now`` is in seconds since the epoch.
    """
    views = [_view(service, records.get(name), kept=kept, source=source, now=now) for name, service in services.items()]
    for name, record in records.items():
        if name not in services:
            views.append(_view(unconfigured(name), record, kept=kept, source=source, now=now))
    return tuple(views)


def _view(
    service: Service, record: ServiceRecord | None, *, kept: bool, source: ProcessSource, now: float
) -> ServiceView:
    known = record or ServiceRecord(name=service.name, state=ServiceState.STOPPED, since=now)
    state, sentence = _truth(service, record, kept=kept, source=source, now=now)
    process = known.process if state is known.state else None
    return ServiceView(
        name=service.name,
        title=service.title,
        state=state,
        since=known.since if record else None,
        wanted=known.wanted,
        kept=kept,
        sentence=sentence,
        command=" ".join(service.command),
        endpoint=f"{service.host}:{service.port}" if service.port is not None else "",
        pid=process.pid if process else None,
        start_time=process.start_time if process else None,
        started_at=known.started_at,
        restarts=known.restarts,
        failures=known.failures,
        next_start_at=known.next_start_at if kept else None,
        last_exit=known.last_exit,
        probed_at=known.probed_at,
        answer_lasts=PROBED_EVERY + _PROBES * service.probe_every,
        adopted=known.adopted,
    )


def _truth(
    service: Service, record: ServiceRecord | None, *, kept: bool, source: ProcessSource, now: float
) -> tuple[ServiceState, str]:
    """Return the state that can be seen, and what it means."""
    if record is None:
        return ServiceState.STOPPED, "starts in a moment" if kept else f"was never started; {_UNKEPT}"
    lives = record.process is not None and is_alive(record.process, source)
    if record.state in _SHOULD_LIVE and record.process is not None and not lives:
        gone = f"its process (pid {record.pid}) is gone"
        state = ServiceState.BACKOFF if kept else ServiceState.STOPPED
        return state, f"{gone}; the orchestrator is about to notice" if kept else f"{gone}; {_UNKEPT}"
    sentence = _sentence(service, record, now) if kept else _unkept_sentence(record, lives=lives)
    return record.state, sentence


def _unkept_sentence(record: ServiceRecord, *, lives: bool) -> str:
    if lives:
        return f"was {record.state} when it was seen last, and its process is alive; {_UNKEPT}"
    told = record.reason or str(record.state)
    ends = record.state in (ServiceState.STOPPED, ServiceState.FATAL)
    return f"{told}; {_UNKEPT}" if ends else f"was {record.state} ({told}) when it was seen last; {_UNKEPT}"


def _sentence(service: Service, record: ServiceRecord, now: float) -> str:
    if record.state is ServiceState.STARTING:
        return _starting(service, record)
    if record.state is ServiceState.RUNNING:
        return _running(service, record)
    if record.state is ServiceState.BACKOFF:
        return _backoff(service, record, now)
    if record.state is ServiceState.STOPPING:
        grace = format_duration(max(0.0, record.since + service.stop_grace - now))
        return f"ending its processes ({record.reason}); what is left in {grace} is killed"
    return f"{record.reason or record.state}; {_NEXT[record.state]}"


_NEXT = {
    ServiceState.UNHEALTHY: "it is about to be restarted",
    ServiceState.STOPPED: "start it to have it again",
    ServiceState.FATAL: "mend that, then start it",
}


def _starting(service: Service, record: ServiceRecord) -> str:
    waits = "waiting for its first good answer" if service.probe != "none" else "waiting to see it live"
    return f"{record.reason}; {waits}" if record.reason else waits


def _running(service: Service, record: ServiceRecord) -> str:
    well = "alive (it has no probe)" if service.probe == "none" else "answers its probe"
    faults = f"; {record.failures} of {service.give_up_after} faults in a row before" if record.failures else ""
    return f"{well}{faults}"


def _backoff(service: Service, record: ServiceRecord, now: float) -> str:
    left = max(0.0, (record.next_start_at or now) - now)
    when = f"in {format_duration(left)}" if left >= 0.05 else "in a moment"
    if record.failures:
        told = f"{record.failures} of {service.give_up_after} faults: {record.reason}"
        return f"restarts {when} ({told})"
    return f"starts {when} ({record.reason})" if record.reason else f"starts {when}"
