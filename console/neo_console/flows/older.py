"""Load outcomes that are older than the shown ones; the collector's thread reads them, for it may be much."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from neo_console.format import plural
from neo_console.history import look_back, read_page
from neo_console.vocabulary import Tone

if TYPE_CHECKING:
    from neo_console.app import NeoConsole
    from neo_console.history import Page


def older(app: NeoConsole) -> None:
    """Load the next page, or look further back for what the filter of the outcomes asks."""
    panel, history = app.main.outcomes, app.picture.history
    mark, wanted = history.mark, panel.filter
    if mark is None or panel.loading:
        return
    if history.full and not wanted.terms:
        app.report("No more rows are kept here. A filter looks further back: / — or: neo-console history", Tone.WAIT)
        return
    panel.loading = True
    panel.show_again()
    if wanted.terms:
        now = app.now()
        app.consult(lambda engine: look_back(engine, mark, wanted, now), partial(_told, app))
    else:
        app.consult(lambda engine: read_page(engine, mark), partial(_told, app))


def _told(app: NeoConsole, result: object, why: str) -> None:
    panel = app.main.outcomes
    panel.loading = False
    if why:
        panel.show_again()
        app.report(f"older outcomes cannot be read. {why}", Tone.FAIL)
        return
    page = cast("Page", result)
    app.picture.history.add(page)
    panel.show_loaded()
    if page.runs:
        kind = "match" if page.sought else "older outcome"
        app.report(f"{plural(len(page.runs), kind, f'{kind}es' if page.sought else '')} read; down goes on", Tone.PLAIN)
    elif page.ended:
        app.report("nothing older is in the ledger", Tone.PLAIN)
