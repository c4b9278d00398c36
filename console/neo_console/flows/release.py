"""Ending what an operator holds back, a pause or the deferral of everything heavy: one preview for both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.dialogs.confirm import Proposal
from neo_console.drawing import Fact
from neo_console.flows.due import due_now
from neo_console.format import ago, plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from neo_console.app import NeoConsole
    from neo_core.ledger.models import Control


def propose_release(
    app: NeoConsole,
    held: Control,
    current: Callable[[], Control | None],
    *,
    name: str,
    title: str,
    confirm: str,
    fact: str = "",
) -> Proposal:
    """Return the preview of ending ``held``; ``current`` is what holds at the moment of the act.

    ``name`` is the word for it, which is also its fact's unless ``fact`` is given.
    """
    now = app.now()
    who = plain(held.requested_by) or "an operator"
    return Proposal(
        title=title,
        facts=(
            Fact(fact or name, f"{ago(held.created_at, now)} by {who}: {held.because or 'no reason given'}"),
            Fact("effect", f"what is due may start again: {due_now(app.picture, now) or 'nothing is due now'}"),
        ),
        confirm=confirm,
        as_of=app.picture.schedule(now).at or now,
        changed=lambda: _changed(held, current(), name),
    )


def _changed(captured: Control, held: Control | None, name: str) -> str:
    """Return what is different since the keypress; empty when nothing is."""
    if held is None:
        return f"The {name} has ended meanwhile."
    return "" if held.control_id == captured.control_id else f"It is another {name} by now."
