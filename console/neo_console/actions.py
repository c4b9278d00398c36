"""Every action of the console, once: bindings, footer, command palette, help and the README's table all read this."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from neo_console.availability import (
    Predicate,
    always,
    keeper_runs,
    may_ask_why,
    may_change_orchestrator,
    may_defer,
    may_kill,
    may_look_closer,
    may_read_log,
    may_stop,
    may_trigger,
    selected,
    snoozed,
    start_word,
    writable,
)

if TYPE_CHECKING:
    from neo_console.context import Blocked, Context

ACT, LOOK, MOVE, CONSOLE = "Act", "Look", "Move", "Console"
GROUPS = (ACT, LOOK, MOVE, CONSOLE)


class Action(msgspec.Struct, frozen=True):
    """One action. ``footer`` is its rank there, 0 for not shown; ``enabled`` says why it cannot act, if so.

    ``also`` are other words that it is looked for by.
    """

    id: str
    keys: tuple[str, ...]
    label: str
    tooltip: str
    group: str
    needs_write: bool = False
    enabled: Predicate = always
    footer: int = 0
    also: tuple[str, ...] = ()

    def blocked(self, context: Context) -> Blocked | None:
        """Return why it cannot act now and the way out, ``None`` when it can."""
        if self.needs_write and (read_only := writable(context)):
            return read_only
        return self.enabled(context)

    def label_in(self, context: Context) -> str:
        """Return its label for what is selected: what is deferred is resumed, a service is started or restarted."""
        match self.id:
            case "defer" if snoozed(context.task):
                return "resume"
            case "trigger" if context.service is not None:
                return start_word(context)
            case "pause" if context.picture.pause() is not None:
                return "unpause"
            case "orchestrator":
                return "stop orchestrator" if keeper_runs(context) else "start orchestrator"
            case _:
                return self.label


ACTIONS: tuple[Action, ...] = (
    Action(
        "trigger",
        ("t",),
        "trigger",
        "start the selected task or service: preview, confirm",
        ACT,
        True,
        may_trigger,
        1,
        ("start", "run", "launch", "restart"),
    ),
    Action(
        "defer",
        ("d",),
        "defer",
        "defer it for a while and say why; again to resume",
        ACT,
        True,
        may_defer,
        2,
        ("snooze", "postpone", "delay", "resume"),
    ),
    Action(
        "stop",
        ("x",),
        "stop",
        "stop the selected run or service softly",
        ACT,
        True,
        may_stop,
        4,
        ("end", "cancel", "terminate", "kill"),
    ),
    Action(
        "force-stop",
        ("X",),
        "force stop",
        "stop a run by force; asks for the task's name",
        ACT,
        True,
        may_kill,
        also=("kill", "end", "sigkill"),
    ),
    Action(
        "pause",
        ("P",),
        "pause",
        "pause every task: why and for how long; again to end it",
        ACT,
        True,
        also=("hold", "halt", "resume", "continue"),
    ),
    Action(
        "relief",
        ("m",),
        "relieve memory",
        "what can be done about the memory now, and what it should free",
        ACT,
        True,
        also=("free", "unload", "swap"),
    ),
    Action(
        "orchestrator",
        ("o",),
        "orchestrator",
        "start or stop the orchestrator: preview, then confirm",
        ACT,
        True,
        may_change_orchestrator,
        also=("daemon", "scheduler"),
    ),
    Action(
        "why",
        ("w",),
        "why",
        "every gate and its verdict; of an outcome, as then",
        LOOK,
        False,
        may_ask_why,
        3,
        ("explain", "gates", "reason"),
    ),
    Action(
        "log",
        ("l",),
        "log",
        "the log of the selected run or service, following",
        LOOK,
        False,
        may_read_log,
        5,
        ("logs", "output", "tail"),
    ),
    Action(
        "orchestrator-log",
        ("L",),
        "log of the orchestrator",
        "the log of the orchestrator, following",
        LOOK,
        also=("daemon log", "orchestrator log"),
    ),
    Action("health", ("h",), "health", "why the whole is not healthy: every cause, and what mends it", LOOK),
    Action("incidents", ("i",), "incidents", "the memory incidents: enter replays one, e exports it to files", LOOK),
    Action(
        "detail",
        ("enter",),
        "detail",
        "everything known about the selection",
        LOOK,
        False,
        may_look_closer,
        also=("info", "show", "inspect"),
    ),
    Action(
        "filter",
        ("/",),
        "filter",
        "filter the table: text, status:deferred, -task:backup",
        LOOK,
        footer=6,
        also=("find", "search"),
    ),
    Action("sort", ("s",), "sort", "sort the table by its next column; after the last, its own order", LOOK),
    Action("sort-reverse", ("S",), "reverse the sort", "turn the order of the table round", LOOK),
    Action("zoom", ("z",), "zoom", "give the panel the whole screen; again, or esc, shows all", LOOK),
    Action("next-match", ("n",), "next match", "in a log, which the filter key searches: to the next match", LOOK),
    Action("previous-match", ("N",), "previous match", "in a log: to the previous match", LOOK),
    Action(
        "copy",
        ("y",),
        "copy",
        "copy a name, run id, pid, reason, command, or the lease as JSON; of a log its lines",
        LOOK,
        False,
        selected,
    ),
    Action("panel-1", ("1",), "schedule", "go to the schedule", MOVE),
    Action("panel-2", ("2",), "processes", "go to the processes", MOVE),
    Action("panel-3", ("3",), "outcomes", "go to the outcomes", MOVE),
    Action("panel-4", ("4",), "memory", "go to the memory", MOVE),
    Action("panel-5", ("5",), "log panel", "go to the log of the selection", MOVE),
    Action("next-panel", ("tab",), "next panel", "go to the next panel", MOVE),
    Action("previous-panel", ("shift+tab",), "previous panel", "go to the previous panel", MOVE),
    Action("down", ("j",), "down", "one row down", MOVE),
    Action("up", ("k",), "up", "one row up", MOVE),
    Action("top", ("g",), "top", "to the first row", MOVE),
    Action("bottom", ("G",), "bottom", "to the last row", MOVE),
    Action("earlier", ("[",), "earlier", "memory: a sample back in time, also left", MOVE),
    Action("later", ("]",), "later", "memory: a sample on, at last to now", MOVE),
    Action("much-earlier", ("{",), "much earlier", "memory: a minute back, also shift+left", MOVE),
    Action("much-later", ("}",), "much later", "memory: a minute on, also shift+right", MOVE),
    Action("go-to-time", ("@",), "memory at a time", "memory: at a time you type, like 14:03 or 5m ago", MOVE),
    Action("present", ("0",), "to now", "memory: back to now, also esc", MOVE),
    Action("refresh", ("r",), "refresh", "collect a new picture now", CONSOLE),
    Action("freeze", ("p",), "freeze", "freeze the tables, or let them go on", CONSOLE),
    Action("palette", (":", "ctrl+p"), "palette", "every action, by name", CONSOLE),
    Action("help", ("?",), "help", "all keys, and what this console itself uses", CONSOLE, footer=7, also=("keys",)),
    Action(
        "suspend",
        ("ctrl+z",),
        "suspend",
        "go back to the shell and leave the console stopped; fg brings it back",
        CONSOLE,
        also=("shell", "background"),
    ),
    Action("quit", ("q",), "quit", "quit the console; work goes on", CONSOLE, footer=8, also=("exit", "leave")),
)
BY_ID: dict[str, Action] = {action.id: action for action in ACTIONS}
