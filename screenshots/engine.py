"""An engine over a fixed snapshot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from neo_core.config import Config
from neo_core.errors import UsageError
from neo_core.ledger.models import Control, ControlKind, Run, ServiceEvent
from neo_core.logs import LogChunk
from neo_core.recorder.past import Past, Then
from neo_core.schedule.decision import Decision
from neo_core.snapshot_strays import StrayEnd, StrayStop
from neo_core.starting import Attempt
from screenshots.courses import STEP, course_of, replay_of_last
from screenshots.fixtures import snapshot
from screenshots.parts import NOW
from screenshots.relief import SERVERS, FixedReliever
from screenshots.services import service_events

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neo_core.ledger.memory import Incident, Sample
    from neo_core.recorder.course import Course
    from neo_core.recorder.replay import Replay
    from neo_core.snapshot import Snapshot

LOG = """\
[2025-11-21T13:51:10.113Z] [PID:4218] [INFO] dream: 41 summarised sessions since the last graph
[2025-11-21T13:51:12.870Z] [PID:4218] [INFO] loading the model, 4.1 GiB
[2025-11-21T13:52:40.002Z] [PID:4218] [INFO] session 1 of 41: 12 entities, 31 relations
[2025-11-21T13:54:02.655Z] [PID:4218] [INFO] session 2 of 41: 9 entities, 17 relations
[2025-11-21T13:57:31.420Z] [PID:4218] [INFO] session 3 of 41: 22 entities, 64 relations
[2025-11-21T14:01:18.931Z] [PID:4218] [WARN] session 4 of 41: 118 entities, the graph grows fast
"""


BACKUP_LOG = """\
copied .neo-ai-data/memory.sqlite3 (212.4 MiB, 48211 rows)
copied .neo-ai-data/graph.sqlite3 (96.0 MiB, 17940 rows)
copied .neo-ai-data/kb-index.sqlite3 (31.2 MiB, 2410 rows)
{"outcome":"completed","deferred":false,"summary":"3 databases and 0 files, 339.6 MiB, verified; 1 old removed"}
"""

KB_LOG = """\
1204 files to look at in /home/ada/agents
{"outcome":"completed","deferred":false,"summary":"1204 files indexed: 3 added, 11 updated, 1 removed, 1190 unchanged"}
"""

SERVICE_LOG = """\
listening on localhost:8000
{"level":"warn","message":"the collection is large: 48211 rows","time":"2025-11-21T14:01:20Z"}
"""

ORCHESTRATOR_LOG = """\
[2025-11-21T13:51:09.998Z] [PID:4121] [INFO] dream is running: manual, run 9f31c07a55d2
[2025-11-21T13:51:18.004Z] [PID:4121] [INFO] backup is due and waits: lease held by dream (pid 4211)
[2025-11-21T14:01:11.310Z] [PID:4121] [INFO] kbSync is due and waits: lease held by dream (pid 4211)
"""

LOGS = {"backup": BACKUP_LOG, "kbSync": KB_LOG}


def past_of(samples: Sequence[Sample], begin: float, end: float, *, near: float) -> Past:
    """Return what a record of ``samples``, oldest first, answers about ``begin`` to ``end``; ``near`` in seconds."""
    times = [one.reading.at for one in samples]
    return Past(
        begin=begin,
        end=end,
        near=near,
        samples=tuple(one for one in samples if begin <= one.reading.at <= end),
        before=max((at for at in times if at < begin), default=None),
        after=min((at for at in times if at > end), default=None),
        oldest=times[0] if times else None,
        newest=times[-1] if times else None,
    )


class FixedEngine:
    """An engine that always sees the same, writes nothing, and remembers what it was asked to do."""

    def __init__(self, picture: Snapshot | None = None, *, log: str = "") -> None:
        self.picture = picture or snapshot()
        self.log_text = log
        self.past: tuple[Run, ...] = ()
        self.asked: list[tuple[object, ...]] = []
        self.relief = FixedReliever(self.asked)

    @property
    def config(self) -> Config:
        """Return the defaults, and the model servers that can be asked to unload."""
        return Config(unload=SERVERS)

    def record_memory(self) -> None:
        """Nothing to record: the picture stands still."""

    def snapshot(self) -> Snapshot:
        """Return the picture."""
        return self.picture

    def memory_course(self, seconds: float, step: float = 0.0) -> Course:
        """Return how the memory went before the picture."""
        course = course_of(self.picture)
        wanted = [one for one in course.samples if one.reading.at >= NOW - seconds]
        return msgspec.structs.replace(course, samples=tuple(wanted[:: max(1, int(step / STEP))]))

    def memory_past(self, begin: float, end: float) -> Past:
        """Return a part of the record before the picture."""
        course = course_of(self.picture)
        return msgspec.structs.replace(
            past_of(course.samples, begin, end, near=30.0),
            rows=self.picture.outcomes.value or (),
            incidents=tuple(one for one in course.incidents if one.began_at <= end and (one.ended_at or end) >= begin),
        )

    def memory_now(self) -> Then:
        """Return the newest moment before the picture."""
        past = self.memory_past(0.0, NOW)
        return past.moment(len(past.samples) - 1)

    def incidents(self, limit: int = 100) -> list[Incident]:
        """Return the incidents of the course, newest first."""
        return list(reversed(course_of(self.picture).incidents))[:limit]

    def replay(self, number: int) -> Replay:
        """Return the incident that goes on; no other is kept whole."""
        if number != 3:
            raise UsageError(f"incident {number}", "is not in the ledger", "List them with: neo-console incidents.")
        return replay_of_last()

    def export_incident(self, number: int) -> tuple[Path, Path]:
        """Remember it and name the files."""
        self.asked.append(("export", number))
        folder = Path("/home/ada/neo/.neo-ai-data/state/incidents")
        return folder / f"incident-{number}.md", folder / f"incident-{number}.json"

    def preview(self, task: str) -> Decision:
        """Return the decision of the picture."""
        tasks = self.picture.schedule.value.tasks if self.picture.schedule.value else ()
        return next(one.decision for one in tasks if one.name == task)

    def trigger(self, task: str, *, override_memory: bool = False) -> Attempt:
        """Remember it and say what the decision says, or that it started all the same."""
        self.asked.append(("trigger", task, "override") if override_memory else ("trigger", task))
        made = self.preview(task)
        return Attempt(run_id="feedfacecafe", started=made.may_start or override_memory, decision=made)

    def defer(self, task: str, seconds: float, because: str) -> Control:
        """Remember it."""
        self.asked.append(("defer", task, seconds, because))
        return Control(
            control_id=1, kind=ControlKind.SNOOZE, target=task, created_at=NOW, until=NOW + seconds, because=because
        )

    def resume(self, task: str) -> bool:
        """Remember it."""
        self.asked.append(("resume", task))
        return True

    def stop(self, run_id: str, *, force: bool = False, because: str = "") -> Control:
        """Remember it."""
        self.asked.append(("stop", run_id, force))
        return Control(control_id=2, kind=ControlKind.STOP, target=run_id, created_at=NOW, force=force, because=because)

    def pause(self, because: str, seconds: float | None = None) -> Control:
        """Remember it."""
        self.asked.append(("pause", because, seconds))
        until = None if seconds is None else NOW + seconds
        return Control(control_id=3, kind=ControlKind.PAUSE, target="", created_at=NOW, until=until, because=because)

    def unpause(self) -> bool:
        """Remember it."""
        self.asked.append(("unpause",))
        return True

    def service_start(self, name: str, because: str = "") -> Control:
        """Remember it."""
        return self._service(ControlKind.SERVICE_START, name, because)

    def service_stop(self, name: str, because: str = "") -> Control:
        """Remember it."""
        return self._service(ControlKind.SERVICE_STOP, name, because)

    def service_restart(self, name: str, because: str = "") -> Control:
        """Remember it."""
        return self._service(ControlKind.SERVICE_RESTART, name, because)

    def stop_stray(
        self, pid: int, start_time: int | None = None, *, foreign: bool = False, because: str = ""
    ) -> StrayStop:
        """Remember it and say that it ended."""
        self.asked.append(("stop-stray", pid, start_time, foreign, because))
        strays = self.picture.strays.value
        stray = next(one for one in (strays.found if strays else ()) if one.pid == pid)
        return StrayStop(stray=stray, end=StrayEnd.ENDED, took=0.1)

    def _service(self, kind: ControlKind, name: str, because: str) -> Control:
        self.asked.append((str(kind), name))
        return Control(control_id=4, kind=kind, target=name, created_at=NOW, because=because)

    def service_events(self, name: str, limit: int = 100) -> list[ServiceEvent]:
        """Return what happened to chroma; nothing happened to any other."""
        return [one for one in service_events() if one.service == name][:limit]

    def reconfigure_if_changed(self) -> str:
        """Say that nothing changed."""
        return ""

    def run(self, run_id: str) -> Run:
        """Return the run of the picture, or one before it; raises ``UsageError`` when there is none."""
        known = (*(self.picture.outcomes.value or ()), *self.past)
        found = next((one for one in known if one.run_id == run_id), None)
        if found is None:
            raise UsageError(f"run {run_id!r}", "is not in the ledger", "List them with: neo-console history.")
        return found

    def older(self, run_id: str, last_at: float, limit: int = 500) -> list[Run]:
        """Return what lies before the picture, newest first."""
        before = (one for one in self.past if one.last_at <= last_at and one.run_id != run_id)
        return sorted(before, key=lambda one: one.last_at, reverse=True)[:limit]

    def decision_of(self, run: Run) -> Decision | None:
        """Return the decision that the run keeps."""
        return msgspec.json.decode(run.decision, type=Decision) if run.decision else None

    def log(self, run_id: str, *, after: int | None = None, limit: int = 65_536) -> LogChunk:
        """Return the log that every run of its task has, if it started, and what was added since."""
        found = next((one for one in self.picture.outcomes.value or () if one.run_id == run_id), None)
        if found is None or found.started_at is None:
            return LogChunk(raw=b"", start=0, end=0, size=0, missing=True)
        return _chunk(LOGS.get(found.task, LOG) + self.log_text, after, limit)

    def service_log(self, name: str, *, after: int | None = None, limit: int = 65_536) -> LogChunk:
        """Return the log that every service has."""
        return _chunk(f"{name}: {SERVICE_LOG}{self.log_text}", after, limit)

    def orchestrator_log(self, *, after: int | None = None, limit: int = 65_536) -> LogChunk:
        """Return the log of the orchestrator."""
        return _chunk(ORCHESTRATOR_LOG + self.log_text, after, limit)


def _chunk(text: str, after: int | None, limit: int) -> LogChunk:
    raw = text.encode()
    start = max(0, len(raw) - limit) if after is None else after if after <= len(raw) else 0
    part = raw[start : start + limit]
    return LogChunk(raw=part, start=start, end=start + len(part), size=len(raw))
