"""What each panel says in each of its states. Every panel has a sentence of its own for every state."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from neo_console.format import age
from neo_console.vocabulary import Seen, outcome_term, reason_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from neo_core.ledger.models import Run

SCHEDULE, PROCESSES, OUTCOMES, MEMORY, LOG = "schedule", "processes", "outcomes", "memory", "log"
INCIDENTS = "incidents"
RELIEF = "relief"
PANELS = (SCHEDULE, PROCESSES, OUTCOMES, MEMORY, LOG)


class Keys(NamedTuple):
    """The keys that sentences name."""

    trigger: str
    refresh: str
    schedule: str
    outcomes: str
    detail: str
    orchestrator: str = ""
    incidents: str = ""
    earlier: str = ""
    later: str = ""
    present: str = ""


def keys_of(key: Callable[[str], str]) -> Keys:
    """Return the keys of the actions that sentences name."""
    return Keys(
        trigger=key("trigger"),
        refresh=key("refresh"),
        schedule=key("panel-1"),
        outcomes=key("panel-3"),
        detail=key("detail"),
        orchestrator=key("orchestrator"),
        incidents=key("incidents"),
        earlier=key("earlier"),
        later=key("later"),
        present=key("present"),
    )


_SENTENCES: Mapping[str, Mapping[Seen, str]] = {
    SCHEDULE: {
        Seen.LOADING: "Reading the tasks of this workspace.",
        Seen.OK: "",
        Seen.EMPTY: "No task is known here. A [tasks.NAME] table in neo-console.toml adds one; {refresh} looks again.",
        Seen.STALE: "The schedule is {age} old. {error}",
        Seen.UNREADABLE: "The schedule cannot be read, so nothing is known about any task. {error}",
        Seen.MALFORMED: "What the schedule is computed from is damaged. {error}",
        Seen.UNKNOWN: "Nobody can say what is scheduled here; that is not the same as nothing. {refresh} asks again.",
    },
    PROCESSES: {
        Seen.LOADING: "Looking for the processes of runs.",
        Seen.OK: "",
        Seen.EMPTY: "Nothing runs now. {schedule} goes to the tasks, {trigger} starts one: its processes appear here.",
        Seen.STALE: "These processes were seen {age} ago; some may be gone. {error}",
        Seen.UNREADABLE: "The machine's processes cannot be read. {error}",
        Seen.MALFORMED: "The machine's process table makes no sense. {error}",
        Seen.UNKNOWN: "Whether anything runs is unknown. {refresh} looks again.",
    },
    OUTCOMES: {
        Seen.LOADING: "Opening the ledger.",
        Seen.OK: "",
        Seen.EMPTY: "Nothing has run yet. Every start, also a prevented one, becomes a row: {trigger} starts a task.",
        Seen.STALE: "These outcomes were read {age} ago. {error}",
        Seen.UNREADABLE: "The ledger cannot be read, so no outcome is known. {error}",
        Seen.MALFORMED: "The ledger is damaged; nothing in it was changed. {error}",
        Seen.UNKNOWN: "Whether anything ran is unknown. {refresh} asks the ledger again.",
    },
    MEMORY: {
        Seen.LOADING: "Reading how the memory went.",
        Seen.OK: "",
        Seen.EMPTY: "No sample of the memory yet. The orchestrator records one every few seconds ({orchestrator} starts"
        " it); while none runs, this console does, where it may write.",
        Seen.STALE: "The memory's record was read {age} ago. {error}",
        Seen.UNREADABLE: "The memory's record cannot be read. {error}",
        Seen.MALFORMED: "The memory's record is damaged; nothing in it was changed. {error}",
        Seen.UNKNOWN: "How the memory went is unknown; that is not the same as calm. {refresh} asks again.",
    },
    INCIDENTS: {
        Seen.LOADING: "Reading the incidents.",
        Seen.OK: "",
        Seen.EMPTY: "No memory incident yet. One is recorded while memory is short or pressed; {refresh} looks again.",
        Seen.STALE: "These incidents were read {age} ago. {error}",
        Seen.UNREADABLE: "The incidents cannot be read. {error}",
        Seen.MALFORMED: "The record of the incidents is damaged; nothing in it was changed. {error}",
        Seen.UNKNOWN: "Whether there was an incident is unknown. {refresh} asks again.",
    },
    RELIEF: {
        Seen.LOADING: "Measuring what has the memory.",
        Seen.OK: "",
        Seen.EMPTY: "Nothing can be done from here.",
        Seen.STALE: "This was measured {age} ago. {error}",
        Seen.UNREADABLE: "What can be done is not known. {error}",
        Seen.MALFORMED: "What this is read from is damaged; nothing in it was changed. {error}",
        Seen.UNKNOWN: "What can be done is not known. {refresh} asks again.",
    },
    LOG: {
        Seen.LOADING: "Opening the log.",
        Seen.OK: "",
        Seen.EMPTY: "No log belongs to the selection. {outcomes} goes to the runs, {trigger} starts a task.",
        Seen.STALE: "This log was read {age} ago. {error}",
        Seen.UNREADABLE: "The log cannot be read. {error}",
        Seen.MALFORMED: "The log is not text: it has null bytes, shown as \N{REPLACEMENT CHARACTER}. {error}",
        Seen.UNKNOWN: "No log was written yet, or it was removed. What is known of the selection: {detail}.",
    },
}


def sentence(panel: str, seen: Seen, keys: Keys, *, age: str = "", error: str = "") -> str:
    """Return what ``panel`` says when it is ``seen`` so; empty when there is nothing to say."""
    return _SENTENCES[panel][seen].format(**keys._asdict(), age=age, error=error).strip()


def silence(run: Run | None, now: float) -> str:
    """Return what a log says in which nothing was written yet; ``run`` is whose it is, if a run's."""
    if run is None or (run.live and run.started_at is None):
        return "No output yet."
    if run.live:
        return f"No output yet (running for {age(now - (run.started_at or now))})."
    return f"It wrote nothing ({outcome_term(run.outcome).word})."


def absence(run: Run | None) -> str:
    """Return why there is no log of what has not started; empty otherwise. ``run`` is whose it would be, if a run's."""
    if run is None or run.started_at is not None:
        return ""
    if run.live:
        return "No log yet: it is starting."
    told = run.reason or reason_text(run.reason_code)
    return f"It never started: no log{f' ({told})' if told else ''}."


def nothing_matches(filter_text: str, of: str) -> str:
    """Return what a table says whose filter hides every row, so many ``of`` a kind."""
    return f"None of {of} matches “{filter_text}”. esc clears the filter."
