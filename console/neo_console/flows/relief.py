"""Relieve the memory: list what can be done, confirm one thing, do it away from the screen, report."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from neo_console.dialogs.confirm import Confirm, Proposal
from neo_console.dialogs.hold import DeferHeavyForm, Hold
from neo_console.drawing import Fact
from neo_console.flows.release import propose_release
from neo_console.format import moment
from neo_console.relieving import expected, title
from neo_console.screens.relief import ReliefPage
from neo_console.vocabulary import Tone, outcome_term
from neo_core.durations import format_duration
from neo_core.errors import NeoError
from neo_core.ledger.reliefs import ReliefKind

if TYPE_CHECKING:
    from neo_console.app import NeoConsole
    from neo_core.ledger.models import Control
    from neo_core.ledger.reliefs import Relief
    from neo_core.relief.options import Option

_BECAUSE = "asked for in the console"


def relief(app: NeoConsole) -> None:
    """Open the list of what can be done."""
    app.push_screen(ReliefPage(lambda option, as_of: choose(app, option, as_of)))


def choose(app: NeoConsole, option: Option, as_of: float) -> None:
    """Preview one option; ``as_of`` is when it was measured."""
    held = app.picture.heavy_deferral()
    if option.kind is ReliefKind.DEFER_HEAVY:
        if held is not None:
            app.push_screen(Confirm(_to_resume(app, held)), lambda yes: _resume(app) if yes else None)
        else:
            form = DeferHeavyForm(option.effect)
            app.push_screen(form, lambda hold: _defer(app, hold) if hold else None)
        return
    if option.blocked:
        app.report(f"{option.blocked} — {option.mend}", Tone.WAIT)
        return
    act = {ReliefKind.UNLOAD: _unload, ReliefKind.STRAY: _end_stray}.get(option.kind, _stop)
    app.push_screen(Confirm(_proposal(app, option, as_of)), lambda yes: act(app, option) if yes else None)


def _proposal(app: NeoConsole, option: Option, as_of: float) -> Proposal:
    named = title(option)
    return Proposal(
        title=f"{named[:1].upper()}{named[1:]}?",
        facts=(
            Fact("target", f"{option.label} {option.target}" if option.label != option.target else option.label),
            Fact("effect", option.effect),
            Fact(
                "frees", f"{expected(option)}: {option.basis}", Tone.UNKNOWN if option.expected is None else Tone.PLAIN
            ),
            Fact("then", "what it freed is measured and recorded"),
        ),
        confirm=f"{named[:1].upper()}{named[1:]}",
        as_of=as_of,
        changed=lambda: _changed(app, option),
    )


def _changed(app: NeoConsole, option: Option) -> str:
    """Return what is different since the keypress; empty when nothing is."""
    if option.kind is ReliefKind.STRAY:
        there = any(str(one.pid) == option.target for one in app.picture.known_strays())
        return "" if there else f"{option.label} (pid {option.target}) is no stray any more."
    try:
        if option.kind is ReliefKind.STOP:
            run = app.engine().run(option.target)
            ended = not run.live and not app.picture.orphaned_run(run_id=run.run_id)
            how = outcome_term(run.outcome).word
            return f"Run {run.run_id[:8]} of {run.task} has ended meanwhile ({how})." if ended else ""
        known = option.target in app.engine().config.unload
    except NeoError as error:
        return str(error)
    if option.target in app.unloading:
        return f"{option.target} is being asked already."
    return "" if known else f"{option.target} is no longer in neo-console.toml."


def _unload(app: NeoConsole, option: Option) -> None:
    """Ask in a thread of its own: the server may take its whole timeout."""
    name = option.target
    app.unloading.add(name)
    app.report(f"asking {name} to unload", Tone.RUN)

    def told(result: object, why: str) -> None:
        app.unloading.discard(name)
        _tell(app, result, why, f"{name} was not unloaded")

    app.aside(lambda engine: engine.relief.unload(name, _BECAUSE), told)


def _stop(app: NeoConsole, option: Option) -> None:
    app.consult(
        lambda engine: engine.relief.stop(option.target, _BECAUSE),
        lambda result, why: _tell(app, result, why, f"{option.label} was not stopped"),
    )


def _end_stray(app: NeoConsole, option: Option) -> None:
    """It may take its grace, so the collector's thread waits for it."""
    pid = int(option.target)
    start_time = next((started for member, started in option.members if member == pid), None)
    named = f"{option.label} (pid {pid})"
    app.report(f"{named} is asked to end", Tone.RUN)
    app.consult(
        lambda engine: engine.relief.end_stray(pid, start_time, _BECAUSE),
        lambda result, why: _tell(app, result, why, f"{named} is as it was"),
    )


def _tell(app: NeoConsole, result: object, why: str, otherwise: str) -> None:
    _show_anew(app)
    if why:
        app.report(f"{otherwise}. {why}", Tone.FAIL)
        return
    done = cast("Relief", result)
    app.report(f"{done.sentence}; {_expectation(app, done)}", Tone.RUN)


def _expectation(app: NeoConsole, done: Relief) -> str:
    try:
        settle = format_duration(app.engine().config.memory.relief_settle)
    except NeoError:
        settle = "a while"
    return f"should free {expected(done)}, which is measured in {settle}"


def _defer(app: NeoConsole, hold: Hold) -> None:
    def told(result: object, why: str) -> None:
        _show_anew(app)
        if why:
            app.report(f"nothing was deferred. {why}", Tone.FAIL)
            return
        until = moment(cast("Relief", result).asked_at + (hold.seconds or 0.0), app.now())
        app.report(f"everything heavy is deferred until {until}; {app.keymap.key('relief')} ends it", Tone.OK)

    app.consult(lambda engine: engine.relief.defer_heavy(hold.seconds or 0.0, hold.because), told)


def _to_resume(app: NeoConsole, held: Control) -> Proposal:
    return propose_release(
        app,
        held,
        app.picture.heavy_deferral,
        name="deferral",
        title="Let heavy tasks start again?",
        confirm="Let them start",
        fact="deferred",
    )


def _resume(app: NeoConsole) -> None:
    def told(result: object, why: str) -> None:
        _show_anew(app)
        if why:
            app.report(f"heavy tasks are still deferred. {why}", Tone.FAIL)
        else:
            app.report("heavy tasks may start again" if result else "nothing heavy was deferred any more", Tone.OK)

    app.consult(lambda engine: engine.relief.resume_heavy(), told)


def _show_anew(app: NeoConsole) -> None:
    """Let the list, if it is still in front, show what was just done."""
    if isinstance(app.screen, ReliefPage):
        app.screen.action_read()
