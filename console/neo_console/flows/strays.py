"""End a stray: the tree that was selected at the keypress and no other, checked again at the moment of the act."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.dialogs.confirm import Confirm, Proposal
from neo_console.drawing import Fact
from neo_console.format import NOTHING, age, plain, plural
from neo_console.rows.strays import stray_memory
from neo_console.vocabulary import Tone, term
from neo_core.snapshot_strays import StrayStop

if TYPE_CHECKING:
    from neo_console.app import NeoConsole
    from neo_core.snapshot_strays import StrayView

_BECAUSE = "asked for in the console"
_OURS = "its processes are asked to end and have their grace; what is left then is killed"
_FOREIGN = "it is not ours: nobody but you says that it may end. It is asked, and killed after five seconds"


def stop_stray(app: NeoConsole, stray: StrayView) -> None:
    """Confirm ending the stray; of one that is not ours the name must be typed."""
    app.push_screen(Confirm(_proposal(app, stray)), lambda yes: _command(app, stray) if yes else None)


def _proposal(app: NeoConsole, stray: StrayView) -> Proposal:
    shown, now = term(stray.kind), app.now()
    old = age(stray.age) if stray.age is not None else NOTHING
    tree = f"{plural(len(stray.members), 'process', 'processes')}, {stray_memory(stray)}"
    facts = [
        Fact("target", f"{stray.label}, {old} old: {tree}"),
        Fact("command", stray.command),
        Fact("kind", str(shown), shown.tone),
        Fact("why", f"it {stray.sentence}"),
        Fact("blocks", stray.blocks),
        Fact("effect", _FOREIGN if stray.foreign else _OURS),
    ]
    return Proposal(
        title=f"Stop {plain(stray.label)}?",
        facts=tuple(fact for fact in facts if fact.value),
        confirm=f"Stop {plain(stray.name)}",
        as_of=app.picture.strays(now).at or now,
        changed=lambda: _changed(app, stray),
        typed=plain(stray.name) if stray.foreign else "",
        undone="nothing was stopped",
    )


def _changed(app: NeoConsole, captured: StrayView) -> str:
    """Return what is different since the keypress; empty when nothing is."""
    found = app.picture.stray(captured.pid, captured.start_time)
    if found is None:
        return f"{captured.label} is no stray any more."
    return "" if found.kind is captured.kind else f"{captured.label} is another kind of stray by now."


def _command(app: NeoConsole, stray: StrayView) -> None:
    """It may take its grace, so the collector's thread waits for it."""
    app.report(f"{stray.label} is asked to end", Tone.RUN)
    app.consult(
        lambda engine: engine.stop_stray(stray.pid, stray.start_time, foreign=stray.foreign, because=_BECAUSE),
        lambda result, why: _told(app, stray, result, why),
    )


def _told(app: NeoConsole, stray: StrayView, result: object, why: str) -> None:
    if not isinstance(result, StrayStop):
        app.report(f"{stray.label} is as it was. {why}", Tone.FAIL)
        return
    shown = term(result.end)
    app.report(f"{shown.badge} {result.sentence}; neo-console strays history keeps who asked for it", shown.tone)
