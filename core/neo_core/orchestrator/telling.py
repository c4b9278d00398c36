"""What a poll found, as lines of the log: each only when it is news."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_core.durations import format_duration
from neo_core.errors import NeoError, describe_os_error
from neo_core.ledger.models import Outcome, Run

if TYPE_CHECKING:
    from collections.abc import Callable

    from neo_core.orchestrator.log import ChangeLog
    from neo_core.orchestrator.planning import Due
    from neo_core.snapshot import CollisionView

_WELL = (Outcome.COMPLETED, Outcome.SKIPPED, Outcome.DEFERRED, Outcome.CANCELLED)


def attempt(changes: ChangeLog, what: str, work: Callable[[], None]) -> None:
    """Do ``work``; what fails for a reason of the world is said once and tried again at the next turn."""
    try:
        work()
    except NeoError as error:
        changes.tell("trouble", what, str(error), "ERROR", f"Trying again: {error}")
    except OSError as error:
        told = f"{error.filename or what}: {describe_os_error(error)}"
        changes.tell("trouble", what, told, "ERROR", f"Trying again: {told}")
    else:
        changes.over("trouble", what, f"The trouble with {what} is over")


def tell_prevented(changes: ChangeLog, prevented: list[Due], started: set[str]) -> None:
    """Say what is held up, once per task, blocker and reason, and when that is over."""
    for one in prevented:
        blocking = one.decision.blocking
        if blocking is not None:
            word = "Deferring" if blocking.outcome is Outcome.DEFERRED else "Skipping"
            state = f"{blocking.reason} {blocking.blocker}"
            changes.tell("defer", one.task.name, state, "INFO", f"{word} {one.task.name}; {blocking.sentence}")
    for name in started:
        changes.over("defer", name)
    changes.over_but("defer", {one.task.name for one in prevented}, lambda name: f"No longer deferring {name}")


def tell_paced(changes: ChangeLog, due: int, rest: int) -> None:
    """Say that light tasks start a few at a time, once until all of them did."""
    if rest:
        changes.tell("paced", "", "paced", "INFO", f"{due} light tasks are due: starting {due - rest} at a time")
    else:
        changes.over("paced", "")


def tell_starved(changes: ChangeLog, waiting: list[Due]) -> None:
    """Warn of each task that waits longer than it may, once until it starts."""
    starved = [one for one in waiting if one.starved]
    for one in starved:
        blocking = one.decision.blocking
        for_ = format_duration(one.facts.now - (one.known.waiting_since or one.facts.now))
        why = f": {blocking.sentence}" if blocking is not None else ""
        message = f"{one.task.name} is starved: it waits for {for_}, deferred {one.known.streak} times{why}"
        changes.tell("starved", one.task.name, "starved", "WARN", message)
    changes.over_but("starved", {one.task.name for one in starved}, lambda name: f"{name} is no longer starved")


def tell_collisions(changes: ChangeLog, found: tuple[CollisionView, ...]) -> None:
    """Warn of heavy work that lives beside other heavy work, once until it is another collision."""
    for one in found:
        changes.tell("collision", one.sentence, "", "WARN", f"Collision: {one.sentence}")
    changes.over_but("collision", {one.sentence for one in found}, lambda sentence: f"No longer: {sentence}")


def tell_ended(changes: ChangeLog, run: Run, say_level: str = "") -> None:
    """Say how a run that was seen alive has ended."""
    level = say_level or ("INFO" if run.outcome in _WELL else "WARN")
    why = f" ({run.reason})" if run.reason else ""
    changes.tell("ended", run.task, run.run_id, level, f"Run {run.run_id} of {run.task}: {run.outcome}{why}")
