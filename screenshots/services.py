"""Services and orchestrators in every state a picture needs."""

from __future__ import annotations

import msgspec

from neo_core.ledger.models import ServiceEvent, ServiceState
from neo_core.snapshot import CollisionView, OrchestratorState, OrchestratorView, ServiceView
from screenshots.parts import NOW


def running_orchestrator() -> OrchestratorView:
    """Return an orchestrator as it should be."""
    return OrchestratorView(
        state=OrchestratorState.RUNNING,
        sentence="looks for due tasks and keeps the services",
        pid=4121,
        started_at=NOW - 188_400,
        beat_at=NOW - 2,
    )


def stopped_orchestrator() -> OrchestratorView:
    """Return an orchestrator that nobody started."""
    return OrchestratorView(
        state=OrchestratorState.STOPPED, sentence="no orchestrator has run here yet; nothing starts by itself"
    )


def killed_orchestrator() -> OrchestratorView:
    """Return an orchestrator that ended without a word."""
    return OrchestratorView(
        state=OrchestratorState.KILLED,
        sentence="was killed (pid 4121); its runs go on, nothing new starts by itself",
        pid=4121,
        started_at=NOW - 188_400,
        ended_at=NOW - 95,
    )


def service(name: str, state: ServiceState, sentence: str, **more: object) -> ServiceView:
    """Return one service."""
    told: dict[str, object] = {"title": "", "since": NOW - 7400, "wanted": True, "kept": True, **more}
    return ServiceView(name=name, state=state, sentence=sentence, **told)  # type: ignore[arg-type]


def healthy_services() -> tuple[ServiceView, ...]:
    """Return two that run and one that an operator stopped."""
    return (
        service(
            "chroma",
            ServiceState.RUNNING,
            "it answers",
            title="the vector database",
            command="chroma run --path .neo-ai-data/chroma/knowledge-base --port 8000",
            endpoint="http://localhost:8000/api/v2/heartbeat",
            pid=4140,
            start_time=41_400,
            started_at=NOW - 7402,
            probed_at=NOW - 4,
        ),
        service(
            "bridgeDaemon",
            ServiceState.RUNNING,
            "it is alive",
            title="the bridge between agents",
            command="node ai/scripts/bridge-daemon.mjs",
            pid=4152,
            start_time=41_520,
            started_at=NOW - 7402,
            restarts=2,
            adopted=True,
        ),
        service(
            "mlx",
            ServiceState.STOPPED,
            "stopped by ada; start it to have it again",
            title="the local model server",
            command="mlx_lm.server --port 11435",
            endpoint="localhost:11435",
            wanted=False,
            since=NOW - 640,
        ),
    )


def troubled_services() -> tuple[ServiceView, ...]:
    """Return one that waits before its next start, one that gave up, and one that does not answer."""
    chroma, bridge, mlx = healthy_services()
    return (
        msgspec.structs.replace(
            chroma,
            state=ServiceState.BACKOFF,
            since=NOW - 6,
            pid=None,
            start_time=None,
            started_at=None,
            restarts=4,
            failures=4,
            next_start_at=NOW + 10,
            last_exit="exit code 1 after 3s",
            sentence="it ended with exit code 1 after 3s; the next start is the fifth",
        ),
        msgspec.structs.replace(
            bridge,
            state=ServiceState.UNHEALTHY,
            since=NOW - 21,
            sentence="alive, but its probe failed twice: connection refused",
        ),
        msgspec.structs.replace(
            mlx,
            state=ServiceState.FATAL,
            wanted=True,
            restarts=10,
            failures=10,
            last_exit="signal KILL",
            sentence="gave up after 10 starts in a row; mend the cause and start it",
        ),
    )


def without_keeper(services: tuple[ServiceView, ...]) -> tuple[ServiceView, ...]:
    """Return the services as they are while no orchestrator looks after them."""
    return tuple(msgspec.structs.replace(one, kept=False) for one in services)


def collision() -> CollisionView:
    """Return two heavy trees that live at the same time."""
    return CollisionView(
        tasks=("dream", "kbSync"),
        runs=("9f31c07a55d2", ""),
        pids=(4211, 6120),
        sentence="two heavy jobs run at once: dream (pid 4211) and kbSync (pid 6120, not started by us)",
    )


def service_events() -> list[ServiceEvent]:
    """Return what happened to a service, newest first."""
    told = (
        (6, ServiceState.BACKOFF, "exit code 1 after 3s", None),
        (9, ServiceState.STARTING, "after 8s", 6011),
        (17, ServiceState.BACKOFF, "exit code 1 after 2s", None),
        (7400, ServiceState.RUNNING, "its probe passed", 4140),
    )
    return [
        ServiceEvent(at=NOW - ago, service="chroma", state=state, reason=why, pid=pid) for ago, state, why, pid in told
    ]
