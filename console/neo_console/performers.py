"""What each action of the registry does: one entry per action id."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from neo_console.cursor import FAR
from neo_console.flows import look, past
from neo_console.flows.copy import copy
from neo_console.flows.defer import defer
from neo_console.flows.incidents import incidents
from neo_console.flows.orchestrator import orchestrator
from neo_console.flows.pause import pause
from neo_console.flows.relief import relief
from neo_console.flows.stop import stop
from neo_console.flows.suspend import suspend
from neo_console.flows.trigger import trigger
from neo_console.panels.sentences import PANELS
from neo_console.screens.health import HealthPage
from neo_console.screens.help import Help

if TYPE_CHECKING:
    from neo_console.app import NeoConsole

Performer = Callable[["NeoConsole"], object]

PERFORMERS: Mapping[str, Performer] = {
    "trigger": trigger,
    "defer": defer,
    "stop": partial(stop, force=False),
    "force-stop": partial(stop, force=True),
    "pause": pause,
    "relief": relief,
    "orchestrator": orchestrator,
    "why": look.why,
    "log": look.log,
    "orchestrator-log": look.orchestrator_log,
    "health": lambda app: app.push_screen(HealthPage()),
    "incidents": incidents,
    "detail": look.detail,
    "copy": copy,
    "next-match": partial(look.next_match, by=1),
    "previous-match": partial(look.next_match, by=-1),
    "filter": lambda app: app.main.ask_filter(),
    **{
        f"panel-{number}": partial(lambda app, name: app.main.go(name), name=name)
        for number, name in enumerate(PANELS, 1)
    },
    "next-panel": lambda app: app.main.go_by(1),
    "previous-panel": lambda app: app.main.go_by(-1),
    "down": lambda app: app.main.current.body.move_by(1),
    "up": lambda app: app.main.current.body.move_by(-1),
    "top": partial(past.to_end, last=False),
    "bottom": partial(past.to_end, last=True),
    "earlier": partial(past.move, by=-1),
    "later": partial(past.move, by=1),
    "much-earlier": partial(past.move, by=-FAR),
    "much-later": partial(past.move, by=FAR),
    "go-to-time": past.ask,
    "present": past.present,
    "refresh": lambda app: app.look_again(),
    "sort": lambda app: app.main.sort(reverse=False),
    "sort-reverse": lambda app: app.main.sort(reverse=True),
    "zoom": lambda app: app.main.toggle_zoom(),
    "freeze": lambda app: app.main.toggle_freeze(),
    "palette": lambda app: app.open_palette(),
    "help": lambda app: app.push_screen(Help()),
    "suspend": suspend,
    "quit": lambda app: app.exit(0),
}
