"""The orchestrator as its lock file and its row in the ledger show it together: pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from neo_core.snapshot import OrchestratorState, OrchestratorView

if TYPE_CHECKING:
    from neo_core.incumbent import Incumbent
    from neo_core.ledger.models import OrchestratorRecord

_SILENT_AFTER = 15.0
_SILENT_POLLS = 5
_START = "neo-console orchestrator start"
_LOOK = "neo-console logs orchestrator"


def orchestrator_view(
    incumbent: Incumbent | None,
    record: OrchestratorRecord | None,
    *,
    alive: bool,
    poll_every: float,
    now: float,
) -> OrchestratorView:
    """Return the orchestrator in one word and a sentence.

    ``alive`` says whether the process of ``record``, its latest life, still lives; ``poll_every`` is in seconds.
    """
    if incumbent is not None and incumbent.alive:
        return _living(incumbent, record, poll_every=poll_every, now=now)
    if record is None:
        if incumbent is None:
            return OrchestratorView(
                state=OrchestratorState.STOPPED,
                sentence="no orchestrator has run here yet; nothing starts by itself",
                mend=_START,
            )
        return OrchestratorView(
            state=OrchestratorState.KILLED,
            sentence=f"is gone without a word (pid {incumbent.pid}); nothing starts by itself",
            mend=_START,
            pid=incumbent.pid,
            started_at=incumbent.since,
            beat_at=incumbent.beat_at,
        )
    beat_at = incumbent.beat_at if incumbent is not None and incumbent.pid == record.pid else None
    return msgspec.structs.replace(_past(record, alive=alive), beat_at=beat_at)


def _living(
    incumbent: Incumbent, record: OrchestratorRecord | None, *, poll_every: float, now: float
) -> OrchestratorView:
    """A record of an earlier life says nothing about this one."""
    same = record is not None and (record.pid, record.start_time) == (incumbent.pid, incumbent.start_time)
    quiet = now - incumbent.beat_at
    silent = quiet > max(_SILENT_AFTER, _SILENT_POLLS * poll_every)
    view = OrchestratorView(
        state=OrchestratorState.RUNNING,
        sentence="looks for due tasks and keeps the services",
        pid=incumbent.pid,
        started_at=incumbent.since,
        beat_at=incumbent.beat_at,
        config_error=record.config_error if record is not None and same else "",
    )
    if not silent:
        return view
    return msgspec.structs.replace(
        view,
        state=OrchestratorState.SILENT,
        sentence=f"lives (pid {incumbent.pid}), but has not polled for {quiet:.0f} s: nothing starts by itself",
        mend=f"{_LOOK}; then neo-console orchestrator stop, and start",
    )


def _past(record: OrchestratorRecord, *, alive: bool) -> OrchestratorView:
    view = OrchestratorView(
        state=OrchestratorState.STOPPED,
        sentence="was stopped; nothing starts by itself",
        mend=_START,
        pid=record.pid,
        started_at=record.started_at,
        ended_at=record.ended_at,
        ending=record.ending,
        config_error=record.config_error,
    )
    if record.ended_at is None and alive:
        state = OrchestratorState.SILENT
        sentence = f"lives (pid {record.pid}), but its lock file is gone, so another could start beside it"
        return msgspec.structs.replace(view, state=state, sentence=sentence, mend="neo-console orchestrator stop")
    if record.ended_at is None or record.ending == "killed":
        state = OrchestratorState.KILLED
        sentence = (
            f"is gone without a word (pid {record.pid}: killed, or the machine went down); nothing starts by itself"
        )
    elif record.ending.startswith("crash"):
        state = OrchestratorState.CRASHED
        sentence = f"crashed (pid {record.pid}); nothing starts by itself"
        return msgspec.structs.replace(view, state=state, sentence=sentence, mend=f"{_LOOK}; then {_START}")
    else:
        return view
    return msgspec.structs.replace(view, state=state, sentence=sentence)
