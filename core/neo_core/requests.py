"""A start as it is asked for: who asks, under which id, and how the ledger says that it was prevented."""

from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING

import msgspec

from neo_core.errors import NoSuchRunError, UsageError
from neo_core.ledger.models import Outcome, Run
from neo_core.runs.spawn import RUN_ID

if TYPE_CHECKING:
    from neo_core.ledger.store import Ledger
    from neo_core.profiles import Task
    from neo_core.schedule.decision import Decision


def request(task: Task, decision: Decision, now: float) -> Run:
    """Return the row of a start of ``task``, asked for at ``now``; our own run, if any, is its parent."""
    return Run(
        run_id=os.urandom(6).hex(),
        task=task.name,
        heavy=task.heavy,
        trigger=decision.trigger,
        requested_at=now,
        last_at=now,
        parent_run_id=os.environ.get(RUN_ID, ""),
        requested_by=user_name(),
        command=" ".join(task.command),
        decision=msgspec.json.encode(decision).decode(),
    )


def prevented(run: Run, decision: Decision) -> Run:
    """Return the row of a start that ``decision`` prevented, with the first blocking gate's words."""
    blocking = decision.blocking
    if blocking is None:
        return run
    return msgspec.structs.replace(
        run,
        ended_at=run.requested_at,
        outcome=blocking.outcome or Outcome.DEFERRED,
        reason_code=blocking.reason,
        reason=blocking.sentence,
        blocker=blocking.blocker,
        blocker_pid=blocking.blocker_pid,
    )


def find_run(ledger: Ledger, prefix: str) -> Run:
    """Return one run by its id or an unambiguous beginning of it; raises ``UsageError``."""
    found = ledger.runs.find(prefix) if prefix else []
    exact = [run for run in found if run.run_id == prefix]
    if len(exact or found) == 1:
        return (exact or found)[0]
    if not found:
        raise NoSuchRunError(f"run {prefix!r}", "is not in the ledger", "List runs with: neo-console history.")
    raise UsageError(f"run {prefix!r}", "is the beginning of several runs", "Give more of the run's id.")


def user_name() -> str:
    """Return the login name of our effective user, or its number."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"uid {os.geteuid()}"
