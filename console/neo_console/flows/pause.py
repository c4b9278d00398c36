"""Pause every task, or end the pause: both say what they hold or set free before they do it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.dialogs.confirm import Confirm
from neo_console.dialogs.hold import Hold, PauseForm
from neo_console.flows.release import propose_release
from neo_console.format import moment
from neo_console.vocabulary import Tone
from neo_core.errors import NeoError

if TYPE_CHECKING:
    from neo_console.app import NeoConsole
    from neo_console.dialogs.confirm import Proposal
    from neo_core.ledger.models import Control


def pause(app: NeoConsole) -> None:
    """Ask why and for how long; a pause in force is ended instead."""
    held = app.picture.pause()
    if held is None:
        app.push_screen(PauseForm(), lambda hold: _pause(app, hold) if hold else None)
        return
    app.push_screen(Confirm(_proposal(app, held)), lambda yes: _unpause(app) if yes else None)


def _proposal(app: NeoConsole, held: Control) -> Proposal:
    return propose_release(app, held, app.picture.pause, name="pause", title="End the pause?", confirm="End the pause")


def _pause(app: NeoConsole, hold: Hold) -> None:
    try:
        control = app.engine().pause(hold.because, hold.seconds)
    except NeoError as error:
        app.report(f"nothing was paused. {error}", Tone.FAIL)
        return
    finally:
        app.nudge()
    until = f" until {moment(control.until, app.now())}" if control.until is not None else ""
    app.report(f"every task is paused{until}; {app.keymap.key('pause')} again ends it", Tone.OK)


def _unpause(app: NeoConsole) -> None:
    try:
        was = app.engine().unpause()
    except NeoError as error:
        app.report(f"the pause was not ended. {error}", Tone.FAIL)
        return
    finally:
        app.nudge()
    app.report("the pause is ended; what is due may start" if was else "nothing was paused any more", Tone.OK)
