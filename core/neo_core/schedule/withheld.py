"""What a mistake in the configuration's file does to a decision: nothing starts by hand until it is mended. Pure."""

from __future__ import annotations

import msgspec

from neo_core.ledger.models import Outcome, Trigger
from neo_core.schedule.decision import Decision, Gate, GateResult, Reason, Verdict


def withheld(decision: Decision, mistake: str) -> Decision:
    """Return the decision as it is while the file has a ``mistake``; an empty one changes nothing.

    The schedule is not held back: its orchestrator goes on with what it took over last.
    """
    if not mistake or decision.trigger is not Trigger.MANUAL:
        return decision
    if any(one.reason == Reason.NOT_CONFIGURED for one in decision.results):
        return decision
    results = (_mistaken(one, mistake) if one.gate is Gate.CONFIGURED else one for one in decision.results)
    return msgspec.structs.replace(decision, results=tuple(results))


def withheld_at_last(decision: Decision, mistake: str) -> Decision:
    """Return the same where nothing else is in the way; what else is holds the schedule back too, and is told first."""
    return withheld(decision, mistake) if decision.may_start else decision


def _mistaken(configured: GateResult, mistake: str) -> GateResult:
    return GateResult(
        gate=Gate.CONFIGURED,
        verdict=Verdict.BLOCK,
        reason=str(Reason.CONFIGURATION),
        outcome=Outcome.SKIPPED,
        sentence="neo-console.toml has a mistake, and nothing is started by hand until it is mended",
        value=configured.value,
        limit="a file without mistakes",
        clears_when=f"it is mended: {mistake}",
    )
