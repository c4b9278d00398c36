"""List the memory incidents, replay one, write one to files; the collector's thread reads, for it may be much."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from neo_console.screens.incidents import IncidentsPage
from neo_console.screens.replay import ReplayPage
from neo_console.vocabulary import Tone

if TYPE_CHECKING:
    from pathlib import Path

    from neo_console.app import NeoConsole
    from neo_core.recorder.replay import Replay


def incidents(app: NeoConsole) -> None:
    """Open the list."""

    def chosen(number: int) -> None:
        replay(app, number, page)

    page = IncidentsPage(chosen, lambda number: export(app, number))
    app.push_screen(page)


def replay(app: NeoConsole, number: int, page: IncidentsPage) -> None:
    """Open the replay of an incident over the list, unless the operator went on meanwhile."""

    def told(result: object, why: str) -> None:
        if why:
            app.report(f"incident {number} cannot be replayed. {why}", Tone.FAIL)
        elif app.screen is page:
            app.push_screen(ReplayPage(cast("Replay", result), lambda: export(app, number)))

    app.consult(lambda engine: engine.replay(number), told)


def export(app: NeoConsole, number: int) -> None:
    """Write the incident into the state folder, and say where."""
    if app.read_only:
        said = f"this console is read-only: {app.read_only} — {app.write_again}"
        app.report(said, Tone.WAIT, still=lambda: bool(app.read_only))
        return

    def told(result: object, why: str) -> None:
        if why:
            app.report(f"incident {number} was not exported. {why}", Tone.FAIL)
            return
        page, data = cast("tuple[Path, Path]", result)
        app.report(f"incident {number} is exported to {page}, and as {data.name} beside it", Tone.OK)

    app.consult(lambda engine: engine.export_incident(number), told)
